using Cluster.Consensus.Members;
using Libp2p;
using Microsoft.Extensions.Logging;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Alerts;

/// <summary>
/// Records alerts, and re-allocates what a peer held whose pings stopped (spec/behaviour.md 9.1). Every alert is handled, whatever
/// came of the one before; the original's handler ends with the first one that repinning is disabled for.
/// </summary>
public sealed class AlertHandler(AlertList alerts, Evacuation evacuation, ClusterSettings settings, ILogger logger)
{
    /// <summary>Handles one alert.</summary>
    public async Task HandleAsync(V1.Alert alert, CancellationToken cancellationToken)
    {
        if (settings.FollowerMode || !PeerId.TryFromBytes(alert.Metric.Peer.Span, out var peer, out _))
            return;
        Log.MetricAlert(logger, alert.Metric.Name, peer);
        alerts.Add(alert);
        if (alert.Metric.Name != "ping")
            return;
        try
        {
            await evacuation.RunAsync(peer, onlyResponsible: true, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            Log.EvacuationFailed(logger, peer, e.Message);
        }
    }
}
