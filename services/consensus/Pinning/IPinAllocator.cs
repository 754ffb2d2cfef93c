using Cluster.Model;
using Libp2p;

namespace Cluster.Consensus.Pinning;

/// <summary>Chooses the peers of a pin from the latest metrics (spec/behaviour.md 8).</summary>
public interface IPinAllocator
{
    /// <summary>The allocations of a pin whose factors are valid.</summary>
    /// <param name="pin">The pin; its user allocations come first where they can.</param>
    /// <param name="existing">The pin as it is in the pinset; null for a new one.</param>
    /// <param name="excluded">Peers that are not to be used.</param>
    /// <exception cref="ClusterException">ResourceExhausted: not enough peers.</exception>
    IReadOnlyList<PeerId> Allocate(Pin pin, Pin? existing, IReadOnlyCollection<PeerId> excluded);
}
