using Cluster.Tracker.Core;

namespace Cluster.Tracker.Tests.Core;

public class OperationTests
{
    [Fact]
    public void A_pin_is_queued_then_pinning_then_pinned()
    {
        var bench = new Bench(connected: false);
        bench.Track(1);
        Assert.Equal(PinState.PinQueued, bench.State(1));
        Assert.Equal(0, bench.View(1).Attempts);
        bench.Connect();
        Assert.Equal(PinState.Pinning, bench.State(1));
        Assert.Equal(1, bench.View(1).Attempts);
        Assert.True(bench.View(1).Priority);
        bench.Complete(1);
        Assert.Equal(PinState.Pinned, bench.State(1));
        Assert.Equal(0, bench.View(1).Attempts);
        Assert.False(bench.View(1).Priority);
    }

    [Fact]
    public void A_failed_pin_keeps_its_error_until_it_is_recovered()
    {
        var bench = new Bench();
        bench.Track(1);
        bench.Fail(1, "context canceled");
        var view = bench.View(1);
        Assert.Equal((PinState.PinError, 1, true, "context canceled"), (view.State, view.Attempts, view.Priority, view.Error));
        Assert.True(bench.Recover(1));
        Assert.Equal((PinState.Pinning, 2, string.Empty), (bench.State(1), bench.View(1).Attempts, bench.View(1).Error));
        Assert.False(bench.Recover(1));
        bench.Complete(1);
        Assert.False(bench.Recover(1));
        Assert.Equal(PinState.Pinned, bench.State(1));
    }

    [Fact]
    public void Pinning_a_failed_one_again_counts_the_attempts_on()
    {
        var bench = new Bench();
        bench.Track(1);
        bench.Fail(1);
        bench.Track(1);
        Assert.Equal(2, bench.View(1).Attempts);
        bench.Complete(1);
        bench.Track(1);
        Assert.Equal(1, bench.View(1).Attempts);
    }

    [Fact]
    public void An_unpin_cancels_the_running_pin_and_starts_when_that_has_ended()
    {
        var bench = new Bench();
        bench.Track(1);
        var pin = bench.RequestOf(1);
        bench.Untrack(1);
        Assert.Contains(pin, bench.Cancelled);
        Assert.Equal(PinState.UnpinQueued, bench.State(1));
        bench.Fail(pin, "cancelled");
        Assert.Equal(PinState.Unpinning, bench.State(1));
        Assert.IsType<StartUnpin>(bench.Requests[bench.RequestOf(1)]);
        bench.Complete(1);
        Assert.Equal(PinState.Unpinned, bench.State(1));
        Assert.Empty(bench.Index.Rows);
    }

    [Fact]
    public void A_cancelled_request_that_does_not_end_is_waited_for_no_longer_than_the_grace()
    {
        var bench = new Bench();
        bench.Track(1);
        var pin = bench.RequestOf(1);
        bench.Untrack(1);
        bench.Tick(bench.Settings.CancelGrace - TimeSpan.FromMilliseconds(1));
        Assert.Equal(PinState.UnpinQueued, bench.State(1));
        Assert.NotNull(bench.Tracker.NextWake);
        bench.Tick(TimeSpan.FromMilliseconds(1));
        Assert.Equal(PinState.Unpinning, bench.State(1));
        bench.Tracker.Completed(pin, bench.Now);
        Assert.Equal(PinState.Unpinning, bench.State(1));
    }

    [Fact]
    public void A_pin_cancels_a_running_unpin()
    {
        var bench = new Bench();
        bench.Track(1);
        bench.Complete(1);
        bench.Untrack(1);
        var unpin = bench.RequestOf(1);
        bench.Track(1);
        Assert.Contains(unpin, bench.Cancelled);
        Assert.Equal(PinState.PinQueued, bench.State(1));
        bench.Complete(unpin);
        Assert.Equal(PinState.Pinning, bench.State(1));
        Assert.Equal(1, bench.View(1).Attempts);
    }

    [Fact]
    public void Going_to_and_fro_ends_with_the_last_wish()
    {
        var bench = new Bench();
        bench.Track(1);
        var pin = bench.RequestOf(1);
        bench.Untrack(1);
        bench.Track(1);
        bench.Untrack(1);
        bench.Track(1);
        Assert.Single(bench.Requests);
        bench.Fail(pin, "cancelled");
        Assert.Equal(PinState.Pinning, bench.State(1));
        bench.Complete(1);
        Assert.Equal(PinState.Pinned, bench.State(1));
        Assert.Empty(bench.Requests);
    }

