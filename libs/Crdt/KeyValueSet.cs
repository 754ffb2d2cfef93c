namespace Crdt;

/// <summary>The add-wins observed-remove set with last-priority values (crdt §8): how one delta changes the keys.</summary>
internal static class KeyValueSet
{
    /// <summary>The record of a key; null when nothing is known of it.</summary>
    public static KeyRecord? Find(ICrdtTransaction transaction, string key) =>
        transaction.TryGet(CrdtKeys.KeyRecord(key), out var bytes) ? KeyRecord.Parse(bytes) : null;

    /// <summary>Merges a node: tombstones first, then elements. The node must not have been merged before.</summary>
    public static void Merge(ICrdtTransaction transaction, BlockId id, Delta delta, List<KeyChange> changes)
    {
        Dictionary<string, KeyRecord> touched = [];
        KeyRecord Record(string key)
        {
            if (!touched.TryGetValue(key, out var record)) touched.Add(key, record = Find(transaction, key) ?? new KeyRecord());
            return record;
        }

        foreach (var group in delta.Tombstones.GroupBy(tombstone => tombstone.Key, StringComparer.Ordinal))
            Remove(transaction, group.Key, Record(group.Key), group, changes);
        Add(id, delta, Record, changes);
        foreach (var (key, record) in touched)
        {
            if (record.IsEmpty) transaction.Delete(CrdtKeys.KeyRecord(key));
            else transaction.Put(CrdtKeys.KeyRecord(key), record.Encode());
        }
    }

    private static void Remove(
        ICrdtTransaction transaction, string key, KeyRecord record, IEnumerable<DeltaTombstone> tombstones, List<KeyChange> changes)
    {
        foreach (var tombstone in tombstones)
        {
            if (!BlockId.TryFromElementId(tombstone.Id, out var removed)) continue; // names no node: never meets an addition
            if (!record.Additions.Remove(removed) && !transaction.TryGet(CrdtKeys.Processed(removed), out _))
                record.EarlyTombstones.Add(removed);
        }
        var existed = record.Value is not null;
        (record.Value, record.Priority) = Best(transaction, key, record.Additions);
        changes.Add(new KeyChange(key, null, existed, false));
        if (record.Value is { } survivor) changes.Add(new KeyChange(key, survivor, false, true));
    }

    private static void Add(BlockId id, Delta delta, Func<string, KeyRecord> find, List<KeyChange> changes)
    {
        // Comparisons read the state before this delta's elements, so that of equal keys in one delta the last that beats it wins (§8).
        Dictionary<string, (byte[]? Value, ulong Priority, bool Removed)> before = new(StringComparer.Ordinal);
        foreach (var element in delta.Elements)
        {
            var record = find(element.Key);
            if (!before.TryGetValue(element.Key, out var old))
            {
                old = (record.Value, record.Priority, record.EarlyTombstones.Remove(id));
                before.Add(element.Key, old);
                if (!old.Removed) record.Additions.Add(id);
            }
            if (old.Removed || delta.Priority < old.Priority) continue;
            if (delta.Priority == old.Priority && element.Value.Span.SequenceCompareTo(old.Value) <= 0) continue;
            var existed = record.Value is not null;
            record.Value = element.Value.ToArray();
            record.Priority = delta.Priority;
            changes.Add(new KeyChange(element.Key, record.Value, existed, false));
        }
    }

    /// <summary>The value that survives: highest priority, then the bytewise greatest; within one node the greatest (§8.1).</summary>
    private static (byte[]? Value, ulong Priority) Best(ICrdtTransaction transaction, string key, List<BlockId> additions)
    {
        byte[]? best = null;
        ulong priority = 0;
        foreach (var id in additions)
        {
            if (!transaction.TryGet(CrdtKeys.Block(id), out var bytes)) throw new CrdtFormatException($"the merged block {id} is not in the store");
            var delta = DagNode.Parse(bytes).Delta;
            if (best is not null && delta.Priority < priority) continue;
            byte[] value = [];
            foreach (var element in delta.Elements)
                if (element.Key == key && element.Value.Span.SequenceCompareTo(value) > 0) value = element.Value.ToArray();
            if (best is null || delta.Priority > priority || value.AsSpan().SequenceCompareTo(best) > 0) best = value;
            priority = delta.Priority;
        }
        return (best, priority);
    }
}
