using System.Diagnostics.CodeAnalysis;
using Cluster.Storage;
using Crdt;

namespace Cluster.CrdtState;

/// <summary>
/// The store beneath the replicated set: writes go to a batch that the owner commits, reads see them at once. A key that nothing
/// was written to costs one lookup. One thread.
/// </summary>
public sealed class CrdtTransaction : ICrdtTransaction
{
    private readonly Database _database;
    private readonly WriteBatch _batch;
    private readonly Dictionary<byte[], byte[]?> _staged = new(KeyBytes.Instance); // without the first byte; null: removed
    private readonly Dictionary<byte[], byte[]?>.AlternateLookup<ReadOnlySpan<byte>> _lookup;
    private byte[] _key = new byte[256];

    /// <param name="database">What is committed.</param>
    /// <param name="batch">Where the writes go.</param>
    /// <param name="firstByte">Put before every key; see <c>PinTransaction.CompanionKeys</c>.</param>
    public CrdtTransaction(Database database, WriteBatch batch, byte firstByte)
    {
        _database = database;
        _batch = batch;
        _key[0] = firstByte;
        _lookup = _staged.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <inheritdoc/>
    public bool TryGet(ReadOnlySpan<byte> key, [NotNullWhen(true)] out byte[]? value)
    {
        if (_lookup.TryGetValue(key, out value))
            return value is not null;
        value = _database.GetBytes(Full(key));
        return value is not null;
    }

    /// <inheritdoc/>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        _batch.Put(Full(key), value);
        _lookup[key] = value.ToArray();
    }

    /// <inheritdoc/>
    public void Delete(ReadOnlySpan<byte> key)
    {
        _batch.Delete(Full(key));
        _lookup[key] = null;
    }

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<byte[], byte[]>> Scan(ReadOnlyMemory<byte> prefix)
    {
        var staged = _staged.Where(entry => entry.Key.AsSpan().StartsWith(prefix.Span)).OrderBy(entry => entry.Key, KeyBytes.Order).ToArray();
        var next = 0;
        using var cursor = _database.CreateCursor(CursorRange.Prefix(Full(prefix.Span)), fillCache: false);
        while (cursor.MoveNext())
        {
            var (key, value) = (cursor.Key[1..].ToArray(), cursor.Value.ToArray());
            for (; next < staged.Length && KeyBytes.Order.Compare(staged[next].Key, key) < 0; next++)
            {
                if (staged[next].Value is { } written)
                    yield return new(staged[next].Key, written);
            }

            if (!_staged.ContainsKey(key))
                yield return new(key, value);
        }

        for (; next < staged.Length; next++)
        {
            if (staged[next].Value is { } written)
                yield return new(staged[next].Key, written);
        }
    }

    /// <summary>The owner has written the batch and cleared it: what was staged is read from the database from now on.</summary>
    public void Written() => _staged.Clear();

    private ReadOnlySpan<byte> Full(ReadOnlySpan<byte> key)
    {
        if (key.Length >= _key.Length)
            Array.Resize(ref _key, key.Length * 2);
        key.CopyTo(_key.AsSpan(1));
        return _key.AsSpan(0, key.Length + 1);
    }
}
