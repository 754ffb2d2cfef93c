using System.Runtime.CompilerServices;
using Cluster.Consensus.Clients;
using Cluster.Consensus.Rpc;
using Cluster.Consensus.Status;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>Statuses of everything, over several peers.</summary>
public sealed class ListingTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_long_list_of_three_peers_comes_whole_and_in_small_messages()
    {
        const int Pins = 20_000;
        var tracker = new LongListTracker(Pins);
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(3, tracker: _ => tracker));
        int items = 0, entries = 0, largest = 0;
        Cid previous = default;
        await cluster[0].Listing.StatusAllAsync(
            0,
            local: false,
            message =>
            {
                largest = Math.Max(largest, message.Length);
                foreach (var item in V1.GlobalPinInfoBatch.Parser.ParseFrom(message.Span).Items)
                {
                    items++;
                    entries += item.Peers.Count;
                    var cid = Cid.FromBytes(item.Cid.Span);
                    Assert.True(previous.CompareTo(cid) < 0);
                    Assert.Equal(3, item.Allocations.Count);
                    previous = cid;
                }

                return Task.CompletedTask;
            },
            CancellationToken.None).WaitAsync(Limit);
        Assert.Equal((Pins, 3 * Pins), (items, entries));
        Assert.InRange(largest, 1, 256 << 10);
    }

    [Fact]
    public async Task A_reader_who_waits_holds_the_peers_back()
    {
        const int Pins = 200_000;
        var pins = new LongListTracker(Pins);
        var trackers = Enumerable.Range(0, 3).Select(_ => new CountingTracker(pins)).ToArray();
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(3, tracker: n => trackers[n]));
        using var giveUp = new CancellationTokenSource();
        var reading = new TaskCompletionSource();
        var listing = cluster[0].Listing.StatusAllAsync(
            0,
            local: false,
            async _ =>
            {
                reading.TrySetResult();
                await Task.Delay(Timeout.Infinite, giveUp.Token);
            },
            giveUp.Token);
        await reading.Task.WaitAsync(Limit);

        // Nobody reads: the peers stop once the queues between are full.
        await Task.WhenAll(trackers.Select(t => t.Begun)).WaitAsync(Limit);
        await cluster[0].RoundTripsAsync(cluster[1]);
        await cluster[0].RoundTripsAsync(cluster[2]);
        Assert.All(trackers, t => Assert.InRange(t.Listed, 1, Pins / 2));

        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => listing).WaitAsync(Limit);
        await cluster.IdleAsync();
    }

    [Fact]
    public async Task A_peer_that_lists_in_the_originals_order_is_sorted_first()
    {
        const int Pins = 3000;
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2));
        var random = new Random(5);
        var cids = Enumerable.Range(0, Pins).Select(_ =>
        {
            var bytes = new byte[36];
            random.NextBytes(bytes);
            new byte[] { 1, 0x55, 0x12, 32 }.CopyTo(bytes, 0);
            return Cid.FromBytes(bytes);
        }).ToList();
        foreach (var cid in cids)
            cluster[0].Core.Tracker.Known[cid] = FakeTracker.Report(cid, V1.TrackerStatus.Pinned);
        await using var original = await OldPeer.StartAsync([.. cids.OrderBy(c => c.ToDatastoreKey(), StringComparer.Ordinal)]);
        cluster[0].Consensus.Members.Remove(cluster[1].Id);
        cluster[0].Consensus.Members.Add(original.Id);
        cluster[0].Host.Peerstore.AddAddresses(original.Id, original.Addresses, AddressTtl.Permanent);

        for (var round = 0; round < 2; round++)
        {
            var items = await cluster[0].StatusesAsync();
            Assert.Equal(cids.Order(), items.Select(i => Cid.FromBytes(i.Cid.Span)));
            Assert.All(items, i => Assert.Equal(2, i.Peers.Count));
            Assert.All(items, i => Assert.All(i.Peers, p => Assert.Empty(p.Error)));
        }

        // It was asked for the sorted list once.
        Assert.Equal(["PinTracker.StatusAllSorted", "PinTracker.StatusAll", "PinTracker.StatusAll"], original.Asked);
    }

    [Theory, InlineData(0), InlineData(1), InlineData(10_000)]
    public async Task Sorting_needs_no_more_memory_than_a_run(int count)
    {
        var random = new Random(count);
        var numbers = Enumerable.Range(0, count).ToArray();
        random.Shuffle(numbers);
        var sorted = new List<int>();
        await foreach (var page in SortedPages.OfAsync(PagesAsync(numbers), CancellationToken.None, runBytes: 20_000))
            sorted.AddRange(page.Decode().Items.Select(i => BitConverter.ToInt32(i.Cid.Span[4..])));
        Assert.Equal(numbers.OrderBy(Peer.Cid), sorted);
    }

    [Fact]
    public async Task Of_rows_with_the_same_cid_the_last_remains()
    {
        foreach (var run in new[] { 100, 1 << 20 })
        {
            var rows = new List<V1.PinInfo>();
            await foreach (var page in SortedPages.OfAsync(PagesAsync([.. Enumerable.Repeat(new[] { 3, 1, 2 }, 50).SelectMany(n => n)]), CancellationToken.None, run))
                rows.AddRange(page.Decode().Items);
            Assert.Equal([(1, 148), (2, 149), (3, 147)], rows.Select(r => (BitConverter.ToInt32(r.Cid.Span[4..]), r.AttemptCount)));
        }
    }

    [Fact]
    public async Task A_member_that_cannot_be_reached_is_an_error_of_every_item()
    {
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2));
        var dead = PrivateKey.GenerateEd25519().PeerId;
        cluster[0].Consensus.Members.Add(dead);
        cluster[0].Host.Peerstore.AddAddresses(dead, [Multiaddr.Parse("/ip4/127.0.0.1/tcp/9")], AddressTtl.Permanent);
        var everywhere = FakeTracker.Report(Peer.Cid(1), V1.TrackerStatus.Pinned);
        var elsewhere = FakeTracker.Report(Peer.Cid(2), V1.TrackerStatus.Pinned);
        elsewhere.Allocations.Add(StatusReports.Wrap(cluster[1].Id));
        foreach (var peer in cluster)
        {
            peer.Core.Tracker.Known[Peer.Cid(1)] = everywhere;
            peer.Core.Tracker.Known[Peer.Cid(2)] = elsewhere;
        }

        var items = await cluster[0].StatusesAsync();
        var failed = Assert.Single(items[0].Peers, p => p.Status == V1.TrackerStatus.ClusterError);
        Assert.Equal(dead.ToBytes(), failed.Peer.ToByteArray());
        Assert.Equal($"failed to dial: failed to dial {dead}: all dials failed\n  * [/ip4/127.0.0.1/tcp/9] dial tcp4 127.0.0.1:9: connect: connection refused", failed.Error);
        Assert.Equal((3, 3), (items[0].Peers.Count, items[1].Peers.Count));
    }

    [Fact]
    public async Task A_member_that_does_not_trust_us_is_left_out()
    {
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(3));
        cluster[2].Consensus.Trusted.Remove(cluster[0].Id);
        await cluster[0].Core.ForceAsync(Peer.Request(1, Peer.Factors(-1, -1)));
        foreach (var peer in cluster)
            peer.Core.Tracker.Known[Peer.Cid(1)] = FakeTracker.Report(Peer.Cid(1), V1.TrackerStatus.Pinned);

        var expected = cluster.Take(2).Select(p => p.Id).Order();
        Assert.Equal(expected, Assert.Single(await cluster[0].StatusesAsync()).Peers.Select(p => PeerId.FromBytes(p.Peer.Span)).Order());
        var one = await cluster[0].Status.StatusAsync(Peer.Cid(1), local: false, CancellationToken.None);
        Assert.Equal(expected, one.Peers.Select(p => PeerId.FromBytes(p.Peer.Span)).Order());
        Assert.All(one.Peers, p => Assert.Equal(V1.TrackerStatus.Pinned, p.Status));
    }

    [Fact]
    public async Task A_member_that_falls_silent_counts_as_failed()
    {
        var clock = new ManualClock();
        var silent = new SilentTracker();
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(
            2, tracker: n => n == 0 ? new LongListTracker(100, everywhere: true) : silent, clock: clock));
        var listing = cluster[0].StatusesAsync();
        await silent.FellSilent.WaitAsync(Limit);
        await clock.PassUntilAsync(listing, NetworkedPeer.Patient.Silence);
        var items = await listing;
        Assert.Equal(100, items.Count);
        Assert.Equal("context deadline exceeded", items[^1].Peers.Single(p => p.Status == V1.TrackerStatus.ClusterError).Error);
        await cluster.IdleAsync();
    }

    [Fact]
    public async Task A_cid_is_asked_only_of_its_holders()
    {
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(3));
        await cluster[0].Core.ForceAsync(Peer.Request(1, Peer.Factors(1, 1)) with { Allocations = [cluster[1].Id] });
        foreach (var peer in cluster)
            peer.Core.Tracker.Known[Peer.Cid(1)] = FakeTracker.Report(Peer.Cid(1), V1.TrackerStatus.Pinned);
        var status = await cluster[0].Status.StatusAsync(Peer.Cid(1), local: false, CancellationToken.None);
        Assert.Equal(
            cluster.Select(p => (p.Id, p == cluster[1] ? V1.TrackerStatus.Pinned : V1.TrackerStatus.Remote)).OrderBy(p => p.Id),
            status.Peers.Select(p => (PeerId.FromBytes(p.Peer.Span), p.Status)).OrderBy(p => p.Item1));
        Assert.Equal([0, 1, 0], cluster.Select(p => p.Core.Tracker.Asked.Count));
    }

    private static async IAsyncEnumerable<StatusPage> PagesAsync(IReadOnlyList<int> numbers)
    {
        var attempt = 0;
        foreach (var chunk in numbers.Chunk(7))
        {
            await Task.Yield();
            yield return FakeTracker.Page(chunk.Select(n =>
            {
                var row = FakeTracker.Report(Peer.Cid(n), V1.TrackerStatus.Pinned);
                row.AttemptCount = attempt++;
                return row;
            }));
        }
    }

    /// <summary>Counts what is listed.</summary>
    private sealed class CountingTracker(LongListTracker inner) : ITracker
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long _listed;

        /// <summary>Completes when the first page has been taken.</summary>
        public Task Begun => _begun.Task;

        public long Listed => Interlocked.Read(ref _listed);

        public ValueTask<V1.PinInfo> StatusAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<V1.PinInfo> RecoverAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken) => throw new NotSupportedException();

        public async IAsyncEnumerable<StatusPage> StatusAllAsync(
            int statusMask, ulong atLeastSequence, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var page in inner.StatusAllAsync(0, 0, cancellationToken))
            {
                yield return page;
                Interlocked.Add(ref _listed, 512);
                _begun.TrySetResult();
            }
        }

        public IAsyncEnumerable<StatusPage> RecoverAllAsync(ulong atLeastSequence, CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    /// <summary>Lists a few, and then says nothing more.</summary>
    private sealed class SilentTracker : ITracker
    {
        private readonly LongListTracker _inner = new(10, everywhere: true);
        private readonly TaskCompletionSource _silent = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task FellSilent => _silent.Task;

        public ValueTask<V1.PinInfo> StatusAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<V1.PinInfo> RecoverAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken) => throw new NotSupportedException();

        public async IAsyncEnumerable<StatusPage> StatusAllAsync(
            int statusMask, ulong atLeastSequence, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var page in _inner.StatusAllAsync(0, 0, cancellationToken))
                yield return page;
            _silent.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        public IAsyncEnumerable<StatusPage> RecoverAllAsync(ulong atLeastSequence, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