    [Fact]
    public void Repeating_a_queued_pin_does_not_queue_it_twice()
    {
        var bench = new Bench(connected: false);
        bench.Track(1);
        bench.Track(1, depth: 0);
        Assert.Equal(1, bench.Tracker.Counts.PriorityQueued);
        bench.Connect();
        Assert.Equal(0, ((StartPin)Assert.Single(bench.Requests).Value).Pin.MaxDepth);
    }

    [Fact]
    public void A_pin_made_recursive_while_it_is_pinned_directly_is_pinned_once_more()
    {
        var bench = new Bench();
        bench.Track(1, depth: 0);
        bench.Track(1, depth: -1);
        Assert.Equal(PinState.Pinning, bench.State(1));
        bench.Complete(1);
        Assert.Equal(PinState.Pinning, bench.State(1));
        Assert.Equal(-1, ((StartPin)bench.Requests[bench.RequestOf(1)]).Pin.MaxDepth);
        bench.Complete(1);
        Assert.Equal(PinState.Pinned, bench.State(1));
    }

    [Fact]
    public void A_failed_unpin_can_be_recovered()
    {
        var bench = new Bench();
        bench.Track(1);
        bench.Complete(1);
        bench.Untrack(1);
        bench.Fail(1, "no");
        Assert.Equal((PinState.UnpinError, 1, "no"), (bench.State(1), bench.View(1).Attempts, bench.View(1).Error));
        Assert.True(bench.Recover(1));
        Assert.Equal((PinState.Unpinning, 2), (bench.State(1), bench.View(1).Attempts));
        bench.Complete(1);
        Assert.Equal(PinState.Unpinned, bench.State(1));
    }

    [Fact]
    public void What_failed_is_tried_again_by_itself_with_growing_waits_up_to_the_recover_interval()
    {
        var settings = new TrackerSettings { PinRecoverInterval = TimeSpan.FromMinutes(12) };
        Assert.Equal([3, 6, 12, 12], new[] { 1, 2, 3, 60 }.Select(n => settings.Backoff(n).TotalMinutes));
        var bench = new Bench(settings);
        bench.Track(1);
        bench.Fail(1);
        Assert.Equal(bench.Now + TimeSpan.FromMinutes(3), bench.Tracker.NextWake);
        bench.Tick(TimeSpan.FromMinutes(3) - TimeSpan.FromTicks(1));
        Assert.Equal(PinState.PinError, bench.State(1));
        bench.Tick(TimeSpan.FromTicks(1));
        Assert.Equal((PinState.Pinning, 2), (bench.State(1), bench.View(1).Attempts));
        bench.Fail(1);
        bench.Tick(TimeSpan.FromMinutes(5));
        Assert.Equal(PinState.PinError, bench.State(1));
        bench.Tick(TimeSpan.FromMinutes(1));
        Assert.Equal(PinState.Pinning, bench.State(1));
    }

    [Fact]
    public void First_try_and_the_allowed_retries_are_priority_and_later_ones_are_not()
    {
        var bench = new Bench(new TrackerSettings { PriorityPinMaxRetries = 1 });
        bench.Track(1);
        Assert.True(bench.View(1).Priority);
        bench.Fail(1);
        bench.Recover(1);
        Assert.True(bench.View(1).Priority);
        bench.Fail(1);
        bench.Recover(1);
        Assert.False(bench.View(1).Priority);
    }

    [Fact]
    public void An_old_pin_is_no_priority_pin()
    {
        var bench = new Bench();
        bench.Track(1, created: bench.Now - TimeSpan.FromHours(24));
        Assert.False(bench.View(1).Priority);
        bench.Track(2, created: bench.Now - TimeSpan.FromHours(23));
        Assert.True(bench.View(2).Priority);
    }

    [Fact]
    public void A_full_queue_is_an_error_that_heals_later()
    {
        var bench = new Bench(new TrackerSettings { MaxPinQueueSize = 2 }, connected: false);
        for (var i = 1; i <= 3; i++)
            bench.Track(i);
        Assert.Equal((PinState.PinError, OperationTracker.QueueFullError), (bench.State(3), bench.View(3).Error));
        for (var i = 11; i <= 13; i++)
            bench.Untrack(i);
        Assert.Equal((PinState.UnpinError, OperationTracker.QueueFullError), (bench.State(13), bench.View(13).Error));
        bench.Connect();
        bench.Tick(bench.Settings.Backoff(0));
        Assert.Equal(PinState.Pinning, bench.State(3));
        Assert.Equal(PinState.Unpinning, bench.State(13));
    }

