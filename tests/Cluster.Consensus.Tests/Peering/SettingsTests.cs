using Cluster.Consensus.Peering;
using Cluster.Model;
using Cluster.Model.Configuration;
using Libp2p;
using Libp2p.Simulation;

namespace Cluster.Consensus.Tests.Peering;

/// <summary>What the configuration makes of host and gossip (spec/config.md 3.1, spec/libp2p.md 12, 13).</summary>
public sealed class SettingsTests
{
    private static readonly string[] Files = ["Limit                     Soft Limit           Hard Limit           Units", "Max open files            20000                40000                files"];

    [Fact]
    public void Gossip_has_the_originals_parameters()
    {
        var options = GossipSetup.Options(new ClusterSection());
        Assert.Equal((24, 20, 48, 8, 24), (options.Degree, options.DegreeLow, options.DegreeHigh, options.DegreeOutbound, options.DegreeLazy));
        Assert.Equal((6, 2, 10_000), (options.HistoryLength, options.HistoryGossip, options.MaxIHaveLength));
        Assert.Equal((TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(30)), (options.HeartbeatInterval, options.SeenTtl));
        Assert.True(options.PeerExchange);
        Assert.False(options.FloodPublish);

        var other = GossipSetup.Options(new ClusterSection
        {
            FollowerMode = true,
            Pubsub = new PubsubSettings(GoDuration.FromSeconds(1), GoDuration.FromSeconds(2), 1, 9, 5, true),
        });
        Assert.Equal((6, 5, 12), (other.Degree, other.DegreeLow, other.DegreeHigh));
        Assert.Equal((5, 5), (other.HistoryLength, other.HistoryGossip));
        Assert.Equal((TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(30)), (other.HeartbeatInterval, other.SeenTtl));
        Assert.False(other.PeerExchange);
        Assert.True(other.FloodPublish);
    }

    [Fact]
    public void Limits_are_shares_of_the_machine_unless_they_are_given()
    {
        var shares = HostLimits.Of(new ResourceManagerSettings(true, 0, 0), 16L << 30, Files);
        Assert.Equal((4L << 30, 10_000), (shares.Memory, shares.Descriptors));
        Assert.Equal((4L << 30, 10_000, 5_000, 768), (shares.Limits.Memory, shares.Limits.Connections, shares.Limits.InboundConnections, shares.Limits.InboundStreamsPerPeer));

        var given = HostLimits.Of(new ResourceManagerSettings(true, 64 << 20, 100), 16L << 30, Files);
        Assert.Equal((64L << 20, 16L << 20, 100), (given.Limits.Memory, given.Limits.MemoryPerPeer, given.Limits.Connections));
        Assert.Equal(256, given.Limits.InboundStreamsPerPeer);

        Assert.Equal(1 << 20, HostLimits.Of(new ResourceManagerSettings(true, 1, 0), 16L << 30, []).Limits.Memory);
        Assert.Equal(512, HostLimits.Of(new ResourceManagerSettings(true, 0, 0), 16L << 30, []).Descriptors);
        Assert.Same(ResourceLimits.Unlimited, HostLimits.Of(new ResourceManagerSettings(false, 1, 1), 16L << 30, Files).Limits);
    }

    [Fact]
    public async Task The_host_is_configured_as_the_file_says()
    {
        var announced = Multiaddr.Parse("/dns4/cluster.example.org/tcp/9096");
        await using var peer = await NetworkPeer.StartAsync(NetworkPeer.SettingsFor(NetworkPeer.Section() with
        {
            ListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0"), Multiaddr.Parse("/ip4/127.0.0.1/udp/0/quic")],
            AnnounceAddresses = [announced, Multiaddr.Parse("/ip4/10.1.2.3/tcp/1")],
            NoAnnounceAddresses = [Multiaddr.Parse("/ip4/10.0.0.0/ipcidr/8")],
            ConnectionManager = new ConnectionManagerSettings(50, 20, GoDuration.FromSeconds(7)),
            DialPeerTimeout = GoDuration.FromSeconds(2),
        }));
        var options = peer.Network.Host.Options;
        Assert.Equal((20, 50, TimeSpan.FromSeconds(7)), (options.Connections.LowWater, options.Connections.HighWater, options.Connections.Grace));
        Assert.Equal(TimeSpan.FromSeconds(2), options.DialTimeout);
        Assert.Equal(NetworkPeer.Secret, options.Secret!.Key.ToArray());
        Assert.Equal("github.com/ipfs-cluster/ipfs-cluster@", options.AgentVersion);
        Assert.Equal([announced.WithPeer(peer.Id)], peer.Network.Addresses);
        Assert.Single(peer.Network.Host.ListenAddresses);
        await peer.Log.LineWithAsync("Resource Manager ENABLED", CancellationToken.None);
    }

    [Fact]
    public async Task The_protocols_of_the_original_are_spoken()
    {
        await using var peer = await NetworkPeer.StartAsync();
        string[] expected =
        [
            "/cluster-micro/ancestors/1.0.0", "/cluster-micro/heads/1.0.0", "/floodsub/1.0.0", "/ipfs/bitswap", "/ipfs/bitswap/1.0.0", "/ipfs/bitswap/1.1.0", "/ipfs/bitswap/1.2.0", "/ipfs/id/1.0.0",
            "/ipfs/id/push/1.0.0", "/ipfs/lan/kad/1.0.0", "/ipfs/ping/1.0.0", "/meshsub/1.0.0", "/meshsub/1.1.0", "/meshsub/1.2.0", "/meshsub/1.3.0",
        ];
        Assert.Equal(expected, peer.Network.Host.Protocols);
    }

    [Fact]
    public async Task Bandwidth_is_measured_by_protocol_and_its_rate_falls_when_nothing_moves()
    {
        var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token;
        await using var a = await NetworkPeer.StartAsync();
        await using var b = await NetworkPeer.StartAsync();
        var clock = new VirtualTime();
        await a.DialAsync(b, limit);
        await a.Network.Host.PingAsync(b.Id, limit);
        using var meter = new BandwidthMeter(() => a.Network.Host.Traffic, clock);

        Assert.Equal((32, 32, 0, 0), Ping(meter));
        clock.Advance(TimeSpan.FromSeconds(1));
        // 32 bytes in the last second, weighed as the original does: 1 - 1/e of what is new.
        Assert.Equal(32 * (1 - Math.Exp(-1)), Ping(meter).InRate, 6);
        Assert.Equal(32 * (1 - Math.Exp(-1)), Ping(meter).OutRate, 6);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(32 * (1 - Math.Exp(-1)) * Math.Exp(-1), Ping(meter).InRate, 6);
        clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal((32, 32, 0, 0), Ping(meter));
        Assert.DoesNotContain(meter.Current(), p => p.Protocol.Length == 0);
        Assert.Equal((32, 32), (Ping(a.Peering.Bandwidth).In, Ping(a.Peering.Bandwidth).Out));

        static (long In, long Out, double InRate, double OutRate) Ping(BandwidthMeter meter)
        {
            var ping = meter.Current().Single(p => p.Protocol == "/ipfs/ping/1.0.0");
            return (ping.Received, ping.Sent, ping.ReceiveRate, ping.SendRate);
        }
    }
}
