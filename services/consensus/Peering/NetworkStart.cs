using Microsoft.Extensions.Hosting;

namespace Cluster.Consensus.Peering;

/// <summary>
/// Starts the network with the service, and ends what would make new connections when the service stops. The state's owner closes the
/// network itself, as the last changes are announced by it.
/// </summary>
internal sealed class NetworkStart(ClusterNetwork network) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => network.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => network.StopDiscoveryAsync();
}
