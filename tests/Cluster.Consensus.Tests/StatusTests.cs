using Cluster.Consensus.Clients;
using Cluster.Consensus.Status;
using Cluster.Model;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests;

public sealed class StatusTests : IAsyncLifetime
{
    private readonly Peer _peer = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _peer.DisposeAsync().AsTask();

    [Fact]
    public async Task A_pin_is_reported_by_the_tracker_as_of_its_own_change()
    {
        _peer.HaveFreeSpace(0);
        await _peer.PinAsync(Peer.Request(1, new PinOptions { Name = "n", Metadata = Metadata.From([new("k", "v")]) }));
        _peer.Tracker.Known[Peer.Cid(1)] = FakeTracker.Report(Peer.Cid(1), V1.TrackerStatus.Pinning);

        var status = await _peer.Status.StatusAsync(Peer.Cid(1), local: false, CancellationToken.None);

        Assert.Equal((Peer.Cid(1), 1UL), Assert.Single(_peer.Tracker.Asked));
        Assert.True(status.InPinset);
        Assert.Equal("n", status.Name);
        Assert.Equal("v", status.Metadata["k"]);
        var entry = Assert.Single(status.Peers);
        Assert.Equal(V1.TrackerStatus.Pinning, entry.Status);
        Assert.Equal(Peer.Self.ToBytes(), entry.Peer.ToByteArray());
        Assert.Equal("peer1", entry.PeerName);
        Assert.Equal("ipfs0", entry.IpfsPeerId);
        Assert.True(entry.Cid.IsEmpty);
    }

    [Fact]
    public async Task What_is_not_in_the_pinset_is_unpinned_and_created_now()
    {
        _peer.Tracker.Known[Peer.Cid(1)] = FakeTracker.Report(Peer.Cid(1), V1.TrackerStatus.Unpinning);
        var status = await _peer.Status.StatusAsync(Peer.Cid(1), local: false, CancellationToken.None);
        Assert.False(status.InPinset);
        Assert.Equal(_peer.Clock.GetUtcNow().ToUnixTimeSeconds(), status.Created.Seconds);
        Assert.Equal(V1.TrackerStatus.Unpinned, Assert.Single(status.Peers).Status);

        var local = await _peer.Status.StatusAsync(Peer.Cid(1), local: true, CancellationToken.None);
        Assert.Equal(V1.TrackerStatus.Unpinning, Assert.Single(local.Peers).Status);
        Assert.Null(local.Created);
    }

    [Fact]
    public async Task A_failed_unpin_shows_and_can_be_recovered()
    {
        _peer.Tracker.Known[Peer.Cid(1)] = FakeTracker.Report(Peer.Cid(1), V1.TrackerStatus.UnpinError, "no");
        var status = await _peer.Status.StatusAsync(Peer.Cid(1), local: false, CancellationToken.None);
        Assert.Equal((V1.TrackerStatus.UnpinError, "no"), (status.Peers[0].Status, status.Peers[0].Error));

        foreach (var local in new[] { false, true })
        {
            var recovered = await _peer.Status.RecoverAsync(Peer.Cid(1), local, CancellationToken.None);
            Assert.Equal(V1.TrackerStatus.UnpinQueued, Assert.Single(recovered.Peers).Status);
        }

        var unknown = await Assert.ThrowsAsync<ClusterException>(
            async () => await _peer.Status.RecoverAsync(Peer.Cid(2), local: true, CancellationToken.None));
        Assert.Equal(ClusterErrorKind.NotFound, unknown.Kind);
    }

    [Fact]
    public async Task Holders_that_cannot_be_reached_are_errors_and_others_remote()
    {
        await _peer.ForceAsync(Peer.Request(1, Peer.Factors(1, 1)) with { Allocations = [Peer.Id(5)] });
        var status = await _peer.Status.StatusAsync(Peer.Cid(1), local: false, CancellationToken.None);
        Assert.Equal(
            [(Peer.Self, V1.TrackerStatus.Remote), (Peer.Id(5), V1.TrackerStatus.ClusterError)],
            status.Peers.Select(p => (PeerId.FromBytes(p.Peer.Span), p.Status)));
        Assert.Empty(_peer.Tracker.Asked);
    }

