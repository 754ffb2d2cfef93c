using Cluster.Model;
using Cluster.Consensus.Metrics;
using Libp2p;

namespace Cluster.Consensus.Tests.Peering;

/// <summary>Metrics between peers (spec/peer-rpc.md 5, spec/behaviour.md 17.1).</summary>
public sealed class MetricTests
{
    private readonly CancellationToken _limit = new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token;

    internal static Metric Metric(NetworkPeer of, string name, string value = "1", int seconds = 3600) => new()
    {
        Name = name,
        Peer = of.Id,
        Value = value,
        Valid = true,
        Expire = GoTime.Now(TimeProvider.System).UnixNanoseconds + (seconds * 1_000_000_000L),
    };

    [Fact]
    public async Task Metrics_published_before_a_peer_came_reach_it_as_soon_as_it_is_there()
    {
        await using var a = await NetworkPeer.StartAsync();
        await using var b = await NetworkPeer.StartAsync();
        var ping = Metric(a, "ping", """{"peer_name":"a"}""");
        a.Peering.Metrics.Publish([ping]);
        using var reader = b.Peering.Metrics.Read();

        await a.DialAsync(b, _limit);

        var received = Assert.Single(await reader.Batches.ReadAsync(_limit));
        Assert.NotEqual(0, received.ReceivedAt);
        Assert.Equal(ping, received with { ReceivedAt = 0 });
    }

    [Fact]
    public async Task A_reader_that_comes_later_gets_what_still_holds()
    {
        await using var a = await NetworkPeer.StartAsync();
        await using var b = await NetworkPeer.StartAsync();
        a.Peering.Metrics.Publish([Metric(a, "freespace", "1000")]);
        await a.DialAsync(b, _limit);
        using (var first = b.Peering.Metrics.Read())
            await first.Batches.ReadAsync(_limit);

        using var second = b.Peering.Metrics.Read();
        Assert.Equal("1000", Assert.Single(await second.Batches.ReadAsync(_limit)).Value);
    }

    [Fact]
    public async Task What_others_say_in_this_peers_name_is_not_believed()
    {
        await using var liar = await NetworkPeer.StartAsync();
        await using var b = await NetworkPeer.StartAsync();
        using var reader = b.Peering.Metrics.Read();
        await liar.DialAsync(b, _limit);
        await ListensAsync(liar, b);

        liar.Peering.Metrics.Publish([Metric(b, "freespace", "0"), Metric(liar, "freespace", "5")]);

        Assert.All(await reader.Batches.ReadAsync(_limit), m => Assert.Equal(liar.Id, m.Peer));
    }

    [Fact]
    public async Task Expired_and_invalid_metrics_are_not_published()
    {
        await using var a = await NetworkPeer.StartAsync();
        await using var b = await NetworkPeer.StartAsync();
        using var reader = b.Peering.Metrics.Read();
        await a.DialAsync(b, _limit);
        await ListensAsync(a, b);

        a.Peering.Metrics.Publish([Metric(a, "old", seconds: -1), Metric(a, "bad") with { Valid = false }, Metric(a, "good")]);

        Assert.All(await reader.Batches.ReadAsync(_limit), m => Assert.Equal("good", m.Name));
        Assert.Equal(2, a.Log.Lines.Count(l => l.Text.Contains("will not be published", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_metric_that_fits_no_message_is_not_published_and_holds_up_no_other()
    {
        await using var a = await NetworkPeer.StartAsync();
        await using var b = await NetworkPeer.StartAsync();
        a.Peering.Metrics.Publish([Metric(a, "huge", new string('x', 2 << 20)), Metric(a, "good")]);
        using var reader = b.Peering.Metrics.Read();

        // What was published before is repeated for a newcomer.
        await a.DialAsync(b, _limit);

        Assert.All(await reader.Batches.ReadAsync(_limit), m => Assert.Equal("good", m.Name));
        Assert.Single(a.Log.Lines, l => l.Text.Contains("the metric huge will not be published", StringComparison.Ordinal));
    }

    [Fact]
    public void A_monitor_that_was_restarted_and_knows_of_nobody_makes_nobody_go()
    {
        var clock = new ManualClock();
        var snapshot = new MetricSnapshot(clock);
        var now = GoTime.Now(clock).UnixNanoseconds;
        var (here, soon) = (Peer.Id(1), Peer.Id(2));
        snapshot.Reset(new[] { (here, 60), (soon, 10) }.Select(p => new Metric { Name = "ping", Peer = p.Item1, Valid = true, Expire = now + (p.Item2 * 1_000_000_000L) }));

        snapshot.Reset([]);
        Assert.Equal([here, soon], snapshot.Latest("ping").Select(m => m.Peer).Order());
        clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal([here], snapshot.Latest("ping").Select(m => m.Peer));
        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Empty(snapshot.Latest("ping"));
    }

    [Fact]
    public async Task A_slow_reader_misses_the_oldest_and_holds_nobody_up()
    {
        await using var a = await NetworkPeer.StartAsync();
        using var slow = a.Peering.Metrics.Read();
        var peers = Enumerable.Range(0, 300).Select(_ => PrivateKey.GenerateEd25519().PeerId).ToList();
        foreach (var peer in peers)
            a.Peering.Metrics.Presume(peer, TimeSpan.FromSeconds(30));
        Assert.Equal(peers[44], Assert.Single(await slow.Batches.ReadAsync(_limit)).Peer);
        Assert.Contains(a.Log.Lines, l => l.Text.Contains("too slow", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_presumed_ping_does_not_replace_a_real_one()
    {
        await using var a = await NetworkPeer.StartAsync();
        await using var b = await NetworkPeer.StartAsync();
        b.Peering.Metrics.Publish([Metric(b, "ping", """{"peer_name":"b"}""")]);
        using var reader = a.Peering.Metrics.Read();
        await a.DialAsync(b, _limit);
        await reader.Batches.ReadAsync(_limit);

        a.Peering.Metrics.Presume(b.Id, TimeSpan.FromSeconds(30));

        using var second = a.Peering.Metrics.Read();
        Assert.Equal("""{"peer_name":"b"}""", Assert.Single(await second.Batches.ReadAsync(_limit)).Value);
    }

    private async Task ListensAsync(NetworkPeer from, NetworkPeer to)
    {
        while (!from.Network.Gossip.MeshOf("monitor.metrics").Contains(to.Id))
            await Task.Delay(5, _limit);
    }
}
