using Cluster.Contracts.V1;
using Cluster.Tracker.Core;
using Cluster.Tracker.Tests.Core;
using Ipld;

namespace Cluster.Tracker.Tests.Service;

public class RestartTests
{
    private static Cid C(int number) => Bench.CidOf(number);

    [Fact]
    public async Task A_restarted_tracker_goes_on_from_its_number_without_asking_for_the_pinset()
    {
        await using var house = await House.OpenAsync(new TrackerSettings { ConcurrentPins = 1 });
        house.State.Put(FakeState.PinOf(C(1)));
        await house.UntilAsync(C(1), TrackerStatus.Pinned);
        house.Connector.Hanging[C(2)] = true;
        house.State.Put(FakeState.PinOf(C(2)), FakeState.PinOf(C(3)));
        await house.UntilAsync(C(2), TrackerStatus.Pinning);
        await house.StopTrackerAsync();
        house.State.Put(FakeState.PinOf(C(4)));
        house.State.Remove(C(1));
        house.Connector.Hanging.Clear();
        await house.StartTrackerAsync();
        foreach (var i in (int[])[2, 3, 4])
            await house.UntilAsync(C(i), TrackerStatus.Pinned);
        await house.UntilAsync(C(1), TrackerStatus.Unpinned);
        Assert.Equal(3ul, house.State.WatchedAfter[^1]);
        Assert.Equal([C(2), C(3), C(4)], house.Connector.Pins.Keys.Order());
    }

    [Fact]
    public async Task A_restarted_connector_takes_up_what_was_under_way()
    {
        await using var house = await House.OpenAsync(new TrackerSettings { ConcurrentPins = 3 });
        for (var i = 0; i < 6; i++)
            house.Connector.Hanging[C(i)] = true;
        house.State.Put([.. Enumerable.Range(0, 6).Select(i => FakeState.PinOf(C(i)))]);
        await House.UntilAsync(() => house.Connector.PinRequests.Count == 3);
        await house.StopConnectorAsync();
        await House.UntilAsync(() => house.Tracker.Counts.Pinning == 0);
        var info = await house.StatusAsync(C(0));
        Assert.Equal((TrackerStatus.PinQueued, 0, string.Empty), (info.Status, info.AttemptCount, info.Error));
        house.Connector.Hanging.Clear();
        await house.StartConnectorAsync();
        for (var i = 0; i < 6; i++)
            await house.UntilAsync(C(i), TrackerStatus.Pinned);
    }

    [Fact]
    public async Task While_the_connector_restarts_statuses_come_from_the_index()
    {
        await using var house = await House.OpenAsync();
        house.State.Put(FakeState.PinOf(C(1)));
        await house.UntilAsync(C(1), TrackerStatus.Pinned);
        await house.StopConnectorAsync();
        await House.UntilAsync(() => house.Tracker.Counts == default);
        Assert.Equal(TrackerStatus.Pinned, (await house.StatusAsync(C(1))).Status);
    }

    [Fact]
    public async Task A_restarted_consensus_is_watched_again_from_the_last_number()
    {
        await using var house = await House.OpenAsync();
        house.State.Put(FakeState.PinOf(C(1)));
        await house.UntilAsync(C(1), TrackerStatus.Pinned);
        await house.StopConsensusAsync();
        house.State.Put(FakeState.PinOf(C(2)));
        await house.StartConsensusAsync();
        await house.UntilAsync(C(2), TrackerStatus.Pinned);
        Assert.Equal([0ul, 1ul], house.State.WatchedAfter);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_pinset_that_cannot_be_followed_is_read_anew(bool newEpoch)
    {
        await using var house = await House.OpenAsync();
        house.State.Put([.. Enumerable.Range(0, 5).Select(i => FakeState.PinOf(C(i)))]);
        for (var i = 0; i < 5; i++)
            await house.UntilAsync(C(i), TrackerStatus.Pinned);
        await house.StopConsensusAsync();
        house.State.Remove(C(1));
        house.State.Put(FakeState.PinOf(C(9)));
        house.State.Forget(newEpoch);
        var before = house.Connector.PinRequests.Count;
        await house.StartConsensusAsync();
        await house.UntilAsync(C(9), TrackerStatus.Pinned);
        await house.UntilAsync(C(1), TrackerStatus.Unpinned);
        Assert.Equal(before + 1, house.Connector.PinRequests.Count);
        // Nobody unpinned it when the pinset was cleaned or imported in between: the daemon keeps it.
        Assert.Equal(newEpoch, house.Connector.Pins.ContainsKey(C(1)));
        Assert.Equal(5, (await house.ListAsync(TrackerStatus.Pinned)).Count);
    }

    [Fact]
    public async Task A_tracker_that_lost_its_index_finds_out_from_one_listing_what_the_daemon_has()
    {
        const int All = 3000;
        await using var house = new House(new TrackerSettings { QueuedPerSnapshot = 10 });
        var pins = Enumerable.Range(0, All).Select(i => FakeState.PinOf(C(i), depth: i % 2 == 0 ? -1 : 0)).ToArray();
        house.State.Put(pins);
        house.State.Forget(newEpoch: false);
        for (var i = 0; i < All - 20; i++)
            house.Connector.Pins[C(i)] = i % 2 == 0 ? DaemonPin.Recursive : DaemonPin.Direct;
        await house.StartConsensusAsync();
        await house.StartConnectorAsync();
        await house.StartTrackerAsync();
        await House.UntilAsync(() => house.Tracker.Count(PinState.Pinned) == All);
        Assert.InRange(house.Connector.PinRequests.Count, 20, 40);
        Assert.InRange(house.Connector.Listings, 1, 2);
        var listed = await house.ListAsync();
        Assert.Equal(All, listed.Count);
        Assert.Equal(listed.Select(i => Cid.FromBytes(i.Cid.Span)).Order(), listed.Select(i => Cid.FromBytes(i.Cid.Span)));
    }

    [Fact]
    public async Task Many_pins_run_no_more_than_allowed_at_a_time_and_all_end_pinned()
    {
        await using var house = await House.OpenAsync(new TrackerSettings { ConcurrentPins = 7 });
        for (var i = 0; i < 2000; i += 100)
            house.State.Put([.. Enumerable.Range(i, 100).Select(n => FakeState.PinOf(C(n)))]);
        await House.UntilAsync(() => house.Tracker.Count(PinState.Pinned) == 2000);
        Assert.InRange(house.Connector.MostAtATime, 1, 7);
        Assert.Equal(2000, house.Connector.Pins.Count);
    }
}
