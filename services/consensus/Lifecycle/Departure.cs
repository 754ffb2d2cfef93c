using Cluster.Consensus.Replication;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Lifecycle;

/// <summary>
/// The peer leaves its cluster: because it is configured to when it stops, or because it was removed (spec/behaviour.md 2.3, 10.4). What
/// was accepted is written and announced first; then nothing of the replica stays, and the next start begins anew.
/// </summary>
public sealed class Departure(PeerId self, IConsensus consensus, ClusterSettings settings, Readiness readiness, ILogger logger)
{
    private bool _leaves;

    /// <summary>The others have removed this peer already.</summary>
    public void WasRemoved() => _leaves = true;

    /// <summary>Leaves if the peer is configured to, and was ready once: one that never came up keeps what it has.</summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        if (_leaves || !settings.LeaveOnShutdown || !readiness.IsReady)
            return;
        _leaves = true;
        Log.Leaving(logger);
        try
        {
            // Membership by metrics ends by itself; the original asks all the same, is refused, and logs that.
            if (consensus.Kind != "crdt")
                await consensus.RemovePeerAsync(self, cancellationToken);
        }
        catch (ClusterException e)
        {
            Log.LeavingFailed(logger, e.Message);
        }
    }

    /// <summary>Removes the replica of a peer that left; when nothing writes to it any more.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        if (!_leaves)
            return;
        await consensus.CleanAsync(cancellationToken);
        Log.Left(logger);
    }
}