    [Fact]
    public async Task A_listing_passes_the_mask_on_and_wraps_each_report()
    {
        for (var i = 0; i < 10; i++)
            _peer.Tracker.Known[Peer.Cid(i)] = FakeTracker.Report(Peer.Cid(i), i % 2 == 0 ? V1.TrackerStatus.Pinned : V1.TrackerStatus.PinError);
        var items = await ListAsync((int)V1.TrackerStatus.Pinned);
        Assert.Equal(5, items.Count);
        Assert.All(items, i => Assert.Equal("peer1", Assert.Single(i.Peers).PeerName));

        _peer.Tracker.Failure = new ClusterException(ClusterErrorKind.Unavailable, "away");
        await Assert.ThrowsAsync<ClusterException>(() => ListAsync(0));
    }

    [Fact]
    public async Task A_listing_of_one_peer_has_every_field_in_its_place()
    {
        _peer.HaveFreeSpace(0);
        var report = FakeTracker.Report(Peer.Cid(1), V1.TrackerStatus.PinError, "no");
        report.Name = "näme";
        report.Allocations.Add(Google.Protobuf.ByteString.CopyFrom(Peer.Id(1).Bytes));
        report.Origins.Add(Google.Protobuf.ByteString.CopyFrom(4, 1, 2, 3, 4));
        report.Created = new V1.Time { Seconds = 77 };
        report.Metadata["k"] = "v";
        report.Metadata["l"] = "";
        report.InPinset = true;
        report.AttemptCount = 300;
        report.PriorityPin = true;
        _peer.Tracker.Known[Peer.Cid(1)] = report;
        _peer.Tracker.Known[Peer.Cid(2)] = FakeTracker.Report(Peer.Cid(2), V1.TrackerStatus.Pinned);

        var reports = new StatusReports(_peer.SelfPeer, _peer.Metrics, _peer.Clock);
        var items = await ListAsync(0);
        foreach (var (item, known) in items.Zip([Peer.Cid(1), Peer.Cid(2)]))
        {
            var expected = StatusReports.Begin(_peer.Tracker.Known[known]);
            expected.Peers.Add(reports.Entry(Peer.Self, _peer.Tracker.Known[known].Clone()));
            Assert.Equal(expected, item);
        }
    }

    [Fact]
    public void A_damaged_page_is_a_format_error_and_nothing_else()
    {
        var page = FakeTracker.Page([FakeTracker.Report(Peer.Cid(1), V1.TrackerStatus.PinError, "text")]).Message.ToArray();
        using var transcoder = new StatusTranscoder(new V1.PinInfo());
        using var batch = new Services.RawMessage(16);
        var random = new Random(3);
        for (var i = 0; i < 5000; i++)
        {
            var bytes = page.ToArray()[..random.Next(page.Length + 1)];
            for (var j = random.Next(4); j > 0 && bytes.Length > 0; j--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                transcoder.Transcode(bytes, batch);
            }
            catch (FormatException)
            {
            }
        }
    }

    [Fact]
    public async Task Sorted_streams_of_peers_merge_into_one()
    {
        var reports = new StatusReports(_peer.SelfPeer, _peer.Metrics, _peer.Clock);
        await using var merge = new StatusMerge(reports);
        merge.Add(Peer.Id(1), _ => Stream(1, 2, 3, 4), CancellationToken.None);
        merge.Add(Peer.Id(2), _ => Stream(2, 4, 5), CancellationToken.None);
        merge.Add(Peer.Id(3), _ => throw new ClusterException(ClusterErrorKind.Unavailable, "down"), CancellationToken.None);
        merge.Add(Peer.Id(4), _ => throw new ClusterException(ClusterErrorKind.NotTrusted, "no"), CancellationToken.None);

        var found = (await AllAsync(merge)).Select(item =>
            $"{BitConverter.ToInt32(item.Cid.Span[4..])}:{string.Join(',', item.Peers.Select(p => $"{p.Peer[^4]}{(p.Error.Length > 0 ? "!" : "")}"))}");

        Assert.Equal(["1:1,3!", "2:1,2,3!", "3:1,3!", "4:1,2,3!", "5:2,3!"], found);
    }

