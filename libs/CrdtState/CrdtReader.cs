using System.Diagnostics.CodeAnalysis;
using Cluster.PinState;
using Cluster.Storage;
using Crdt;

namespace Cluster.CrdtState;

/// <summary>What is committed of the replicated set, for readers on any thread. It cannot be written to.</summary>
public sealed class CrdtReader(PinStore store) : ICrdtTransaction
{
    /// <inheritdoc/>
    public bool TryGet(ReadOnlySpan<byte> key, [NotNullWhen(true)] out byte[]? value)
    {
        Span<byte> full = stackalloc byte[256];
        full = key.Length < full.Length ? full[..(key.Length + 1)] : new byte[key.Length + 1];
        full[0] = store.CompanionKeys;
        key.CopyTo(full[1..]);
        value = store.Database.GetBytes(full);
        return value is not null;
    }

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<byte[], byte[]>> Scan(ReadOnlyMemory<byte> prefix)
    {
        byte[] full = [store.CompanionKeys, .. prefix.Span];
        using var cursor = store.Database.CreateCursor(CursorRange.Prefix(full), fillCache: false);
        while (cursor.MoveNext())
            yield return new(cursor.Key[1..].ToArray(), cursor.Value.ToArray());
    }

    /// <summary>Not possible.</summary>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => throw new NotSupportedException("a reader does not write");

    /// <summary>Not possible.</summary>
    public void Delete(ReadOnlySpan<byte> key) => throw new NotSupportedException("a reader does not write");
}
