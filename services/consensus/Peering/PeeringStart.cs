using Cluster.Consensus.Lifecycle;
using Microsoft.Extensions.Hosting;

namespace Cluster.Consensus.Peering;

/// <summary>
/// Starts the network side with the service, and ends what would make new connections when the service stops. The state's owner closes
/// the network itself, as the last changes are announced by it.
/// </summary>
internal sealed class PeeringStart(ClusterPeering peering, Readiness readiness) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => peering.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => peering.StopAsync(save: readiness.IsReady, cancellationToken);
}
