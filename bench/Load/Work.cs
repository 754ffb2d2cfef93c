using System.Diagnostics;
using System.Globalization;

namespace Cluster.Load;

/// <summary>The kinds of load: posting pins, asking for the status of single CIDs, reading a whole list.</summary>
internal static class Work
{
    /// <summary>Posts <paramref name="count"/> distinct pins over <paramref name="connections"/> connections.</summary>
    public static Task<bool> PinAsync(Target target, ulong seed, int count, int connections, CancellationToken cancellation) =>
        SpreadAsync($"pin, {connections} connections", target, count, connections,
            i => target.Request("POST", "/pins/" + SyntheticCids.Create(seed, (ulong)i)), cancellation);

    /// <summary>Asks for the status of the pins that <see cref="PinAsync"/> made with the same seed, spread over all of them.</summary>
    public static Task<bool> StatusAsync(Target target, ulong seed, int pinned, int count, int connections, CancellationToken cancellation) =>
        SpreadAsync($"status, {connections} connections", target, count, connections,
            i => target.Request("GET", "/pins/" + SyntheticCids.Create(seed, (ulong)i * 7919 % (ulong)Math.Max(1, pinned))), cancellation);

    /// <summary>Reads a list once: time to the first byte, items a second.</summary>
    public static async Task<bool> ListAsync(Target target, string path, CancellationToken cancellation)
    {
        await using var connection = await HttpConnection.ConnectAsync(target.EndPoint, cancellation);
        var request = target.Request("GET", path);
        var begin = Stopwatch.GetTimestamp();
        var first = TimeSpan.Zero;
        var answer = await connection.SendAsync(request, () => first = Stopwatch.GetElapsedTime(begin), cancellation);
        var elapsed = Stopwatch.GetElapsedTime(begin);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{"list " + path,-28} {answer.Lines / elapsed.TotalSeconds,10:N0}/s   first byte {first.TotalMilliseconds,8:N2} ms   {answer.Lines} items, {answer.Bytes} bytes in {elapsed.TotalMilliseconds:N0} ms, status {answer.Status}"));
        return answer.Status is 200 or 204;
    }

    private static async Task<bool> SpreadAsync(
        string what, Target target, int count, int connections, Func<int, byte[]> request, CancellationToken cancellation)
    {
        var next = -1;
        var all = new Figures();
        var opened = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => HttpConnection.ConnectAsync(target.EndPoint, cancellation)));
        var begin = Stopwatch.GetTimestamp();
        var parts = await Task.WhenAll(opened.Select(connection => Task.Run(async () =>
        {
            var figures = new Figures();
            for (int i; (i = Interlocked.Increment(ref next)) < count;)
            {
                var bytes = request(i);
                var sent = Stopwatch.GetTimestamp();
                var answer = await connection.SendAsync(bytes, null, cancellation);
                if (answer.Status == 200) figures.Add(Stopwatch.GetTimestamp() - sent);
                else figures.Fail($"status {answer.Status}");
            }
            return figures;
        }, cancellation)));
        var elapsed = Stopwatch.GetElapsedTime(begin);
        foreach (var connection in opened) await connection.DisposeAsync();
        foreach (var part in parts) all.Merge(part);
        Console.WriteLine(all.Line(what, elapsed));
        if (all.FirstFailure is { } failure) Console.Error.WriteLine($"first failure: {failure}");
        return all.Failed == 0;
    }
}
