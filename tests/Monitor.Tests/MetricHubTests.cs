using Cluster.Monitor.Core;
using Cluster.Monitor.Running;
using Cluster.Tests;
using Xunit;
using static Cluster.Monitor.Tests.Peers;

namespace Cluster.Monitor.Tests;

public sealed class MetricHubTests
{
    private readonly ManualTime _time = new();
    private readonly MetricHub _hub;

    public MetricHubTests() => _hub = new MetricHub(_time);

    [Fact]
    public void A_watcher_gets_what_holds_then_what_comes_then_what_runs_out()
    {
        _hub.Receive([Metric(1, "ping", _time, TimeSpan.FromSeconds(30))]);
        using var watch = _hub.WatchLatest();
        Assert.Equal([Peer(1)], Next(watch).Metrics.Select(metric => metric.Peer));
        _hub.Receive([Metric(2, "ping", _time, TimeSpan.FromSeconds(60))]);
        Assert.Equal([Peer(2)], Next(watch).Metrics.Select(metric => metric.Peer));
        Assert.Equal(30, _hub.Expire().NextLook!.Value.TotalSeconds, 0.01);
        _time.Advance(TimeSpan.FromSeconds(31));
        _hub.Expire();
        Assert.Equal([Peer(1)], Next(watch).Expired.Select(metric => metric.Peer));
        Assert.Equal([Peer(2)], _hub.Latest("ping").Select(metric => metric.Peer));
    }

    [Fact]
    public void A_renewed_metric_does_not_run_out_at_its_old_time()
    {
        using var watch = _hub.WatchLatest();
        for (var renewal = 0; renewal < 10; renewal++)
        {
            _hub.Receive([Metric(1, "ping", _time, TimeSpan.FromSeconds(30))]);
            _time.Advance(TimeSpan.FromSeconds(20));
            _hub.Expire();
        }
        var changes = Drain(watch);
        Assert.All(changes, change => Assert.Empty(change.Expired));
    }

    [Fact]
    public void An_invalid_metric_takes_the_place_of_a_valid_one()
    {
        using var watch = _hub.WatchLatest();
        _hub.Receive([Metric(1, "freespace", _time, TimeSpan.FromSeconds(30))]);
        _hub.Receive([Metric(1, "freespace", _time, TimeSpan.FromSeconds(30), valid: false)]);
        Assert.Equal(["freespace"], Drain(watch)[^1].Expired.Select(metric => metric.Name));
        Assert.Empty(_hub.Latest("freespace"));
    }

    [Fact]
    public void Alerts_go_on_after_the_first_and_wait_for_a_watcher()
    {
        for (var round = 0; round < 3; round++)
        {
            _hub.Receive([Metric(1, "ping", _time, TimeSpan.FromSeconds(30))]);
            _time.Advance(TimeSpan.FromSeconds(31));
            Assert.Single(_hub.Check());
            Assert.Empty(_hub.Check());
        }
        using var watch = _hub.WatchAlerts();
        for (var alert = 0; alert < 3; alert++)
            Assert.True(watch.TryRead(out _));
        Assert.False(watch.TryRead(out _));
    }

    [Fact]
    public void With_members_only_they_count()
    {
        _hub.Receive([Metric(1, "ping", _time, TimeSpan.FromSeconds(30)), Metric(2, "ping", _time, TimeSpan.FromSeconds(30))]);
        _hub.SetMembers([Peer(2)]);
        Assert.Equal([Peer(2)], _hub.Latest("").Select(metric => metric.Peer));
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal([Peer(2)], _hub.Check().Select(alert => alert.Metric.Peer));
    }

    [Fact]
    public void A_forgotten_peer_raises_no_alerts()
    {
        _hub.Receive([Metric(1, "ping", _time, TimeSpan.FromSeconds(30))]);
        _hub.Forget(Peer(1));
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.Empty(_hub.Check());
        Assert.Empty(_hub.Latest("ping"));
    }

    [Fact]
    public void Own_metrics_that_hold_are_given_to_who_comes_later()
    {
        _hub.PublishOwn([Metric(1, "ping", _time, TimeSpan.FromSeconds(30)), Metric(1, "freespace", _time, TimeSpan.FromSeconds(5))]);
        _time.Advance(TimeSpan.FromSeconds(10));
        using var watch = _hub.WatchOwn();
        Assert.True(watch.TryRead(out var held));
        Assert.Equal(["ping"], held.Select(metric => metric.Name));
    }

    [Fact]
    public async Task A_watcher_that_does_not_read_is_told_to_start_over()
    {
        using var watch = _hub.WatchLatest();
        for (var number = 0; number < 3000; number++)
            _hub.Receive([Metric(1, "ping", _time, TimeSpan.FromSeconds(30))]);
        await Assert.ThrowsAsync<WatcherTooSlowException>(async () =>
        {
            await foreach (var _ in watch.ReadAllAsync(default))
            {
            }
        });
    }

    private static LatestChange Next(Watch<LatestChange> watch) => watch.TryRead(out var change) ? change : throw new InvalidOperationException("nothing was told");

    private static List<LatestChange> Drain(Watch<LatestChange> watch)
    {
        var changes = new List<LatestChange>();
        while (watch.TryRead(out var change))
            changes.Add(change);
        return changes;
    }
}