    [Fact]
    public void A_meta_pin_is_sharded_and_asks_nothing_of_the_daemon()
    {
        var bench = new Bench();
        bench.Track(1, kind: PinKind.Meta);
        Assert.Equal(PinState.Sharded, bench.State(1));
        Assert.False(bench.Recover(1));
        bench.Untrack(1);
        Assert.Equal(PinState.Unpinned, bench.State(1));
        Assert.Empty(bench.Requests);
    }

    [Fact]
    public void A_pin_that_moves_away_is_unpinned_and_stays_remote_though_that_fails()
    {
        var bench = new Bench();
        bench.Track(1);
        bench.Complete(1);
        bench.Track(1, here: false);
        Assert.Equal(PinState.Remote, bench.State(1));
        Assert.IsType<StartUnpin>(bench.Requests[bench.RequestOf(1)]);
        bench.Fail(1, "busy");
        Assert.Equal((PinState.Remote, "busy"), (bench.State(1), bench.View(1).Error));
        Assert.False(bench.Recover(2));
        bench.Tick(bench.Settings.Backoff(1));
        bench.Complete(1);
        Assert.Equal((PinState.Remote, string.Empty), (bench.State(1), bench.View(1).Error));
        Assert.Null(bench.Tracker.NextWake);
        bench.Track(1, here: false);
        Assert.Empty(bench.Requests);
    }

    [Fact]
    public void A_pin_that_moves_away_while_it_is_pinned_and_comes_back_is_pinned()
    {
        var bench = new Bench();
        bench.Track(1);
        var first = bench.RequestOf(1);
        bench.Track(1, here: false);
        Assert.Equal(PinState.Remote, bench.State(1));
        bench.Track(1);
        Assert.Equal(PinState.PinQueued, bench.State(1));
        bench.Complete(first);
        bench.Complete(1);
        Assert.Equal(PinState.Pinned, bench.State(1));
        Assert.Empty(bench.Requests);
    }

    [Fact]
    public void The_daemons_word_decides_between_pinned_and_unexpectedly_unpinned()
    {
        var bench = new Bench();
        bench.Track(1);
        bench.Track(2, depth: 0);
        bench.Complete(1);
        bench.Complete(2);
        bench.Tracker.Observe(Bench.CidOf(1), DaemonPinKind.Indirect, bench.Now, bench.Now);
        bench.Tracker.Observe(Bench.CidOf(2), DaemonPinKind.Direct, bench.Now, bench.Now);
        Assert.Equal(PinState.UnexpectedlyUnpinned, bench.State(1));
        Assert.Equal(PinState.Pinned, bench.State(2));
        bench.Tracker.Observe(Bench.CidOf(2), DaemonPinKind.Recursive, bench.Now, bench.Now);
        Assert.Equal(PinState.UnexpectedlyUnpinned, bench.State(2));
        bench.Tracker.Observe(Bench.CidOf(1), DaemonPinKind.Recursive, bench.Now, bench.Now);
        Assert.Equal(PinState.Pinned, bench.State(1));
        Assert.True(bench.Recover(2));
        Assert.Equal((PinState.Pinning, 1), (bench.State(2), bench.View(2).Attempts));
    }

    [Fact]
    public void A_word_of_the_daemon_from_before_the_pin_has_no_weight()
    {
        var bench = new Bench();
        var asOf = bench.Now;
        bench.Pass(TimeSpan.FromMilliseconds(1));
        bench.Track(1);
        bench.Complete(1);
        bench.Tracker.Observe(Bench.CidOf(1), DaemonPinKind.Unpinned, asOf, bench.Now);
        Assert.Equal(PinState.Pinned, bench.State(1));
    }

    [Fact]
    public void A_pin_that_waits_and_is_in_the_daemon_already_is_done_without_a_request()
    {
        var bench = new Bench(new TrackerSettings { ConcurrentPins = 1 });
        for (var i = 1; i <= 4; i++)
            bench.Track(i);
        bench.Pass(TimeSpan.FromSeconds(1));
        bench.Tracker.Observe(Bench.CidOf(2), DaemonPinKind.Recursive, bench.Now, bench.Now);
        bench.Tracker.Observe(Bench.CidOf(3), DaemonPinKind.Direct, bench.Now, bench.Now);
        Assert.Equal((PinState.Pinned, bench.Now), (bench.State(2), bench.View(2).Since));
        Assert.Equal(PinState.PinQueued, bench.State(3));

        bench.Complete(1);
        Assert.Equal(Bench.CidOf(3), Bench.CidOf(Assert.Single(bench.Requests).Value));
        bench.Complete(3);
        bench.Complete(4);
        Assert.Empty(bench.Requests);
        Assert.Equal(default, bench.Tracker.Counts);
    }

