using Cluster.Model;
using Cluster.PinState.Changes;
using Cluster.PinState.Records;
using Cluster.Storage;
using Ipld;

namespace Cluster.PinState.Tests;

public sealed class PinStoreTests : IDisposable
{
    private readonly StoreFixture _fixture = new(new PinStoreOptions { MaxRemovals = 4 });

    private PinStore Store => _fixture.Store;

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void A_pin_is_found_after_a_restart()
    {
        _fixture.Put(StoreFixture.Pin(1, "one"));
        _fixture.Reopen();

        Assert.Equal("one", Store.Find(StoreFixture.Cid(1))!.Options.Name);
        Assert.Null(Store.Find(StoreFixture.Cid(2)));
        Assert.True(Store.Contains(StoreFixture.Cid(1)));
        Assert.Equal(1UL, Store.Totals.Count);
        Assert.Equal(1UL, Store.Totals.Sequence);
    }

    [Fact]
    public void What_is_not_committed_leaves_no_trace()
    {
        using (var transaction = Store.Begin())
        {
            transaction.Put(StoreFixture.Pin(1));
            Assert.NotNull(transaction.Find(StoreFixture.Cid(1)));
        }

        Assert.Equal(0UL, Store.Totals.Count);
        Assert.Equal(0UL, Store.Totals.Sequence);
        Assert.Empty(_fixture.List());
    }

    [Fact]
    public void A_transaction_sees_its_own_changes()
    {
        using var transaction = Store.Begin();
        Assert.Equal(1UL, transaction.Put(StoreFixture.Pin(1, "a")));
        Assert.Equal(2UL, transaction.Put(StoreFixture.Pin(1, "b")));
        Assert.Equal("b", transaction.Find(StoreFixture.Cid(1))!.Options.Name);
        Assert.True(transaction.Remove(StoreFixture.Cid(1)));
        Assert.False(transaction.Remove(StoreFixture.Cid(1)));
        Assert.Null(transaction.Find(StoreFixture.Cid(1)));
        Assert.Equal(4UL, transaction.Put(StoreFixture.Pin(1, "c")));
        Assert.Equal(4UL, transaction.Commit(Durability.Synced));

        Assert.Equal("c", Assert.Single(_fixture.List()).Options.Name);
        Assert.Equal(1UL, Store.Totals.Count);
    }

    [Fact]
    public void Indexes_follow_the_pin()
    {
        var (a, b) = (StoreFixture.Peer(1), StoreFixture.Peer(2));
        var expiring = StoreFixture.Pin(3, "x", a) with { };
        expiring = expiring with { Options = expiring.Options with { ExpireAt = GoTime.FromUnix(2_000_000_000) } };
        _fixture.Put(StoreFixture.Pin(1, "x", a, b), StoreFixture.Pin(2, "x\0y"), expiring);

        using (var snapshot = Store.CreateSnapshot())
        {
            Assert.Equal([1, 3], Numbers(snapshot.Named("x")));
            Assert.Equal([2], Numbers(snapshot.Named("x\0y")));
            Assert.Equal([1, 3], Numbers(snapshot.AllocatedTo(a)));
            Assert.Equal([1], Numbers(snapshot.AllocatedTo(b)));
            Assert.Equal([3], Numbers(snapshot.ExpiringBefore(2_000_000_001)));
            Assert.Empty(Numbers(snapshot.ExpiringBefore(2_000_000_000)));
            Assert.Equal([3, 2, 1], Numbers(snapshot.Created(0, long.MaxValue, newestFirst: true)));
            Assert.Equal([2], Numbers(snapshot.Created(1_700_000_002, 1_700_000_003, newestFirst: false)));
        }

        _fixture.Put(StoreFixture.Pin(1, "z", b));
        _fixture.Remove(3);
        using (var snapshot = Store.CreateSnapshot())
        {
            Assert.Empty(Numbers(snapshot.Named("x")));
            Assert.Equal([1], Numbers(snapshot.Named("z")));
            Assert.Empty(Numbers(snapshot.AllocatedTo(a)));
            Assert.Empty(Numbers(snapshot.ExpiringBefore(long.MaxValue)));
            Assert.Equal([1, 2], Numbers(snapshot.Created(0, long.MaxValue, newestFirst: false)));
        }
    }

