using Libp2p;

namespace Cluster.Allocation;

/// <summary>Chooses the peers that hold a CID: metrics in, peers out (spec/behaviour.md 8).</summary>
public static class Allocator
{
    /// <summary>
    /// The allocations in order: what is valid of the current ones, then new ones. Empty for a CID that is pinned everywhere. Current
    /// allocations that satisfy the minimum come back unchanged, with those of them that are gone.
    /// </summary>
    /// <exception cref="AllocationException">There are too few peers, or the factors are impossible.</exception>
    public static IReadOnlyList<PeerId> Allocate(AllocationRequest request, PeerMetrics metrics, Random random)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(metrics);
        var (minimum, maximum) = request.Replication;
        if (!metrics.IsUsable)
            throw new AllocationException("metricalloc.allocate_by is invalid");
        if (minimum + maximum == 0)
            throw new AllocationException($"bad replication factors: {minimum}/{maximum}");
        if (minimum < 0 && maximum < 0)
            return [];

        if (request is { Current.Count: 0, Priority.Count: 0, Excluded.Count: 0, Eligible: null } && metrics.FixedOrder() is { } order)
            return order.Length < minimum ? throw TooFew(minimum, maximum, order.Length) : order[..Math.Min(maximum, order.Length)];

        List<PeerId> current = [], priority = [], candidates = [];
        foreach (var peer in metrics.Peers)
        {
            if (request.Excluded.Contains(peer) || request.Eligible?.Invoke(peer) == false)
                continue;
            (request.Current.Contains(peer) ? current : request.Priority.Contains(peer) ? priority : candidates).Add(peer);
        }

        // In the order in which they are stored.
        PeerId[] valid = [.. request.Current.Where(current.Contains)];
        if (valid.Length > maximum)
            return valid[..maximum];
        if (valid.Length >= minimum)
            return request.Current;

        var (needed, wanted) = (minimum - valid.Length, maximum - valid.Length);
        var available = priority.Count + candidates.Count;
        if (available < needed)
            throw TooFew(needed, wanted, available);
        return [.. valid, .. metrics.Order(priority, random).Concat(metrics.Order(candidates, random)).Take(wanted)];
    }

    private static AllocationException TooFew(int needed, int wanted, int available) => new(
        $"not enough peers to allocate CID. Needed at least: {needed}. Wanted at most: {wanted}. Available candidates: {available}. See logs for more info.");
}
