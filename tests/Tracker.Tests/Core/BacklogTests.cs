using Cluster.Tracker.Core;

namespace Cluster.Tracker.Tests.Core;

public class BacklogTests
{
    [Fact]
    public void A_thousand_pins_that_wait_are_worth_a_listing()
    {
        var backlog = new Backlog();
        Assert.False(backlog.IsWorthListing(Backlog.First - 1));
        Assert.True(backlog.IsWorthListing(Backlog.First));
    }

    [Fact]
    public void A_listing_that_spared_something_is_followed_by_the_next_one_at_once()
    {
        var backlog = new Backlog();
        backlog.Listed(waiting: 2000, spared: 200, daemonPins: 10_000);
        Assert.True(backlog.IsWorthListing(Backlog.First));
    }

    [Fact]
    public void After_one_in_vain_the_burst_must_be_twice_as_large()
    {
        var backlog = new Backlog();
        backlog.Listed(waiting: 1500, spared: 149, daemonPins: 10_000);
        Assert.False(backlog.IsWorthListing(2999));
        Assert.True(backlog.IsWorthListing(3000));
    }

    [Fact]
    public void A_very_large_burst_is_worth_one_however_often_it_was_in_vain()
    {
        var backlog = new Backlog();
        backlog.Listed(waiting: 10_000_000, spared: 0, daemonPins: 0);
        Assert.True(backlog.IsWorthListing(Backlog.Last));
    }

    [Fact]
    public void The_more_the_daemon_has_the_more_must_wait()
    {
        var backlog = new Backlog();
        backlog.Listed(waiting: 1000, spared: 1000, daemonPins: 100_000);
        Assert.False(backlog.IsWorthListing(4999));
        Assert.True(backlog.IsWorthListing(5000));
    }
}