    [Fact]
    public void A_listing_is_filtered_and_goes_on_where_it_was_cut()
    {
        var (a, b) = (StoreFixture.Peer(1), StoreFixture.Peer(2));
        var meta = StoreFixture.Pin(4) with { Type = PinType.Meta, Reference = StoreFixture.Cid(5), MaxDepth = 0 };
        _fixture.Put(StoreFixture.Pin(1, "x", a), StoreFixture.Pin(2, "y", b), StoreFixture.Pin(3, "x"), meta);

        Assert.Equal([1, 2, 3, 4], Numbers(_fixture.List()));
        Assert.Equal([1, 3], Numbers(_fixture.List(new PinFilter { HeldBy = a })));
        Assert.Equal([1, 3], Numbers(_fixture.List(new PinFilter { Name = "x" })));
        Assert.Equal([3, 4], Numbers(_fixture.List(new PinFilter { Name = "" }).Concat(_fixture.List(new PinFilter { After = StoreFixture.Cid(2) })).DistinctBy(p => p.Cid)).Order());
        Assert.Equal([4], Numbers(_fixture.List(new PinFilter { Types = PinType.Meta })));
        Assert.Equal([1, 2, 3], Numbers(_fixture.List(new PinFilter { Types = PinType.Data })));
        Assert.Equal([3], Numbers(_fixture.List(new PinFilter { After = StoreFixture.Cid(1), Name = "x" })));
        Assert.Equal(3UL, Store.Totals.CountOf(PinType.Data));
        Assert.Equal(1UL, Store.Totals.CountOf(PinType.Meta));
        Assert.Equal(4UL, Store.Totals.Count);
    }

