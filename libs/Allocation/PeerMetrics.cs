using Cluster.Model;
using Libp2p;

namespace Cluster.Allocation;

/// <summary>
/// The metrics to allocate by, at one moment: those peers that have a valid, unexpired one of every name (spec/behaviour.md 8.1). Made
/// once for many allocations; immutable.
/// </summary>
public sealed class PeerMetrics
{
    private readonly Dictionary<PeerId, Metric[]> _peers;
    private PeerId[]? _order;

    private PeerMetrics(Dictionary<PeerId, Metric[]> peers, bool usable)
    {
        _peers = peers;
        IsUsable = usable;
    }

    /// <summary>The peers that can be allocated to.</summary>
    public IReadOnlyCollection<PeerId> Peers => _peers.Keys;

    internal bool IsUsable { get; }

    /// <summary>
    /// Takes the latest metric of every peer and name: later ones of the list go over earlier ones. Invalid and expired ones count as none.
    /// </summary>
    /// <param name="metrics">In order of reception.</param>
    /// <param name="allocateBy">Names of metrics, the one that splits first comes first.</param>
    /// <param name="now">Decides what has expired.</param>
    public static PeerMetrics Create(IEnumerable<Metric> metrics, IReadOnlyList<string> allocateBy, GoTime now)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        ArgumentNullException.ThrowIfNull(allocateBy);
        var latest = new Dictionary<PeerId, Metric?[]>();
        foreach (var metric in metrics)
        {
            var index = IndexOf(allocateBy, metric.Name);
            if (index < 0)
                continue;
            if (!latest.TryGetValue(metric.Peer, out var own))
                latest[metric.Peer] = own = new Metric?[allocateBy.Count];
            own[index] = metric;
        }

        // A name that is listed twice has its metric in the first place only, so that nobody has all: so it is in the original.
        var complete = new Dictionary<PeerId, Metric[]>(latest.Count);
        foreach (var (peer, own) in latest)
        {
            if (Array.TrueForAll(own, metric => metric is not null && !metric.IsDiscarded(now)))
                complete[peer] = own!;
        }

        return new(complete, allocateBy.Count > 0);
    }

    internal bool Has(PeerId peer) => _peers.ContainsKey(peer);

    /// <summary>All peers in the order in which the allocator takes them; null when chance has a part in it.</summary>
    internal PeerId[]? FixedOrder()
    {
        if (_order is not null)
            return _order.Length == _peers.Count ? _order : null;
        var tree = PartitionTree.Build([.. _peers.Values], 0, Random.Shared);
        _order = tree.IsDetermined ? tree.Order(Random.Shared) : [];
        return _order.Length == _peers.Count ? _order : null;
    }

    /// <summary>Some peers in the order in which the allocator takes them.</summary>
    internal PeerId[] Order(IReadOnlyList<PeerId> peers, Random random) =>
        peers.Count == 0 ? [] : PartitionTree.Build([.. peers.Select(peer => _peers[peer])], 0, random).Order(random);

    private static int IndexOf(IReadOnlyList<string> names, string name)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i] == name)
                return i;
        }

        return -1;
    }
}