    [Fact]
    public async Task A_peer_that_lists_out_of_order_counts_as_failed_from_there()
    {
        await using var merge = new StatusMerge(new StatusReports(_peer.SelfPeer, _peer.Metrics, _peer.Clock));
        merge.Add(Peer.Id(1), _ => Stream(1, 2, 3, 4), CancellationToken.None);
        merge.Add(Peer.Id(2), _ => Stream(1, 3, 2), CancellationToken.None);

        var items = await AllAsync(merge);
        Assert.Equal([1, 2, 3, 4], items.Select(i => BitConverter.ToInt32(i.Cid.Span[4..])));
        Assert.Equal(2, items[2].Peers.Count);
        Assert.Empty(items[2].Peers[1].Error);
        Assert.Contains("out of order", items[3].Peers[1].Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Also_within_a_page_what_is_out_of_order_fails_its_peer_alone()
    {
        await using var merge = new StatusMerge(new StatusReports(_peer.SelfPeer, _peer.Metrics, _peer.Clock));
        merge.Add(Peer.Id(1), _ => Stream(1, 2, 3, 4), CancellationToken.None);
        merge.Add(Peer.Id(2), _ => Stream(2, 1), CancellationToken.None);

        var items = await AllAsync(merge);
        Assert.Equal([1, 2, 3, 4], items.Select(i => BitConverter.ToInt32(i.Cid.Span[4..])));
        Assert.Equal(["", ""], items[1].Peers.Select(p => p.Error));
        Assert.Contains("out of order", items[2].Peers[1].Error, StringComparison.Ordinal);
    }

    [Theory, InlineData(typeof(IOException)), InlineData(typeof(OperationCanceledException)), InlineData(typeof(InvalidOperationException))]
    public async Task However_a_peer_fails_the_others_are_listed(Type failure)
    {
        await using var merge = new StatusMerge(new StatusReports(_peer.SelfPeer, _peer.Metrics, _peer.Clock));
        merge.Add(Peer.Id(1), _ => Stream(1, 2), CancellationToken.None);
        merge.Add(Peer.Id(2), _ => throw (Exception)Activator.CreateInstance(failure, "no space left")!, CancellationToken.None);

        var items = await AllAsync(merge);
        Assert.Equal([1, 2], items.Select(i => BitConverter.ToInt32(i.Cid.Span[4..])));
        Assert.All(items, i => Assert.Equal(["", "no space left"], i.Peers.Select(p => p.Error)));
    }

    [Fact]
    public async Task When_all_peers_fail_the_list_fails()
    {
        await using var merge = new StatusMerge(new StatusReports(_peer.SelfPeer, _peer.Metrics, _peer.Clock));
        merge.Add(Peer.Id(1), _ => throw new ClusterException(ClusterErrorKind.Unavailable, "first"), CancellationToken.None);
        merge.Add(Peer.Id(2), _ => throw new ClusterException(ClusterErrorKind.Unavailable, "second"), CancellationToken.None);
        var error = await Assert.ThrowsAsync<ClusterException>(() => AllAsync(merge));
        Assert.Equal("first", error.Message);
    }

    private static async Task<List<V1.GlobalPinInfo>> AllAsync(StatusMerge merge)
    {
        var items = new List<V1.GlobalPinInfo>();
        using var message = new Services.RawMessage(1024);
        while (await merge.NextAsync(message))
        {
            items.AddRange(V1.GlobalPinInfoBatch.Parser.ParseFrom(message.Span).Items);
            message.Clear();
        }

        return items;
    }

    private async Task<List<V1.GlobalPinInfo>> ListAsync(int mask)
    {
        var items = new List<V1.GlobalPinInfo>();
        await _peer.Listing.StatusAllAsync(
            mask,
            local: false,
            message =>
            {
                items.AddRange(V1.GlobalPinInfoBatch.Parser.ParseFrom(message.Span).Items);
                return Task.CompletedTask;
            },
            CancellationToken.None);
        return items;
    }

    private static async IAsyncEnumerable<StatusPage> Stream(params int[] numbers)
    {
        foreach (var chunk in numbers.Chunk(2))
        {
            await Task.Yield();
            yield return FakeTracker.Page(chunk.Select(n => FakeTracker.Report(Peer.Cid(n), V1.TrackerStatus.Pinned)));
        }
    }
}
