using Libp2p.Pubsub;
using Libp2p.Simulation;
using Xunit;

namespace Libp2p.Tests.Pubsub;

/// <summary>gossipsub on whole hosts over simulated links, in virtual time.</summary>
[Collection("Simulation")]
public sealed class SimulatedHostsGossipTests
{
    private const int Hosts = 6;
    private const string Topic = "news";

    [Fact]
    public async Task Messages_cross_slow_and_lossy_links_once()
    {
        var time = new VirtualTime();
        var network = new InMemoryNetwork(time, seed: 11);
        var hosts = new Libp2pHost[Hosts];
        var gossip = new Gossipsub[Hosts];
        var subscriptions = new PubsubSubscription[Hosts];
        for (int i = 0; i < Hosts; i++)
        {
            hosts[i] = new Libp2pHost(new HostOptions
            {
                Key = PrivateKey.FromEd25519Seed([(byte)i, .. new byte[31]]), Listen = [Multiaddr.Parse("/memory/0")], Transports = [network.AddHost()], Time = time, Random = new Random(i),
            });
            await hosts[i].StartAsync();
            gossip[i] = new Gossipsub(hosts[i], new GossipsubOptions { MessageIdOf = MessageId.ShortAuthor(16) });
            subscriptions[i] = gossip[i].Subscribe(Topic);
        }
        // A ring: nobody has more than two neighbours. Time stands still while they get to know each other, so that none of it takes too long.
        await Task.WhenAll(Enumerable.Range(0, Hosts).Select(i => hosts[i].DialAsync(hosts[(i + 1) % Hosts].Address(), TestHosts.Deadline())));
        await TestHosts.EventuallyAsync(() => hosts.All(h => h.Connections.Count == 2 && h.Connections.All(c => c.Identified.IsCompleted)), "not all know each other");
        network.Conditions = new LinkConditions { Delay = TimeSpan.FromMilliseconds(20), Jitter = TimeSpan.FromMilliseconds(30), Loss = 0.05 };
        for (int i = 0; i < 400 && !gossip.All(g => g.MeshOf(Topic).Count == 2); i++) await time.AdvanceAsync(TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(10));
        Assert.All(gossip, g => Assert.Equal(2, g.MeshOf(Topic).Count));
        for (int i = 0; i < Hosts; i++) gossip[i].Publish(Topic, new[] { (byte)i });
        // Half around the ring are three links of 50 ms at most, with a few retransmissions of 200 ms.
        await time.AdvanceAsync(TimeSpan.FromSeconds(3), TimeSpan.FromMilliseconds(10));
        // A busy machine may be behind its clock.
        for (int i = 0; i < 400 && subscriptions.Any(s => s.Messages.Count < Hosts); i++) await time.AdvanceAsync(TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(10));
        foreach (var subscription in subscriptions)
        {
            List<byte> got = [];
            while (subscription.Messages.TryRead(out var message)) got.Add(message.Data.Span[0]);
            Assert.Equal(Enumerable.Range(0, Hosts).Select(i => (byte)i), got.Order());
        }
        for (int i = 0; i < Hosts; i++)
        {
            await gossip[i].DisposeAsync();
            await hosts[i].DisposeAsync();
        }
    }
}
