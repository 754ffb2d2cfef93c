using Cluster.Tracker.Core;
using Cluster.Tracker.Daemon;

namespace Cluster.Tracker.Tests.Core;

public class DaemonPinsTests
{
    [Fact]
    public void It_has_what_was_added_in_its_kind_and_nothing_else()
    {
        var pins = new DaemonPins(10_000);
        for (var i = 0; i < 5000; i++)
            pins.Add(Bench.CidOf(i).Bytes, i % 2 == 0 ? DaemonPinKind.Recursive : DaemonPinKind.Direct);
        for (var i = 0; i < 6000; i++)
        {
            Assert.Equal(i < 5000 && i % 2 == 0, pins.Has(Bench.CidOf(i), DaemonPinKind.Recursive));
            Assert.Equal(i < 5000 && i % 2 == 1, pins.Has(Bench.CidOf(i), DaemonPinKind.Direct));
        }
    }

    [Fact]
    public void More_pins_than_fit_take_several_listings_that_cover_all()
    {
        const int All = 10_000;
        var seen = new int[All + 100];
        ulong from = 0;
        ulong? seed = null;
        var listings = 0;
        while (true)
        {
            var pins = new DaemonPins(1500, from, seed);
            for (var i = 0; i < All; i++)
                pins.Add(Bench.CidOf(i).Bytes, DaemonPinKind.Recursive);
            listings++;
            Assert.InRange(pins.Count, 1, 1500);
            for (var i = 0; i < seen.Length; i++)
            {
                if (pins.Has(Bench.CidOf(i), DaemonPinKind.Recursive) is not { } has)
                    continue;
                Assert.Equal(i < All, has);
                seen[i]++;
            }

            if (pins.To == ulong.MaxValue)
                break;
            from = pins.To + 1;
            seed = pins.Seed;
        }

        Assert.InRange(listings, 7, 20);
        Assert.All(seen, n => Assert.Equal(1, n));
    }
}
