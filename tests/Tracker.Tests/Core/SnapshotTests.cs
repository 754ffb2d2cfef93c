using Cluster.Tracker.Core;

namespace Cluster.Tracker.Tests.Core;

public class SnapshotTests
{
    [Fact]
    public void A_snapshot_unpins_what_it_does_not_have_and_leaves_settled_pins_alone()
    {
        var bench = new Bench();
        for (var i = 1; i <= 3; i++)
            bench.Track(i);
        for (var i = 1; i <= 3; i++)
            bench.Complete(i);
        bench.Track(4, kind: PinKind.Meta);

        bench.Tracker.BeginSnapshot();
        bench.Track(1);
        bench.Track(3);
        bench.Track(5);
        Assert.Null(bench.Tracker.Sweep(null, 100, bench.Now));
        bench.Take();

        Assert.False(bench.Tracker.InSnapshot);
        Assert.Equal(PinState.Pinned, bench.State(1));
        Assert.Equal(PinState.Unpinning, bench.State(2));
        Assert.Equal(PinState.Pinned, bench.State(3));
        Assert.Equal(PinState.Unpinned, bench.State(4));
        Assert.Equal(PinState.Pinning, bench.State(5));
    }

    [Fact]
    public void A_snapshot_of_another_life_unpins_nothing()
    {
        var bench = new Bench();
        bench.Track(1);
        bench.Complete(1);
        bench.Track(2);
        bench.Track(3);
        bench.Complete(3);
        bench.Take();

        bench.Tracker.BeginSnapshot(anotherLife: true);
        bench.Track(3);
        bench.Track(4);
        Assert.Null(bench.Tracker.Sweep(null, 100, bench.Now));

        Assert.Equal(PinState.Unpinned, bench.State(1));
        Assert.Equal(PinState.Unpinned, bench.State(2));
        Assert.Equal(PinState.Pinned, bench.State(3));
        Assert.Equal(PinState.Pinning, bench.State(4));
        Assert.Equal(0, bench.Tracker.Counts.UnpinQueued + bench.Tracker.Counts.Unpinning);
        bench.Track(1);
        Assert.Equal(PinState.Pinning, bench.State(1));
    }

    [Fact]
    public void A_snapshot_updates_what_a_status_shows()
    {
        var bench = new Bench();
        bench.Track(1);
        bench.Fail(1, "no");
        bench.Pass(TimeSpan.FromSeconds(5));
        bench.Tracker.BeginSnapshot();
        bench.Track(1);
        bench.Tracker.Sweep(null, 100, bench.Now);
        Assert.Equal((PinState.PinError, "no", bench.Now), (bench.State(1), bench.View(1).Error, bench.View(1).Pin!.Created));
        bench.Tick(bench.Settings.Backoff(1));
        Assert.Equal(PinState.Pinning, bench.State(1));
    }

    [Fact]
    public void A_snapshot_with_many_unknown_pins_leaves_them_to_the_comparison_with_the_daemon()
    {
        var bench = new Bench(new TrackerSettings { QueuedPerSnapshot = 2 });
        bench.Tracker.BeginSnapshot();
        for (var i = 1; i <= 4; i++)
            bench.Track(i);
        bench.Tracker.Sweep(null, 100, bench.Now);
        Assert.Equal(
            [PinState.Pinning, PinState.Pinning, PinState.UnexpectedlyUnpinned, PinState.UnexpectedlyUnpinned],
            Enumerable.Range(1, 4).Select(bench.State));
        bench.Track(5);
        Assert.Equal(PinState.Pinning, bench.State(5));
    }

    [Fact]
    public void A_pin_with_another_depth_in_the_snapshot_is_pinned_again()
    {
        var bench = new Bench();
        bench.Track(1, depth: 0);
        bench.Complete(1);
        bench.Tracker.BeginSnapshot();
        bench.Track(1, depth: -1);
        Assert.Equal(PinState.Pinning, bench.State(1));
    }

    [Fact]
    public void The_sweep_goes_in_pages()
    {
        var bench = new Bench();
        for (var i = 1; i <= 7; i++)
            bench.Track(i, here: false);
        foreach (var id in bench.Requests.Keys.ToArray())
            bench.Complete(id);
        bench.Tracker.BeginSnapshot();
        bench.Track(6, here: false);
        var pages = 0;
        for (var at = bench.Tracker.Sweep(null, 3, bench.Now); at is not null; at = bench.Tracker.Sweep(at, 3, bench.Now))
            pages++;
        bench.Take();
        Assert.Equal(2, pages);
        foreach (var id in bench.Requests.Keys.ToArray())
            bench.Complete(id);
        Assert.Equal(Bench.CidOf(6), Assert.Single(bench.Index.Rows).Cid);
    }
}
