namespace Crdt;

/// <summary>
/// Collects pins and unpins that share one node. A removal names the additions that are committed when it is called, and drops
/// additions of the same key that wait in the batch (crdt §8). Each call costs the same, however much is collected.
/// </summary>
public sealed class DeltaBuilder
{
    private readonly List<DeltaElement?> elements = []; // null: dropped again
    private readonly Dictionary<string, List<int>> places = new(StringComparer.Ordinal);
    private readonly List<DeltaTombstone> tombstones = [];
    private readonly HashSet<DeltaTombstone> removed = [];
    private readonly bool keepDuplicates;
    private int size;
    private int additions;

    /// <param name="keepDuplicates">
    /// Keep several additions of one key, as the original's batches do, and several tombstones of one addition. By default the later
    /// addition replaces the earlier: readers of duplicates disagree about which one stands (crdt §8).
    /// </param>
    public DeltaBuilder(bool keepDuplicates = false) => this.keepDuplicates = keepDuplicates;

    /// <summary>Whether a commit would publish nothing.</summary>
    public bool IsEmpty => additions == 0 && tombstones.Count == 0;

    /// <summary>Bytes of the delta so far, without its priority.</summary>
    public int Size => size;

    /// <summary>Items collected.</summary>
    public int Count => additions + tombstones.Count;

    /// <summary>Gives a key a value.</summary>
    public void Put(string key, ReadOnlyMemory<byte> value)
    {
        if (!keepDuplicates) DropElements(key);
        var element = new DeltaElement(key, value);
        if (!places.TryGetValue(key, out var list)) places.Add(key, list = []);
        list.Add(elements.Count);
        elements.Add(element);
        additions++;
        size += Delta.SizeOf(element);
    }

    /// <summary>Removes what is known of a key.</summary>
    /// <returns>False when nothing committed is known, so that no tombstone was needed.</returns>
    public bool Remove(ICrdtTransaction transaction, string key)
    {
        DropElements(key);
        var ids = CommittedAdditions(transaction, key);
        foreach (var id in ids) Remove(new DeltaTombstone(key, id));
        return ids.Length > 0;
    }

    internal static string[] CommittedAdditions(ICrdtTransaction transaction, string key) =>
        KeyValueSet.Find(transaction, key)?.Additions.Select(id => id.ToElementId()).Order(StringComparer.Ordinal).ToArray() ?? [];

    internal void Remove(DeltaTombstone tombstone)
    {
        if (!keepDuplicates && !removed.Add(tombstone)) return;
        tombstones.Add(tombstone);
        size += Delta.SizeOf(tombstone);
    }

    internal void DropElements(string key)
    {
        if (!places.Remove(key, out var list)) return;
        foreach (var place in list)
        {
            size -= Delta.SizeOf(elements[place]!.Value);
            elements[place] = null;
            additions--;
        }
    }

    internal Delta Build(ulong priority) => new()
    {
        Elements = [.. elements.Where(element => element is not null).Select(element => element!.Value)],
        Tombstones = [.. tombstones],
        Priority = priority,
    };
}
