using Cluster.Contracts.V1;
using Cluster.Tracker.Core;
using Cluster.Tracker.Tests.Core;

namespace Cluster.Tracker.Tests.Service;

public class BacklogTests
{
    private const int Pins = 5000;

    [Fact]
    public async Task A_peer_that_joins_with_a_daemon_that_has_the_pins_settles_them_by_listing()
    {
        await using var house = await House.OpenAsync();
        var cids = Enumerable.Range(1, Pins).Select(Bench.CidOf).ToArray();
        foreach (var cid in cids)
        {
            // Asked for one by one none of them would ever end.
            house.Connector.Pins[cid] = DaemonPin.Recursive;
            house.Connector.Hanging[cid] = true;
        }

        house.State.Put([.. cids.Select(cid => FakeState.PinOf(cid))]);
        await House.UntilAsync(() => house.Tracker.Count(PinState.Pinned) + house.Tracker.Counts.Pinning == Pins);
        Assert.InRange(house.Connector.PinRequests.Count, 0, house.Tracker.Settings.ConcurrentPins);
    }

    [Fact]
    public async Task Pins_that_the_daemon_does_not_have_are_asked_for_one_by_one()
    {
        await using var house = await House.OpenAsync();
        house.State.Put([.. Enumerable.Range(1, Pins).Select(Bench.CidOf).Select(cid => FakeState.PinOf(cid))]);
        await House.UntilAsync(() => house.Tracker.Count(PinState.Pinned) == Pins);
        Assert.Equal(Pins, house.Connector.PinRequests.Count);
    }
}
