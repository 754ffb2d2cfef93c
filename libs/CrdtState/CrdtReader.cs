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
        value = store.Database.GetBytes(Full(key, stackalloc byte[256]));
        return value is not null;
    }

    /// <summary>Bytes of the value of a key, which is not copied; null when there is none.</summary>
    public int? SizeOf(ReadOnlySpan<byte> key)
    {
        using var value = store.Database.Get(Full(key, stackalloc byte[256]));
        return value.Found ? value.Span.Length : null;
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

    private ReadOnlySpan<byte> Full(ReadOnlySpan<byte> key, Span<byte> buffer)
    {
        var full = key.Length < buffer.Length ? buffer[..(key.Length + 1)] : new byte[key.Length + 1];
        full[0] = store.CompanionKeys;
        key.CopyTo(full[1..]);
        return full;
    }
}
