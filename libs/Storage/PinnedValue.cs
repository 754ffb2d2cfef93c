using System.Runtime.CompilerServices;
using Cluster.Storage.Native;

namespace Cluster.Storage;

/// <summary>A value in the engine's own memory, not copied. Dispose it soon: it holds blocks in the cache, and the database open.</summary>
public ref struct PinnedValue
{
    private readonly DatabaseHandle? _db;
    private nint _slice;

    /// <param name="slice">The value; 0 when the key does not exist.</param>
    /// <param name="db">The database, retained for the value; it is not when there is none.</param>
    internal PinnedValue(nint slice, DatabaseHandle db)
    {
        _slice = slice;
        _db = db;
    }

    /// <summary>Whether the key exists.</summary>
    public readonly bool Found => _slice != 0;

    /// <summary>The value; valid until <see cref="Dispose"/>. Empty when the key does not exist.</summary>
    public readonly unsafe ReadOnlySpan<byte> Span
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (_slice == 0)
                return default;
            var data = RocksDb.rocksdb_pinnableslice_value(_slice, out var length);
            return new ReadOnlySpan<byte>(data, checked((int)length));
        }
    }

    /// <summary>Lets the value go.</summary>
    public void Dispose()
    {
        if (_slice == 0)
            return;
        RocksDb.rocksdb_pinnableslice_destroy(_slice);
        _slice = 0;
        _db!.DangerousRelease();
    }
}
