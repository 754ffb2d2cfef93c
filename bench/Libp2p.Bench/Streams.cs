using System.Buffers;
using System.Diagnostics;

namespace Libp2p.Bench;

/// <summary>Bytes and streams between two hosts of this process, over loopback TCP.</summary>
internal static class Streams
{
    private const int Piece = 64 * 1024;
    private const int Concurrent = 32;

    private static async Task<(Libp2pHost, Libp2pHost, PeerConnection)> ConnectAsync(bool secret)
    {
        var network = secret ? NetworkSecret.Generate() : null;
        Libp2pHost Make() => new(new HostOptions
        {
            Key = PrivateKey.GenerateEd25519(),
            Listen = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")],
            Secret = network,
            Limits = ResourceLimits.Unlimited,
        });
        var (a, b) = (Make(), Make());
        await a.StartAsync();
        await b.StartAsync();
        var connection = await a.DialAsync(b.ListenAddresses[0].WithPeer(b.Id));
        await connection.Identified;
        return (a, b, connection);
    }

    /// <summary>Bytes per second on one stream, the same per second of processor time of both sides, and bytes allocated per frame.</summary>
    public static async Task<(double Rate, double PerProcessorSecond, double BytesPerFrame)> ThroughputAsync(bool secret, TimeSpan span)
    {
        var (a, b, connection) = await ConnectAsync(secret);
        await using var _ = a;
        await using var __ = b;
        long received = 0;
        var done = new TaskCompletionSource();
        b.Handle("/sink", async (stream, token) =>
        {
            while (true)
            {
                var result = await stream.Input.ReadAsync(token);
                received += result.Buffer.Length;
                stream.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted) break;
            }
            done.SetResult();
        });
        await using var sink = await connection.NewStreamAsync("/sink");
        var piece = new byte[Piece];
        var warm = Stopwatch.StartNew();
        while (warm.Elapsed < span / 2) await sink.Output.WriteAsync(piece);
        long allocated = GC.GetTotalAllocatedBytes(), before = received, sent = 0;
        var processor = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < span)
        {
            await sink.Output.WriteAsync(piece);
            sent += Piece;
        }
        double rate = (received - before) / watch.Elapsed.TotalSeconds;
        double efficiency = (received - before) / (Environment.CpuUsage.TotalTime - processor).TotalSeconds;
        allocated = GC.GetTotalAllocatedBytes() - allocated;
        await sink.CloseWriteAsync();
        await done.Task;
        return (rate, efficiency, allocated / (sent / (double)Piece));
    }

    public static async Task<double> OpenedPerSecondAsync(TimeSpan span)
    {
        var (a, b, connection) = await ConnectAsync(secret: true);
        await using var _ = a;
        await using var __ = b;
        b.Handle("/echo", async (stream, token) =>
        {
            var result = await stream.Input.ReadAsync(token);
            foreach (var part in result.Buffer) await stream.Output.WriteAsync(part, token);
            stream.Input.AdvanceTo(result.Buffer.End);
        });
        long count = 0;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Concurrent).Select(_ => Task.Run(async () =>
        {
            byte[] request = new byte[16];
            while (watch.Elapsed < span)
            {
                await using var stream = await connection.NewStreamAsync("/echo");
                await stream.Output.WriteAsync(request);
                await stream.CloseWriteAsync();
                while (true)
                {
                    var result = await stream.Input.ReadAsync();
                    stream.Input.AdvanceTo(result.Buffer.End);
                    if (result.IsCompleted) break;
                }
                Interlocked.Increment(ref count);
            }
        })));
        return count / watch.Elapsed.TotalSeconds;
    }
}
