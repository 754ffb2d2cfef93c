using Cluster.Model;
using Libp2p;

namespace Cluster.Allocation;

/// <summary>
/// Peers split by the values of one metric, every part split again by the next (spec/behaviour.md 8.3). Peers are taken from the parts in
/// turn, so that copies spread over regions before they double up in one.
/// </summary>
internal sealed class PartitionTree
{
    private readonly Part[] _parts;
    private int _next;

    private PartitionTree(Part[] parts) => _parts = parts;

    /// <summary>Whether no two parts are equal and every leaf holds one peer, so that the order does not depend on chance.</summary>
    public bool IsDetermined
    {
        get
        {
            for (var i = 0; i < _parts.Length; i++)
            {
                if (i > 0 && _parts[i].CompareWeight(_parts[i - 1]) == 0)
                    return false;
                if (!(_parts[i].Sub?.IsDetermined ?? _parts[i].Peers.Count == 1))
                    return false;
            }

            return true;
        }
    }

    /// <param name="peers">The metrics of each peer, by level.</param>
    /// <param name="level">The metric that splits here.</param>
    /// <param name="random">Orders equal parts, so that equal peers share the load.</param>
    public static PartitionTree Build(IReadOnlyList<Metric[]> peers, int level, Random random)
    {
        var parts = new List<Part>();
        Dictionary<string, Part>? byValue = null;
        foreach (var peer in peers)
        {
            var metric = peer[level];
            // Peers of equal free space must stay apart: together they would weigh more than one with more of it.
            if (!metric.Partitionable || !(byValue ??= new(StringComparer.Ordinal)).TryGetValue(metric.Value, out var part))
            {
                part = new Part(metric.Value, random.Next());
                parts.Add(part);
                if (metric.Partitionable)
                    byValue![metric.Value] = part;
            }

            part.Weight += metric.Weight;
            part.Peers.Add(peer);
        }

        foreach (var part in parts)
        {
            part.AggregatedWeight = part.Weight;
            if (level + 1 >= peers[0].Length)
                continue;
            part.Sub = Build(part.Peers, level + 1, random);
            foreach (var sub in part.Sub._parts)
                part.AggregatedWeight += sub.AggregatedWeight;
        }

        var sorted = parts.ToArray();
        Array.Sort(sorted);
        return new(sorted);
    }

    /// <summary>All peers in the order of choice. A tree can be asked once.</summary>
    public PeerId[] Order(Random random)
    {
        var order = new List<PeerId>();
        while (TryTake(random, out var peer))
            order.Add(peer);
        return [.. order];
    }

    private bool TryTake(Random random, out PeerId peer)
    {
        for (var tried = 0; tried < _parts.Length; tried++)
        {
            var part = _parts[_next];
            _next = (_next + 1) % _parts.Length;
            if (part.Sub is not null ? part.Sub.TryTake(random, out peer) : part.TryTake(random, out peer))
                return true;
        }

        peer = default;
        return false;
    }

    private sealed class Part(string value, int lot) : IComparable<Part>
    {
        private readonly string _value = value;
        private readonly int _lot = lot;

        public List<Metric[]> Peers { get; } = [];

        public long Weight { get; set; }

        public long AggregatedWeight { get; set; }

        public PartitionTree? Sub { get; set; }

        public int CompareTo(Part? other) => CompareWeight(other!) is var order && order != 0 ? order : _lot.CompareTo(other!._lot);

        public int CompareWeight(Part other)
        {
            if (other.Weight != Weight)
                return other.Weight.CompareTo(Weight);
            return other.AggregatedWeight != AggregatedWeight
                ? other.AggregatedWeight.CompareTo(AggregatedWeight)
                : string.CompareOrdinal(_value, other._value);
        }

        public bool TryTake(Random random, out PeerId peer)
        {
            if (Peers.Count == 0)
            {
                peer = default;
                return false;
            }

            var index = Peers.Count == 1 ? 0 : random.Next(Peers.Count);
            peer = Peers[index][0].Peer;
            Peers.RemoveAt(index);
            return true;
        }
    }
}
