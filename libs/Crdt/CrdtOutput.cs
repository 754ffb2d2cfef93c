namespace Crdt;

/// <summary>A key of the set got a value, or lost it.</summary>
/// <param name="Key">Datastore key with its leading slash.</param>
/// <param name="Value">The value now; null: removed.</param>
/// <param name="Existed">Whether the key had a value before.</param>
/// <param name="Restored">A removal uncovered an older addition that survives. The original tells nobody of those (crdt §8).</param>
public readonly record struct KeyChange(string Key, ReadOnlyMemory<byte>? Value, bool Existed, bool Restored);

/// <summary>What the core wants done after an input, in this order: changes told (with the transaction), blocks fetched, heads broadcast.</summary>
public sealed class CrdtOutput
{
    /// <summary>Changes of the set, in order; several of one key are possible.</summary>
    public List<KeyChange> Changes { get; } = [];

    /// <summary>Blocks to get from other replicas; answer each with <c>BlockArrived</c> or <c>BlockUnavailable</c>.</summary>
    public List<BlockId> Fetches { get; } = [];

    /// <summary>Heads to announce in one broadcast.</summary>
    public List<BlockId> Broadcast { get; } = [];

    /// <summary>Nodes merged, in order.</summary>
    public List<BlockId> Merged { get; } = [];
}
