using Cluster.Consensus.Replication;
using Cluster.Hosting;
using Libp2p;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Lifecycle;

/// <summary>
/// Looks every <c>peer_watch_interval</c> whether this peer is still a member, and ends it when it was removed (spec/behaviour.md 10.4).
/// Where metrics make the members (crdt) a peer always is one.
/// </summary>
public sealed class PeerWatch(
    PeerId self, IConsensus consensus, Departure departure, TimeSpan interval, Readiness readiness, ServiceContext service, IHostApplicationLifetime lifetime,
    TimeProvider clock, ILogger logger) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (consensus.Kind == "crdt")
            return;
        try
        {
            await readiness.WhenReady.WaitAsync(stoppingToken);
            while (true)
            {
                await Pause.ForAsync(interval, clock, stoppingToken);
                if ((await consensus.PeersAsync(stoppingToken)).Contains(self))
                    continue;
                Log.NoLongerInPeerset(logger);
                departure.WasRemoved();
                service.ExitCode = ServiceContext.PeerLeftExitCode;
                lifetime.StopApplication();
                return;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The peer stops.
        }
    }
}
