using Cluster.Allocation;
using Cluster.Consensus.Metrics;
using Cluster.Consensus.Replication;
using Cluster.Model;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Pinning;

/// <summary>Allocates from the metric snapshot: asks nobody (design section 4).</summary>
public sealed class MetricAllocator(
    MetricSnapshot metrics, IConsensus consensus, ClusterSettings settings, TimeProvider clock, Random random, ILogger logger) : IPinAllocator
{
    // The metrics as the allocator sorts them are good for many pins; new ones come every few seconds at most.
    private readonly Lock _lock = new();
    private PeerMetrics? _sorted;
    private (long Version, long Second) _sortedAt;

    /// <inheritdoc/>
    public IReadOnlyList<PeerId> Allocate(Pin pin, Pin? existing, IReadOnlyCollection<PeerId> excluded)
    {
        if (pin.IsEverywhere)
            return [];
        var request = new AllocationRequest(pin.Options.Replication)
        {
            Current = existing?.Allocations ?? [],
            Priority = pin.Options.UserAllocations ?? [],
            Excluded = [.. excluded],
            Eligible = Eligible(),
        };
        try
        {
            return Allocator.Allocate(request, Sorted(), random);
        }
        catch (AllocationException e)
        {
            Log.NotEnoughCandidates(logger, pin.Cid.IsDefined ? pin.Cid.ToString() : "b", e.Message);
            throw new ClusterException(ClusterErrorKind.ResourceExhausted, e.Message, e);
        }
    }

    private Func<PeerId, bool>? Eligible()
    {
        if (settings.PinOnlyOnTrustedPeers)
            return consensus.IsTrusted;
        return settings.PinOnlyOnUntrustedPeers ? peer => !consensus.IsTrusted(peer) : null;
    }

    private PeerMetrics Sorted()
    {
        var now = GoTime.Now(clock);
        var at = (metrics.Version, now.UnixSeconds);
        lock (_lock)
        {
            if (_sorted is null || _sortedAt != at)
            {
                _sorted = PeerMetrics.Create(settings.AllocateBy.SelectMany(metrics.Latest), settings.AllocateBy, now);
                _sortedAt = at;
            }

            return _sorted;
        }
    }
}
