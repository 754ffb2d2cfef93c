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
        // Whoever counts would load the members with lists: the pins posted last are asked for instead, one after the other.
        var last = Enumerable.Range(Math.Max(0, count - connections), Math.Min(count, connections)).Select(i => SyntheticCids.Create(seed, (ulong)i)).ToArray();
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var arrivals = members.Select(member => Task.Run(() => UntilAppliedAsync(member, last, begin, giveUp.Token), cancellation)).ToArray();
        var posted = await Work.PinAsync(target, seed, count, connections, cancellation);
        var acknowledged = Stopwatch.GetElapsedTime(begin);
        if (!posted)
        {
            // What was refused never arrives.
            await giveUp.CancelAsync();
            await Task.WhenAll((IEnumerable<Task>)arrivals).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return false;
        }

        for (var i = 0; i < arrivals.Length; i++)
        {
            var applied = await arrivals[i];
            Print($"applied by member {i + 1}", count / applied.TotalSeconds, $"{Math.Max(0, (applied - acknowledged).TotalMilliseconds):N0} ms after the last acknowledgement");
            var more = await CountAsync(members[i], cancellation) - before[i];
            if (more == count) continue;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"member {i + 1} lists {more} pins more, {count} were posted"));
            posted = false;
        }

        return posted;
    }

    /// <summary>Waits until a member has the pins that <see cref="Work.PinAsync"/> made with a seed; it may not even listen yet.</summary>
    public static async Task<bool> AwaitAsync(Target target, ulong seed, int count, CancellationToken cancellation)
    {
        var begin = Stopwatch.GetTimestamp();
        await UntilListeningAsync(target, cancellation);

        // Of the pins a few are asked for one after the other, newest first, as a peer that joins reads them: lists would load it.
        string[] some = [.. Enumerable.Range(0, 64).Select(i => SyntheticCids.Create(seed, (ulong)((count - 1) * (63L - i) / 63)))];
        TimeSpan? answering = null;
        await UntilAppliedAsync(target, some, begin, cancellation, () => answering ??= Stopwatch.GetElapsedTime(begin));
        int listed;
        while ((listed = await CountAsync(target, cancellation)) < count)
            await Task.Delay(between, cancellation);
        var applied = Stopwatch.GetElapsedTime(begin);
        var took = applied - answering!.Value;
        Print("joined", count / took.TotalSeconds,
            $"{listed} pins {took.TotalMilliseconds:N0} ms after its first answer, {applied.TotalMilliseconds:N0} ms after the start of its processes");
        return true;
    }

    private static async Task UntilListeningAsync(Target target, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await using var connection = await HttpConnection.ConnectAsync(target.EndPoint, cancellation);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(between, cancellation);
            }
        }
    }

    private static void Print(string what, double rate, string rest) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-28} {rate,10:N0}/s   {rest}"));

    /// <summary>The time from a moment until a member has pins, which are asked for one after the other.</summary>
    private static async Task<TimeSpan> UntilAppliedAsync(
        Target member, string[] cids, long begin, CancellationToken cancellation, Action? answered = null)
    {
        await using var connection = await HttpConnection.ConnectAsync(member.EndPoint, cancellation);
        foreach (var cid in cids)
        {
            while (true)
            {
                // Whoever cannot answer yet says 5xx.
                var status = (await connection.SendAsync(member.Request("GET", "/allocations/" + cid), null, cancellation)).Status;
                if (status is 200 or 404)
                    answered?.Invoke();
                if (status == 200)
                    break;
                await Task.Delay(between, cancellation);
            }
        }

        return Stopwatch.GetElapsedTime(begin);
    }

    private static async Task<int> CountAsync(Target member, CancellationToken cancellation)
    {
        await using var connection = await HttpConnection.ConnectAsync(member.EndPoint, cancellation);
        return (int)(await connection.SendAsync(member.Request("GET", "/allocations"), null, cancellation)).Lines;
    }
}
