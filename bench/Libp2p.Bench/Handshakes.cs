using System.Diagnostics;
using Libp2p.Hosting;
using Libp2p.Transport;

namespace Libp2p.Bench;

/// <summary>Connections secured per second: TCP connect, private network, multistream, Noise with both identities proven.</summary>
internal static class Handshakes
{
    private const int Concurrent = 8;

    public static async Task<(double Rate, double PerProcessorSecond)> PerSecondAsync(TimeSpan span)
    {
        var network = NetworkSecret.Generate();
        HostOptions Make() => new() { Key = PrivateKey.GenerateEd25519(), Secret = network, Security = SecurityProtocols.Noise };
        HostOptions here = Make(), there = Make();
        ConnectionUpgrader dialler = new(here), answerer = new(there);
        var transport = new TcpTransport();
        await using var listener = await transport.ListenAsync(Multiaddr.Parse("/ip4/127.0.0.1/tcp/0"), default);
        using var stop = new CancellationTokenSource();
        var accepting = Task.Run(async () =>
        {
            while (await listener.AcceptAsync(CancellationToken.None) is { } raw) _ = AnswerAsync(answerer, raw);
        });
        long count = 0;
        var processor = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Concurrent).Select(_ => Task.Run(async () =>
        {
            while (watch.Elapsed < span)
            {
                var raw = await transport.DialAsync(listener.Address, default);
                var secured = await dialler.UpgradeAsync(raw, initiator: true, there.Key.PeerId, default);
                await secured.Stream.DisposeAsync();
                Interlocked.Increment(ref count);
            }
        })));
        double rate = count / watch.Elapsed.TotalSeconds, efficiency = count / (Environment.CpuUsage.TotalTime - processor).TotalSeconds;
        await listener.DisposeAsync();
        await accepting;
        return (rate, efficiency);
    }

    private static async Task AnswerAsync(ConnectionUpgrader upgrader, RawConnection raw)
    {
        await Task.Yield();
        try
        {
            var secured = await upgrader.UpgradeAsync(raw, initiator: false, null, default);
            // The dialler closes first, so that the ports' TIME_WAIT is on its side.
            await secured.Stream.CopyToAsync(Stream.Null);
            await secured.Stream.DisposeAsync();
        }
        catch (IOException)
        {
            // The end of the measurement cuts some off.
        }
    }
}
