using Cluster.Allocation;
using Cluster.Consensus.Replication;
using Ipld;
using Libp2p;

namespace Cluster.Consensus.Members;

/// <summary>
/// Which peer acts on a CID when all could: the one nearest to it (spec/behaviour.md 7), so that one peer acts and no two talk about it.
/// </summary>
public sealed class Responsibility(PeerId self, IConsensus consensus)
{
    /// <summary>Says for many CIDs whether this peer acts, given the members of this moment.</summary>
    /// <param name="excluded">A peer that is gone and does not count.</param>
    /// <param name="cancellationToken">Ends the look at the members.</param>
    public async ValueTask<Func<Cid, bool>> DetermineAsync(PeerId excluded, CancellationToken cancellationToken)
    {
        var members = await consensus.PeersAsync(cancellationToken);
        var rivals = members.Where(p => p != self && p != excluded && consensus.IsTrusted(p)).ToArray();
        if (rivals.Length == 0)
            return static _ => true;
        var distance = new PeerDistance(self, rivals);
        return cid => distance.IsClosest(cid);
    }
}
