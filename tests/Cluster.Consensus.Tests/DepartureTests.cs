using Cluster.Consensus.Lifecycle;
using Cluster.Consensus.Tests.Peering;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Tests;

/// <summary>Peers that leave their cluster (spec/behaviour.md 2.3, 10.4).</summary>
public sealed class DepartureTests : IAsyncLifetime
{
    private readonly Peer _peer = new(new ClusterSettings { PeerName = "peer1", LeaveOnShutdown = true });
    private readonly LineCollector _log = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _peer.DisposeAsync();

    [Fact]
    public async Task A_peer_that_leaves_at_its_stop_keeps_nothing_of_the_pinset()
    {
        await _peer.PinAsync(Peer.Request(1, Peer.Factors(-1, -1)));
        _peer.Readiness.SetReady();
        await StopAsync();
        Assert.Equal(0ul, _peer.State.Totals.Count);
        Assert.Contains(_log.Lines, l => l.Text.StartsWith("attempting to leave the cluster", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_peer_that_never_was_ready_keeps_what_it_has()
    {
        await _peer.PinAsync(Peer.Request(1, Peer.Factors(-1, -1)));
        await StopAsync();
        Assert.Equal(1ul, _peer.State.Totals.Count);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public async Task A_peer_that_was_removed_keeps_nothing_whatever_its_configuration()
    {
        await _peer.PinAsync(Peer.Request(1, Peer.Factors(-1, -1)));
        var departure = Departure(new ClusterSettings());
        departure.WasRemoved();
        await departure.BeginAsync(CancellationToken.None);
        await _peer.Consensus.ShutdownAsync(CancellationToken.None);
        await departure.FinishAsync(CancellationToken.None);
        Assert.Equal(0ul, _peer.State.Totals.Count);
    }

    private async Task StopAsync()
    {
        var departure = Departure(_peer.Settings);
        await departure.BeginAsync(CancellationToken.None);
        await _peer.Consensus.ShutdownAsync(CancellationToken.None);
        await departure.FinishAsync(CancellationToken.None);
    }

    private Departure Departure(ClusterSettings settings) => new(Peer.Self, _peer.Consensus, settings, _peer.Readiness, _log.CreateLogger("cluster"));
}
