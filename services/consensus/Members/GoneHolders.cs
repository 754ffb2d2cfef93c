using Cluster.Consensus.Replication;
using Libp2p;

namespace Cluster.Consensus.Members;

/// <summary>
/// Finds holders of pins that are no members, to re-allocate what they hold. An alert tells of a peer that dies while this one watches; of
/// one that died before this one was started, or whose pins found no place at the time of the alert, nobody tells (the original leaves those
/// pins where they are). Two looks, a state sync interval apart, must agree, so that peers that are just starting keep their pins.
/// </summary>
public sealed class GoneHolders(IConsensus consensus, Evacuation evacuation, ClusterSettings settings)
{
    private HashSet<PeerId> _seen = [];

    /// <summary>Looks once, and re-allocates what is in this peer's care; gives how many pins.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        if (settings.DisableRepinning || settings.FollowerMode)
            return 0;
        var gone = new HashSet<PeerId>();
        using (var snapshot = consensus.State.CreateSnapshot())
            gone.UnionWith(snapshot.Holders());
        gone.ExceptWith(await consensus.PeersAsync(cancellationToken));
        var before = _seen;
        _seen = gone;
        var repinned = 0;
        foreach (var peer in gone.Where(before.Contains).Order())
            repinned += await evacuation.RunAsync(peer, onlyResponsible: true, cancellationToken);
        return repinned;
    }
}
