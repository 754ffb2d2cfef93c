using Cluster.Consensus.Pinning;
using Cluster.Consensus.Replication;
using Cluster.Model;
using Ipld;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Members;

/// <summary>
/// Re-allocates what a peer holds to others, because it is dead or leaves (spec/behaviour.md 9.2, 10.2). What it holds comes from the
/// index of allocations, and is committed in bounded batches.
/// </summary>
public sealed class Evacuation(
    PeerId self, IConsensus consensus, PinPlanner planner, Responsibility responsibility, ClusterSettings settings, ILogger logger)
{
    private const int BatchPins = 500;

    /// <summary>Pins that found no place are named one by one up to here; of the others only the number is told.</summary>
    private const int FailuresNamed = 100;

    /// <summary>Re-allocates the pins of a peer; gives how many.</summary>
    /// <param name="peer">The peer that is gone.</param>
    /// <param name="onlyResponsible">Only those that this peer must care for, so that of many observers one acts.</param>
    /// <param name="cancellationToken">Ends between two batches.</param>
    public async Task<int> RunAsync(PeerId peer, bool onlyResponsible, CancellationToken cancellationToken)
    {
        if (settings.DisableRepinning)
        {
            Log.RepinningDisabled(logger, peer);
            return 0;
        }

        if (settings.FollowerMode || peer == self && onlyResponsible)
            return 0;
        var acts = onlyResponsible ? await responsibility.DetermineAsync(peer, cancellationToken) : static _ => true;
        var repinned = 0;
        var failed = 0;
        var batch = new List<StateOperation>();
        foreach (var cid in CidsOf(peer, acts))
        {
            if (Plan(cid, peer, ref failed) is { } pin)
                batch.Add(StateOperation.Put(pin));
            if (batch.Count < BatchPins)
                continue;
            repinned += await CommitAsync(batch, peer, cancellationToken);
        }

        if (failed > FailuresNamed)
            Log.MoreRepinsFailed(logger, failed - FailuresNamed, peer);
        return repinned + await CommitAsync(batch, peer, cancellationToken);
    }

    private List<Cid> CidsOf(PeerId peer, Func<Cid, bool> acts)
    {
        using var snapshot = consensus.State.CreateSnapshot();
        using var held = snapshot.AllocatedTo(peer);
        var cids = new List<Cid>();
        while (held.MoveNext())
        {
            var cid = held.Cid;
            if (acts(cid))
                cids.Add(cid);
        }

        return cids;
    }

    private Pin? Plan(Cid cid, PeerId peer, ref int failed)
    {
        try
        {
            // Between the listing and now it may have been unpinned or re-allocated.
            return consensus.State.Find(cid) is { } pin && pin.IsAllocatedTo(peer) ? planner.PlanRepin(pin, [peer]) : null;
        }
        catch (ClusterException e)
        {
            if (++failed <= FailuresNamed)
                Log.RepinFailed(logger, cid, peer, e.Message);
            return null;
        }
    }

    private async Task<int> CommitAsync(List<StateOperation> batch, PeerId peer, CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
            return 0;
        await consensus.CommitAsync([.. batch], cancellationToken);
        foreach (var operation in batch)
            Log.Repinned(logger, operation.Cid, peer);
        var count = batch.Count;
        batch.Clear();
        return count;
    }
}
