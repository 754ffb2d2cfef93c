using Cluster.Model;
using Libp2p;

namespace Cluster.Allocation;

/// <summary>What an allocation has to satisfy.</summary>
/// <param name="Replication">Effective factors, defaults applied.</param>
public sealed record AllocationRequest(ReplicationFactors Replication)
{
    /// <summary>The stored allocations of the CID; empty for a new pin and for one that was everywhere.</summary>
    public IReadOnlyList<PeerId> Current { get; init; } = [];

    /// <summary>Preferred peers: the user allocations. Peers without metrics are passed over.</summary>
    public IReadOnlyList<PeerId> Priority { get; init; } = [];

    /// <summary>Peers that must not be chosen, and that do not count as current: those being evacuated.</summary>
    public IReadOnlyList<PeerId> Excluded { get; init; } = [];

    /// <summary>Names the peers that may be chosen; null for all. It applies to current peers too.</summary>
    public Func<PeerId, bool>? Eligible { get; init; }
}
