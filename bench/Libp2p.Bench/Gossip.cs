using System.Diagnostics;
using Libp2p.Pubsub;

namespace Libp2p.Bench;

/// <summary>Messages that a mesh of two carries: signed, framed, encrypted, verified, delivered.</summary>
internal static class Gossip
{
    // Fewer than an outbound queue holds: what does not fit is dropped, and a dropped message would not be counted.
    private const int InFlight = 64;

    /// <summary>Messages of 256 bytes delivered per second.</summary>
    public static async Task<double> MessagesPerSecondAsync(TimeSpan span)
    {
        await using var sender = await StartAsync();
        await using var receiver = await StartAsync();
        await using var from = new Gossipsub(sender);
        await using var to = new Gossipsub(receiver);
        using var subscription = to.Subscribe("bench");
        using var own = from.Subscribe("bench");
        await sender.DialAsync(receiver.ListenAddresses[0].WithPeer(receiver.Id));
        while (!from.MeshOf("bench").Contains(receiver.Id)) await Task.Delay(10);
        byte[] data = new byte[256];
        int inFlight = 0;
        long delivered = 0;
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < span)
        {
            for (; inFlight < InFlight; inFlight++) from.Publish("bench", data);
            await subscription.Messages.ReadAsync(new CancellationTokenSource(TimeSpan.FromSeconds(10)).Token);
            do
            {
                delivered++;
                inFlight--;
            }
            while (subscription.Messages.TryRead(out _));
            while (own.Messages.TryRead(out _))
            {
            }
        }
        return delivered / watch.Elapsed.TotalSeconds;
    }

    private static async Task<Libp2pHost> StartAsync()
    {
        var host = new Libp2pHost(new HostOptions { Key = PrivateKey.GenerateEd25519(), Listen = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")] });
        await host.StartAsync();
        return host;
    }
}
