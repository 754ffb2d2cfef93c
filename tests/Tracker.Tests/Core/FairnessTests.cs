using Cluster.Tracker.Core;

namespace Cluster.Tracker.Tests.Core;

public class FairnessTests
{
    [Fact]
    public void The_normal_queue_does_not_starve_under_a_stream_of_priority_pins()
    {
        var bench = new Bench(new TrackerSettings { ConcurrentPins = 1 }, connected: false);
        bench.Track(1000, created: bench.Now - TimeSpan.FromDays(2));
        for (var i = 0; i < 20; i++)
            bench.Track(i);
        bench.Connect();
        for (var started = 1; bench.State(1000) != PinState.Pinning; started++)
        {
            Assert.InRange(started, 1, bench.Settings.PriorityShare);
            bench.Complete(bench.Requests.Keys.Single());
            bench.Track(100 + started);
        }
    }

    [Fact]
    public void Pins_do_not_wait_for_unpins_nor_unpins_for_pins()
    {
        var bench = new Bench(new TrackerSettings { ConcurrentPins = 3 });
        for (var i = 0; i < 10; i++)
        {
            bench.Track(i);
            bench.Untrack(100 + i);
            bench.Track(200 + i, here: false);
        }

        var counts = bench.Tracker.Counts;
        Assert.Equal((3, 3, 3), (counts.Pinning, counts.Unpinning, counts.Releasing));
        Assert.Equal((7, 7), (counts.PriorityQueued, counts.UnpinQueued));
    }
}
