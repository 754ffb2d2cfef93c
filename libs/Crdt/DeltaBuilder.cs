namespace Crdt;

/// <summary>
/// Collects pins and unpins that share one node. A removal names the additions that are committed when it is called, and drops
/// additions of the same key that wait in the batch (crdt §8).
/// </summary>
public sealed class DeltaBuilder
{
    private readonly List<DeltaElement> elements = [];
    private readonly List<DeltaTombstone> tombstones = [];
    private readonly bool keepDuplicates;
    private int size;

    /// <param name="keepDuplicates">
    /// Keep several additions of one key, as the original's batches do. By default the later one replaces the earlier: readers of
    /// duplicates disagree about which one stands (crdt §8).
    /// </param>
    public DeltaBuilder(bool keepDuplicates = false) => this.keepDuplicates = keepDuplicates;

    /// <summary>Whether a commit would publish nothing.</summary>
    public bool IsEmpty => elements.Count == 0 && tombstones.Count == 0;

    /// <summary>Bytes of the delta so far, without its priority.</summary>
    public int Size => size;

    /// <summary>Items collected.</summary>
    public int Count => elements.Count + tombstones.Count;

    /// <summary>Gives a key a value.</summary>
    public void Put(string key, ReadOnlyMemory<byte> value)
    {
        if (!keepDuplicates) DropElements(key);
        var element = new DeltaElement(key, value);
        elements.Add(element);
        size += Delta.SizeOf(element);
    }

    /// <summary>Removes what is known of a key.</summary>
    /// <returns>False when nothing committed is known, so that no tombstone was needed.</returns>
    public bool Remove(ICrdtTransaction transaction, string key)
    {
        DropElements(key);
        var ids = KeyValueSet.Find(transaction, key)?.Additions.Select(id => id.ToElementId()).Order(StringComparer.Ordinal).ToArray() ?? [];
        foreach (var id in ids)
        {
            var tombstone = new DeltaTombstone(key, id);
            tombstones.Add(tombstone);
            size += Delta.SizeOf(tombstone);
        }
        return ids.Length > 0;
    }

    internal Delta Build(ulong priority) => new() { Elements = [.. elements], Tombstones = [.. tombstones], Priority = priority };

    private void DropElements(string key)
    {
        for (var i = elements.Count - 1; i >= 0; i--)
        {
            if (elements[i].Key != key) continue;
            size -= Delta.SizeOf(elements[i]);
            elements.RemoveAt(i);
        }
    }
}