    [Fact]
    public void What_the_daemon_had_when_a_pin_was_queued_or_sent_does_not_settle_it()
    {
        var bench = new Bench(new TrackerSettings { ConcurrentPins = 1 });
        var asOf = bench.Now;
        bench.Pass(TimeSpan.FromMilliseconds(1));
        bench.Track(1);
        bench.Track(2);
        bench.Tracker.Observe(Bench.CidOf(2), DaemonPinKind.Recursive, asOf, bench.Now);
        Assert.Equal(PinState.PinQueued, bench.State(2));
        bench.Tracker.Observe(Bench.CidOf(1), DaemonPinKind.Recursive, bench.Now, bench.Now);
        Assert.Equal(PinState.Pinning, bench.State(1));
    }

    [Fact]
    public void A_pin_that_waits_for_the_end_of_an_unpin_is_not_settled_by_what_the_daemon_still_has()
    {
        var bench = new Bench();
        bench.Track(1);
        bench.Complete(1);
        bench.Untrack(1);
        Assert.Equal(PinState.Unpinning, bench.State(1));
        bench.Track(1);
        bench.Tracker.Observe(Bench.CidOf(1), DaemonPinKind.Recursive, bench.Now, bench.Now);
        Assert.Equal(PinState.PinQueued, bench.State(1));
    }

    [Fact]
    public void A_pin_that_has_waited_for_the_end_of_an_unpin_is_not_settled_by_a_list_from_before_that_end()
    {
        var bench = new Bench(new TrackerSettings { ConcurrentPins = 1 });
        bench.Track(1);
        bench.Complete(1);
        bench.Untrack(1);
        var unpin = bench.RequestOf(1);
        bench.Track(2);
        bench.Track(1);
        var asOf = bench.Now;
        bench.Pass(TimeSpan.FromMilliseconds(1));
        bench.Complete(unpin);
        bench.Tracker.Observe(Bench.CidOf(1), DaemonPinKind.Recursive, asOf, bench.Now);
        Assert.Equal(PinState.PinQueued, bench.State(1));
        bench.Complete(2);
        Assert.Equal(PinState.Pinning, bench.State(1));
    }

    [Fact]
    public void A_lost_connector_costs_no_attempt_and_keeps_the_order()
    {
        var bench = new Bench(new TrackerSettings { ConcurrentPins = 2 });
        for (var i = 1; i <= 4; i++)
            bench.Track(i);
        bench.Disconnect();
        Assert.Equal((PinState.PinQueued, 0), (bench.State(1), bench.View(1).Attempts));
        bench.Connect();
        Assert.Equal([Bench.CidOf(1), Bench.CidOf(2)], bench.Requests.Values.Select(Bench.CidOf));
        Assert.Equal(1, bench.View(1).Attempts);
    }

    [Fact]
    public void A_request_given_back_undone_waits_again_but_not_for_ever()
    {
        var bench = new Bench();
        bench.Track(1);
        for (var i = 0; i < 3; i++)
        {
            bench.Fail(1, "stopping", FailureKind.Returned);
            Assert.Equal((PinState.Pinning, 1), (bench.State(1), bench.View(1).Attempts));
        }

        bench.Fail(1, "stopping", FailureKind.Returned);
        Assert.Equal(PinState.PinError, bench.State(1));
    }

    [Fact]
    public void What_failed_for_the_daemons_absence_becomes_due_when_it_is_back()
    {
        var bench = new Bench();
        bench.Track(1);
        bench.Track(2);
        bench.Fail(1, "refused", FailureKind.DaemonAway);
        bench.Fail(2, "no");
        Assert.Null(bench.Tracker.MakeDue(PinState.PinError, null, 100, bench.Now));
        bench.Tick(TimeSpan.Zero);
        Assert.Equal(PinState.Pinning, bench.State(1));
        Assert.Equal(PinState.PinError, bench.State(2));
    }

    [Fact]
    public void A_restart_takes_up_what_waited_and_what_ran_in_the_old_order()
    {
        var bench = new Bench(new TrackerSettings { ConcurrentPins = 1 });
        foreach (var i in (int[])[5, 3, 4])
        {
            bench.Track(i);
            bench.Pass(TimeSpan.FromSeconds(1));
        }

        bench.Untrack(9);
        bench.Restart();
        Assert.Equal([5, 9], bench.Requests.Values.Select(r => Enumerable.Range(0, 10).Single(n => Bench.CidOf(n) == Bench.CidOf(r))));
        bench.Complete(5);
        Assert.Equal(PinState.Pinning, bench.State(3));
    }
}
