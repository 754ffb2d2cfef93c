using Cluster.Model;
using Libp2p;

namespace Cluster.Allocation.Tests;

public class AllocatorTests
{
    private static readonly GoTime Now = GoTime.FromUnix(1_700_000_000);

    private static readonly PeerId[] Peers = [.. Enumerable.Range(1, 8).Select(i =>
        PeerId.FromBytes([0, 36, 8, 1, 18, 32, .. Enumerable.Repeat((byte)i, 32)]))];

    [Fact]
    public void Copies_spread_over_regions_before_they_double_up()
    {
        string[] regions = ["a-us", "a-us", "b-eu", "b-eu", "b-eu", "c-au", "c-au", "c-au"];
        string?[] zones = ["us1", "us2", "eu1", "eu1", "eu2", "au1", "au1", null];
        long?[] queue = [0, 0, 0, 0, 0, 0, -1, null];
        string[] queueText = ["100", "200", "100", "200", "300", "100", "1000", ""];
        long[] space = [100, 500, 200, 400, 10, 50, 600, 10_000];
        var metrics = Enumerable.Range(0, 8).SelectMany(i => new[]
        {
            Metric(i, "region", regions[i], 0, partitionable: true),
            zones[i] is null ? null : Metric(i, "az", zones[i]!, 0, partitionable: true),
            queue[i] is null ? null : Metric(i, "pinqueue", queueText[i], queue[i]!.Value, partitionable: true),
            Metric(i, "freespace", space[i].ToString(), space[i], partitionable: false),
        }).OfType<Metric>();

        var snapshot = PeerMetrics.Create(metrics, ["region", "az", "pinqueue", "freespace"], Now);
        var order = Allocator.Allocate(new(new(7, 7)), snapshot, new Random(1));

        Assert.Equal([6, 4, 2, 7, 5, 1, 3], order.Select(peer => Array.IndexOf(Peers, peer) + 1));
    }

    [Fact]
    public void Peers_of_equal_weight_share_the_load()
    {
        var metrics = Enumerable.Range(0, 8).Select(i => Metric(i, "freespace", "100", 100, partitionable: false));
        var snapshot = PeerMetrics.Create(metrics, ["freespace"], Now);
        var random = new Random(3);

        var chosen = Enumerable.Range(0, 400).Select(_ => Allocator.Allocate(new(new(1, 1)), snapshot, random)[0]).Distinct();

        Assert.Equal(8, chosen.Count());
    }

    private static Metric Metric(int peer, string name, string value, long weight, bool partitionable) => new()
    {
        Name = name, Peer = Peers[peer], Value = value, Weight = weight, Partitionable = partitionable, Valid = true,
        Expire = Now.Add(GoDuration.FromSeconds(30)).UnixNanoseconds,
    };
}
