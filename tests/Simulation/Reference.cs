using Crdt;

namespace Simulation.Tests;

/// <summary>The rules of the set (spec/crdt.md 8) said once more, without an order: what a set of nodes means, all at once.</summary>
internal static class Reference
{
    /// <summary>The value of every key that has one.</summary>
    public static SortedDictionary<string, byte[]> StateOf(IEnumerable<MadeNode> nodes)
    {
        var all = nodes.ToList();
        var removed = all.SelectMany(made => made.Node.Delta.Tombstones).ToHashSet();
        var best = new SortedDictionary<string, (ulong Priority, byte[] Value)>(StringComparer.Ordinal);
        foreach (var (_, node, name) in all)
        {
            foreach (var element in node.Delta.Elements)
            {
                if (removed.Contains(new DeltaTombstone(element.Key, name)))
                    continue;
                var value = element.Value.ToArray();
                if (!best.TryGetValue(element.Key, out var other) || node.Delta.Priority > other.Priority
                    || (node.Delta.Priority == other.Priority && value.AsSpan().SequenceCompareTo(other.Value) > 0))
                    best[element.Key] = (node.Delta.Priority, value);
            }
        }

        return new SortedDictionary<string, byte[]>(best.ToDictionary(entry => entry.Key, entry => entry.Value.Value), StringComparer.Ordinal);
    }

    /// <summary>One text for a state.</summary>
    public static string Text(IEnumerable<KeyValuePair<string, byte[]>> state) =>
        string.Join('\n', state.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key} {Convert.ToHexString(entry.Value)}"));
}
