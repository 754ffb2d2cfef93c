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
        using var found = Get(key);
        value = found.Found ? found.Span.ToArray() : null;
        return value is not null;
    }

    /// <summary>Bytes of the value of a key, which is not copied; null when there is none.</summary>
    public int? SizeOf(ReadOnlySpan<byte> key)
    {
        using var value = Get(key);
        return value.Found ? value.Span.Length : null;
    }

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<byte[], byte[]>> Scan(ReadOnlyMemory<byte> prefix)
    {
        using var cursor = Walk(prefix.Span);
        while (cursor.MoveNext())
            yield return new(cursor.Key[1..].ToArray(), cursor.Value.ToArray());
    }

    /// <summary>Not possible.</summary>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => throw new NotSupportedException("a reader does not write");

    /// <summary>Not possible.</summary>
    public void Delete(ReadOnlySpan<byte> key) => throw new NotSupportedException("a reader does not write");

    // A replacement of the state takes the keys of the one before it away: what is missed there is looked for again.
    private PinnedValue Get(ReadOnlySpan<byte> key)
    {
        Span<byte> buffer = stackalloc byte[256];
        while (true)
        {
            var epoch = store.Totals.Epoch;
            var value = store.Database.Get(Full(key, buffer));
            if (value.Found || epoch.Equals(store.Totals.Epoch))
                return value;
        }
    }

    private Cursor Walk(ReadOnlySpan<byte> prefix)
    {
        while (true)
        {
            var epoch = store.Totals.Epoch;
            var cursor = store.Database.CreateCursor(CursorRange.Prefix([store.CompanionKeys, .. prefix]), fillCache: false);
            if (epoch.Equals(store.Totals.Epoch))
                return cursor;
            cursor.Dispose();
        }
    }

    private ReadOnlySpan<byte> Full(ReadOnlySpan<byte> key, Span<byte> buffer)
    {
        var full = key.Length < buffer.Length ? buffer[..(key.Length + 1)] : new byte[key.Length + 1];
        full[0] = store.CompanionKeys;
        key.CopyTo(full[1..]);
        return full;
    }
}
