using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Cluster.Load;

/// <summary>How long pins take to be everywhere: posted to one member, listed by others; or listed by a member that has just started.</summary>
internal static class Arrival
{
    private static readonly TimeSpan between = TimeSpan.FromMilliseconds(20);

    /// <summary>Posts pins to one member and says when each of the others had applied the last of them.</summary>
    public static async Task<bool> SpreadAsync(
        Target target, IReadOnlyList<Target> members, ulong seed, int count, int connections, CancellationToken cancellation)
    {
        var before = await Task.WhenAll(members.Select(member => CountAsync(member, cancellation)));
        var begin = Stopwatch.GetTimestamp();
        var arrivals = members.Select((member, i) => Task.Run(() => UntilAsync(member, before[i] + count, begin, cancellation), cancellation)).ToArray();
        var posted = await Work.PinAsync(target, seed, count, connections, cancellation);
        var acknowledged = Stopwatch.GetElapsedTime(begin);
        for (var i = 0; i < arrivals.Length; i++)
        {
            var applied = await arrivals[i];
            Print($"applied by member {i + 1}", count / applied.TotalSeconds, $"{(applied - acknowledged).TotalMilliseconds:N0} ms after the last acknowledgement");
        }

        return posted;
    }

    /// <summary>Waits until a member lists so many pins; it may not even listen yet.</summary>
    public static async Task<bool> AwaitAsync(Target target, int count, CancellationToken cancellation)
    {
        var begin = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await using var connection = await HttpConnection.ConnectAsync(target.EndPoint, cancellation);
                break;
            }
            catch (SocketException)
            {
                await Task.Delay(between, cancellation);
            }
        }

        var listening = Stopwatch.GetElapsedTime(begin);
        var applied = await UntilAsync(target, count, begin, cancellation);
        Print("joined", count / (applied - listening).TotalSeconds,
            $"{count} pins {(applied - listening).TotalMilliseconds:N0} ms after it listened, {applied.TotalMilliseconds:N0} ms after the start");
        return true;
    }

    private static void Print(string what, double rate, string rest) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-28} {rate,10:N0}/s   {rest}"));

    /// <summary>The time from a moment until a member lists so many pins. It is not kept busy with lists: it rests as long as each took.</summary>
    private static async Task<TimeSpan> UntilAsync(Target member, int count, long begin, CancellationToken cancellation)
    {
        while (true)
        {
            var asked = Stopwatch.GetTimestamp();
            if (await CountAsync(member, cancellation) >= count)
                return Stopwatch.GetElapsedTime(begin);
            var took = Stopwatch.GetElapsedTime(asked);
            await Task.Delay(took > between ? took : between, cancellation);
        }
    }

    private static async Task<int> CountAsync(Target member, CancellationToken cancellation)
    {
        await using var connection = await HttpConnection.ConnectAsync(member.EndPoint, cancellation);
        return (int)(await connection.SendAsync(member.Request("GET", "/allocations"), null, cancellation)).Lines;
    }
}
