using System.Runtime.InteropServices;
using Cluster.Storage.Native;

namespace Cluster.Storage;

/// <summary>
/// Changes that become visible, and durable, all at once or not at all. Not for several threads at a time; reusable after
/// <see cref="Clear"/>.
/// </summary>
public sealed class WriteBatch : IDisposable
{
    private readonly Handle _handle = new();

    /// <summary>Makes an empty batch.</summary>
    public WriteBatch()
    {
        EngineLibrary.Ensure();
        _handle.Create();
    }

    /// <summary>Changes so far.</summary>
    public int Count => RocksDb.rocksdb_writebatch_count(Native);

    /// <summary>Bytes of the batch as it goes to the log.</summary>
    public unsafe long SizeInBytes
    {
        get
        {
            RocksDb.rocksdb_writebatch_data(Native, out var length);
            return (long)length;
        }
    }

    internal nint Native
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle.DangerousGetHandle();
        }
    }

    /// <summary>Sets a key.</summary>
    public unsafe void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        fixed (byte* k = key, v = value)
            RocksDb.rocksdb_writebatch_put(Native, k, (nuint)key.Length, v, (nuint)value.Length);
    }

    /// <summary>Removes a key; it need not exist.</summary>
    public unsafe void Delete(ReadOnlySpan<byte> key)
    {
        fixed (byte* k = key)
            RocksDb.rocksdb_writebatch_delete(Native, k, (nuint)key.Length);
    }

    /// <summary>Removes all keys from <paramref name="start"/> up to, not including, <paramref name="end"/>.</summary>
    public unsafe void DeleteRange(ReadOnlySpan<byte> start, ReadOnlySpan<byte> end)
    {
        fixed (byte* s = start, e = end)
            RocksDb.rocksdb_writebatch_delete_range(Native, s, (nuint)start.Length, e, (nuint)end.Length);
    }

    /// <summary>Removes all keys that begin with a prefix, which must not be empty nor all 0xFF.</summary>
    public void DeletePrefix(ReadOnlySpan<byte> prefix)
    {
        var end = KeyRange.EndOfPrefix(prefix) ?? throw new ArgumentException("the prefix has no upper bound", nameof(prefix));
        DeleteRange(prefix, end);
    }

    /// <summary>Forgets the changes.</summary>
    public void Clear() => RocksDb.rocksdb_writebatch_clear(Native);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private sealed class Handle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        internal void Create() => SetHandle(RocksDb.rocksdb_writebatch_create());

        protected override bool ReleaseHandle()
        {
            RocksDb.rocksdb_writebatch_destroy(handle);
            return true;
        }
    }
}
