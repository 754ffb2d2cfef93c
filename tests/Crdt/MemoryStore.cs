using System.Diagnostics.CodeAnalysis;

namespace Crdt.Tests;

/// <summary>A store in memory, ordered by bytes; every write is committed at once.</summary>
internal sealed class MemoryStore : ICrdtTransaction
{
    private static readonly Comparer<byte[]> Order = Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b));

    private readonly SortedDictionary<byte[], byte[]> entries = new(Order);

    public int Count => entries.Count;

    public bool TryGet(ReadOnlySpan<byte> key, [NotNullWhen(true)] out byte[]? value) => entries.TryGetValue(key.ToArray(), out value);

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => entries[key.ToArray()] = value.ToArray();

    public void Delete(ReadOnlySpan<byte> key) => entries.Remove(key.ToArray());

    public IEnumerable<KeyValuePair<byte[], byte[]>> Scan(ReadOnlyMemory<byte> prefix) =>
        entries.Where(entry => entry.Key.AsSpan().StartsWith(prefix.Span)).ToArray();
}