    [Fact]
    public void A_snapshot_does_not_move()
    {
        _fixture.Put(StoreFixture.Pin(1));
        using var snapshot = Store.CreateSnapshot();
        _fixture.Put(StoreFixture.Pin(2));
        _fixture.Remove(1);

        Assert.Equal(1UL, snapshot.Totals.Sequence);
        Assert.NotNull(snapshot.Find(StoreFixture.Cid(1)));
        using var cursor = snapshot.List();
        Assert.True(cursor.MoveNext());
        Assert.Equal(1UL, cursor.Sequence);
        Assert.False(cursor.MoveNext());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Changes_are_read_from_any_number_on(bool afterRestart)
    {
        _fixture.Put(StoreFixture.Pin(1, "a"), StoreFixture.Pin(2), StoreFixture.Pin(3));
        _fixture.Put(StoreFixture.Pin(1, "b"));
        _fixture.Remove(2);
        if (afterRestart)
            _fixture.Reopen();

        Assert.Equal([(4UL, ChangeKind.Put, 1), (5UL, ChangeKind.Removed, 2)], Changes(3));
        Assert.Equal([(5UL, ChangeKind.Removed, 2)], Changes(4));
        Assert.Empty(Changes(5));
        Assert.False(Store.TryReadChanges(6, 10, 1000, []));

        // On disk only the last change of a CID is left; whoever replays it ends with the same state.
        var replay = Changes(0);
        Assert.Equal((5UL, ChangeKind.Removed, 2), replay[^1]);
        Assert.Contains((4UL, ChangeKind.Put, 1), replay);
        Assert.Contains((3UL, ChangeKind.Put, 3), replay);
        if (afterRestart)
            Assert.DoesNotContain((1UL, ChangeKind.Put, 1), replay);
    }

    [Fact]
    public void A_read_of_changes_is_bounded()
    {
        for (var i = 0; i < 10; i++)
            _fixture.Put(StoreFixture.Pin(i));
        var some = new List<StateChange>();
        Assert.True(Store.TryReadChanges(0, 3, 1 << 20, some));
        Assert.Equal(3, some.Count);
        some.Clear();
        Assert.True(Store.TryReadChanges(0, 100, 1, some));
        Assert.Single(some);
    }

    [Fact]
    public void Old_removals_are_forgotten_and_a_late_follower_is_told()
    {
        for (var i = 0; i < 12; i++)
            _fixture.Put(StoreFixture.Pin(i));
        for (var i = 0; i < 10; i++)
            _fixture.Remove(i);

        Assert.True(Store.Totals.Forgotten > 12);
        Assert.False(Store.TryReadChanges(12, 100, 1 << 20, []));
        Assert.True(Store.TryReadChanges(Store.Totals.Forgotten, 100, 1 << 20, []));
        _fixture.Reopen();
        Assert.False(Store.TryReadChanges(12, 100, 1 << 20, []));
        Assert.Equal(2UL, Store.Totals.Count);
    }

    [Fact]
    public async Task A_waiting_follower_is_woken_by_the_next_change()
    {
        _fixture.Put(StoreFixture.Pin(1));
        await Store.WaitForChangeAsync(0, CancellationToken.None);
        var waiting = Store.WaitForChangeAsync(1, CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        _fixture.Put(StoreFixture.Pin(2));
        await waiting.WaitAsync(TimeSpan.FromSeconds(60));
        using var cancelled = new CancellationTokenSource(0);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.WaitForChangeAsync(2, cancelled.Token));
    }

    [Fact]
    public void A_replacement_takes_place_at_its_end_and_begins_another_epoch()
    {
        _fixture.Put(StoreFixture.Pin(1), StoreFixture.Pin(2));
        var before = Store.Totals;
        using (var replacement = Store.BeginReplacement())
        {
            replacement.Add(StoreFixture.Pin(7, "first"));
            replacement.Add(StoreFixture.Pin(8));
            replacement.Add(StoreFixture.Pin(7, "last"));
            Assert.Equal([1, 2], Numbers(_fixture.List()));
            Assert.Throws<InvalidOperationException>(Store.BeginReplacement);
            replacement.Finish();
        }

        _fixture.Reopen();
        Assert.Equal([7, 8], Numbers(_fixture.List()));
        Assert.Equal("last", Store.Find(StoreFixture.Cid(7))!.Options.Name);
        Assert.Equal(2UL, Store.Totals.Count);
        Assert.False(Store.Totals.Epoch.Span.SequenceEqual(before.Epoch.Span));
        Assert.True(Store.Totals.Sequence > before.Sequence);
        Assert.False(Store.TryReadChanges(before.Sequence, 10, 1000, []));

        // The other generation is used again.
        using (var replacement = Store.BeginReplacement())
        {
            replacement.Add(StoreFixture.Pin(9));
            replacement.Finish();
        }

        Assert.Equal([9], Numbers(_fixture.List()));
        using var snapshot = Store.CreateSnapshot();
        Assert.Equal([9], Numbers(snapshot.Created(0, long.MaxValue, false)));
    }

    [Fact]
    public void A_replacement_that_is_given_up_changes_nothing()
    {
        _fixture.Put(StoreFixture.Pin(1));
        using (var replacement = Store.BeginReplacement())
            replacement.Add(StoreFixture.Pin(7));
        _fixture.Reopen();
        Assert.Equal([1], Numbers(_fixture.List()));
        using var transaction = Store.Begin();
        Assert.Equal(2UL, transaction.Put(StoreFixture.Pin(2)));
    }

    [Fact]
    public void A_replacement_that_cannot_begin_leaves_the_place_to_the_next()
    {
        _fixture.Put(StoreFixture.Pin(1));
        var folder = _fixture.Database.Path;
        _fixture.Database.Dispose();
        using (var unwritable = Database.Open(folder, new DatabaseOptions { Format = PinStore.Format, ReadOnly = true }))
        {
            var store = PinStore.Open(unwritable);
            Assert.Throws<StorageException>(store.BeginReplacement);
            Assert.Throws<StorageException>(store.BeginReplacement);
        }

        _fixture.Reopen();
    }

    [Fact]
    public async Task A_pin_of_the_old_and_the_new_state_is_found_all_the_time()
    {
        _fixture.Put(StoreFixture.Pin(1));
        using var stop = new CancellationTokenSource();
        var missed = 0;
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Factory.StartNew(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    if (Store.Find(StoreFixture.Cid(1)) is null || !Store.Contains(StoreFixture.Cid(1)))
                        Interlocked.Increment(ref missed);
                }
            },
            TaskCreationOptions.LongRunning)).ToArray();
        for (var i = 0; i < 300; i++)
        {
            using var replacement = Store.BeginReplacement();
            replacement.Add(StoreFixture.Pin(1));
            replacement.Finish();
        }

        await stop.CancelAsync();
        await Task.WhenAll(readers);
        Assert.Equal(0, missed);
    }

    [Fact]
    public void A_view_of_a_record_agrees_with_the_pin()
    {
        var (a, b) = (StoreFixture.Peer(1), StoreFixture.Peer(2));
        var view = new PinRecordView(PinRecord.ToBytes(StoreFixture.Pin(1, "näme", a)));
        Assert.True(view.IsHeldBy(a));
        Assert.False(view.IsHeldBy(b));
        Assert.Equal("näme"u8.ToArray(), view.Name.ToArray());
        Assert.Equal(1_700_000_001, view.Created);
        Assert.False(view.HasExpiry);
        Assert.True(new PinRecordView(PinRecord.ToBytes(StoreFixture.Pin(1))).IsHeldBy(b));
    }

    private static int[] Numbers(IndexCursor cursor)
    {
        using (cursor)
        {
            var numbers = new List<int>();
            while (cursor.MoveNext())
                numbers.Add(Number(cursor.Cid));
            return [.. numbers];
        }
    }

    private static int[] Numbers(IEnumerable<Pin> pins) => [.. pins.Select(p => Number(p.Cid))];

    private static int Number(Cid cid) => BitConverter.ToInt32(cid.Bytes[4..]);

    private List<(ulong Sequence, ChangeKind Kind, int Number)> Changes(ulong after)
    {
        var changes = new List<StateChange>();
        Assert.True(Store.TryReadChanges(after, 1000, 1 << 20, changes));
        return [.. changes.Select(c => (c.Sequence, c.Kind, Number(PinRecord.Read(c.Record.Span).Cid)))];
    }
}
