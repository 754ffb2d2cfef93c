using Libp2p.Pubsub;
using Xunit;

namespace Libp2p.Tests.Pubsub;

/// <summary>Fifty hosts in virtual time, reproducible by seed.</summary>
public sealed class GossipSimulationTests
{
    private const int Hosts = 50;

    private static readonly GossipsubOptions Usual = new() { MessageIdOf = MessageId.ShortAuthor(16) };

    private static GossipNetwork Start(int seed, double loss, GossipsubOptions? options = null)
    {
        var network = new GossipNetwork(seed, Hosts, linksPerHost: 10, loss, options ?? Usual);
        network.Run(5 * (options ?? Usual).HeartbeatInterval);
        return network;
    }

    /// <summary>Publishes from several hosts; each message must reach all, once, in time.</summary>
    private static void Check(GossipNetwork network, string name, TimeSpan within)
    {
        var start = network.Now;
        for (int i = 0; i < 10; i++) network.Publish(i * 5, $"{name} {i}");
        network.Run(within);
        for (int i = 0; i < 10; i++)
        {
            var got = network.Deliveries.Where(d => d.Text == $"{name} {i}").ToArray();
            Assert.Equal(Hosts, got.Length);
            Assert.Equal(Hosts, got.Select(d => d.Host).Distinct().Count());
            Assert.All(got, d => Assert.InRange(d.At - start, TimeSpan.Zero, within));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_mesh_alone_delivers_within_one_heartbeat(int seed)
    {
        var network = Start(seed, loss: 0);
        Assert.All(Enumerable.Range(0, Hosts), host => Assert.InRange(network.MeshOf(host), 1, Usual.DegreeHigh));
        Check(network, "mesh", Usual.HeartbeatInterval);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Lost_frames_are_made_up_for_while_messages_are_gossiped_about(int seed) =>
        Check(Start(seed, loss: 0.3), "lossy", (Usual.HistoryGossip + 1) * Usual.HeartbeatInterval);

    [Fact]
    public void The_parameters_of_a_cluster_deliver_within_one_of_its_slow_heartbeats()
    {
        var cluster = new GossipsubOptions
        {
            Degree = 24, DegreeLow = 20, DegreeHigh = 48, DegreeOutbound = 8, DegreeLazy = 24, HistoryLength = 6, HistoryGossip = 2,
            HeartbeatInterval = TimeSpan.FromSeconds(10), MessageIdOf = MessageId.ShortAuthor(16),
        };
        Check(Start(7, loss: 0.1, cluster), "slow", cluster.HeartbeatInterval);
    }

    [Fact]
    public void What_was_said_during_a_short_partition_is_heard_after_it()
    {
        var network = Start(8, loss: 0);
        network.Partition(2);
        network.Publish(0, "meanwhile");
        network.Run(TimeSpan.FromSeconds(1));
        int before = network.Deliveries.Count(d => d.Text == "meanwhile");
        Assert.InRange(before, 2, Hosts / 2);
        network.Heal();
        network.Run((Usual.HistoryGossip + 1) * Usual.HeartbeatInterval);
        Assert.Equal(Hosts, network.Deliveries.Count(d => d.Text == "meanwhile"));
        Check(network, "healed", Usual.HeartbeatInterval);
    }

    [Fact]
    public void The_same_seed_gives_the_same_run_and_another_seed_another()
    {
        List<(int, string, TimeSpan)> Run(int seed)
        {
            var network = Start(seed, loss: 0.2);
            Check(network, "again", (Usual.HistoryGossip + 1) * Usual.HeartbeatInterval);
            return network.Deliveries;
        }

        var first = Run(9);
        Assert.Equal(first, Run(9));
        Assert.NotEqual(first, Run(10));
    }
}
