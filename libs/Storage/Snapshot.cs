using System.Runtime.InteropServices;
using Cluster.Storage.Native;

namespace Cluster.Storage;

/// <summary>The database as it was at one moment. For several threads; dispose it soon, it keeps old versions alive.</summary>
public sealed class Snapshot : IDisposable
{
    private readonly Handle _handle;

    internal Snapshot(DatabaseHandle db) => _handle = new Handle(db);

    /// <summary>Options of reads of this state; for as long as it is retained.</summary>
    internal nint ReadOptions => _handle.ReadOptions.Native;

    /// <summary>The engine's object; for as long as it is retained.</summary>
    internal nint Native => _handle.Native;

    /// <summary>Keeps the snapshot alive for a cursor or a read, whatever its owner does.</summary>
    /// <exception cref="ObjectDisposedException">It is gone.</exception>
    internal SafeHandle Retain()
    {
        var added = false;
        _handle.DangerousAddRef(ref added);
        return _handle;
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private sealed class Handle : SafeHandle
    {
        private readonly DatabaseHandle _db;
        private readonly bool _retained;

        internal Handle(DatabaseHandle db)
            : base(0, ownsHandle: true)
        {
            _db = db;
            _db.DangerousAddRef(ref _retained);
            SetHandle(RocksDb.rocksdb_create_snapshot(db));
            RocksDb.rocksdb_readoptions_set_snapshot(ReadOptions.Native, handle);
        }

        internal ReadOptionsHandle ReadOptions { get; } = new();

        public override bool IsInvalid => handle == 0;

        internal nint Native => handle;

        protected override bool ReleaseHandle()
        {
            RocksDb.rocksdb_release_snapshot(_db, handle);
            ReadOptions.Dispose();
            if (_retained)
                _db.DangerousRelease();
            return true;
        }
    }
}
