using System.Runtime.InteropServices;

namespace Cluster.Storage.Native;

/// <summary>
/// The open database and the native objects that must live as long as it does. Cursors, snapshots and pinned values hold a reference each, so the
/// database closes after the last of them, whatever the order in which the owners let go.
/// </summary>
internal sealed class DatabaseHandle : SafeHandle
{
    private readonly nint _options;
    private readonly nint _tableOptions;
    private readonly nint _cache;

    internal DatabaseHandle(nint db, nint options, nint tableOptions, nint cache)
        : base(0, ownsHandle: true)
    {
        SetHandle(db);
        _options = options;
        _tableOptions = tableOptions;
        _cache = cache;
        ReadOptions = RocksDb.rocksdb_readoptions_create();
        Buffered = RocksDb.rocksdb_writeoptions_create();
        Synced = RocksDb.rocksdb_writeoptions_create();
        RocksDb.rocksdb_writeoptions_set_sync(Synced, 1);
    }

    public override bool IsInvalid => handle == 0;

    internal nint Native => handle;

    /// <summary>Options of reads outside any snapshot.</summary>
    internal nint ReadOptions { get; }

    /// <summary>Options of writes that do not wait for the disk.</summary>
    internal nint Buffered { get; }

    /// <summary>Options of writes that do.</summary>
    internal nint Synced { get; }

    /// <summary>Keeps the database open until <see cref="SafeHandle.DangerousRelease"/>.</summary>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    internal void Retain()
    {
        var retained = false;
        DangerousAddRef(ref retained);
    }

    protected override bool ReleaseHandle()
    {
        RocksDb.rocksdb_close(handle);
        RocksDb.rocksdb_readoptions_destroy(ReadOptions);
        RocksDb.rocksdb_writeoptions_destroy(Buffered);
        RocksDb.rocksdb_writeoptions_destroy(Synced);
        ReleaseOptions(_options, _tableOptions, _cache);
        return true;
    }

    internal static void ReleaseOptions(nint options, nint tableOptions, nint cache)
    {
        RocksDb.rocksdb_options_destroy(options);
        RocksDb.rocksdb_block_based_options_destroy(tableOptions);
        if (cache != 0)
            RocksDb.rocksdb_cache_destroy(cache);
    }
}
