using Cluster.Monitor.Informers;
using Cluster.Monitor.Running;
using Xunit;

namespace Cluster.Monitor.Tests;

public sealed class InformerTests
{
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Free_space_is_what_is_left_and_weighs_as_much() =>
        Assert.Equal([new Finding("freespace", "900", true, 900)], await Disk(DiskMetric.FreeSpace, (100, 1000)));

    [Theory]
    [InlineData(1000ul, 1000ul)]
    [InlineData(2000ul, 1000ul)]
    [InlineData(0ul, 0ul)]
    public async Task A_full_repository_has_no_valid_free_space(ulong used, ulong max) =>
        Assert.Equal([new Finding("freespace", "0", false)], await Disk(DiskMetric.FreeSpace, (used, max)));

    [Fact]
    public async Task Used_space_weighs_against_the_peer() =>
        Assert.Equal([new Finding("reposize", "100", true, -100)], await Disk(DiskMetric.RepoSize, (100, 1000)));

    [Fact]
    public async Task A_daemon_that_does_not_answer_has_no_valid_space() =>
        Assert.False((await Disk(DiskMetric.FreeSpace, null))[0].Valid);

    [Theory]
    [InlineData(42, 5, -8)]
    [InlineData(42, 0, -42)]
    [InlineData(4, 5, 0)]
    [InlineData(0, 100_000, 0)]
    public async Task The_queue_weighs_by_full_buckets(long queued, int bucket, long weight)
    {
        var informer = new PinQueueInformer(bucket, Ttl, _ => Task.FromResult<long?>(queued));
        Assert.Equal([new Finding("pinqueue", queued.ToString(System.Globalization.CultureInfo.InvariantCulture), true, weight)], await informer.FindAsync(default));
    }

    [Fact]
    public async Task A_tracker_that_does_not_answer_has_no_valid_queue() =>
        Assert.False((await new PinQueueInformer(5, Ttl, _ => Task.FromResult<long?>(null)).FindAsync(default))[0].Valid);

    [Fact]
    public async Task Every_tag_is_a_metric_to_spread_over()
    {
        var informer = new TagsInformer(new Dictionary<string, string> { ["zone"] = "a", ["group"] = "default" }, Ttl);
        Assert.Equal([new Finding("tag:group", "default", true, 0, true), new Finding("tag:zone", "a", true, 0, true)], await informer.FindAsync(default));
    }

    [Fact]
    public async Task Without_tags_nothing_valid_is_found() =>
        Assert.Equal([new Finding("tag:none", "", false)], await new TagsInformer(new Dictionary<string, string>(), Ttl).FindAsync(default));

    [Fact]
    public async Task An_informer_whose_findings_hold_for_months_goes_on()
    {
        var patience = TimeSpan.FromSeconds(60);
        using var stop = new CancellationTokenSource();
        var hub = new MetricHub(TimeProvider.System);
        var tags = new TagsInformer(new Dictionary<string, string> { ["zone"] = "a" }, TimeSpan.FromDays(200));
        var loop = new InformerLoop(tags, Peers.Peer(1), hub, TimeProvider.System, failure => Assert.Fail(failure.ToString()));
        var running = loop.RunAsync(stop.Token);
        await loop.RunNowAsync(default).WaitAsync(patience);
        await loop.RunNowAsync(default).WaitAsync(patience);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(patience));
    }

    [Fact]
    public async Task The_number_of_pins_has_no_weight() =>
        Assert.Equal([new Finding("numpin", "3", true)], await new NumPinInformer(Ttl, _ => Task.FromResult<long?>(3)).FindAsync(default));

    [Fact]
    public async Task A_ping_names_the_peer_and_its_daemon_with_public_addresses_only()
    {
        var daemon = new DaemonIdentity("12D3KooWRawPbxPtP1eZaJpumGnyWX2DcUyd3RQnydr3eAto4Az7", ["/ip4/127.0.0.1/tcp/4001", "/ip4/8.8.8.8/tcp/4001", "/dns4/ipfs.example.org/tcp/4001"]);
        var informer = new PingInformer("peer1", TimeSpan.FromSeconds(15), () => daemon);
        Assert.Equal(
            "{\"peer_name\":\"peer1\",\"ipfs_id\":\"12D3KooWRawPbxPtP1eZaJpumGnyWX2DcUyd3RQnydr3eAto4Az7\","
            + "\"ipfs_addresses\":[\"/ip4/8.8.8.8/tcp/4001\",\"/dns4/ipfs.example.org/tcp/4001\"]}",
            (await informer.FindAsync(default))[0].Value);
        Assert.Equal(Ttl, informer.TimeToLive);
    }

    [Fact]
    public async Task A_ping_without_a_daemon_names_the_peer() =>
        Assert.Equal("{\"peer_name\":\"peer1\"}", (await new PingInformer("peer1", Ttl, () => null).FindAsync(default))[0].Value);

    private static Task<IReadOnlyList<Finding>> Disk(DiskMetric metric, (ulong, ulong)? size) =>
        new DiskInformer(metric, Ttl, _ => Task.FromResult(size)).FindAsync(default);
}
