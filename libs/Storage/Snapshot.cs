using System.Runtime.InteropServices;
using Cluster.Storage.Native;

namespace Cluster.Storage;

/// <summary>The database as it was at one moment. For several threads; dispose it soon, it keeps old versions alive.</summary>
public sealed class Snapshot : IDisposable
{
    private readonly Handle _handle;

    internal Snapshot(DatabaseHandle db)
    {
        _handle = new Handle(db);
        ReadOptions = new ReadOptionsHandle();
        RocksDb.rocksdb_readoptions_set_snapshot(ReadOptions.Native, _handle.Native);
    }

    internal ReadOptionsHandle ReadOptions { get; }

    internal nint Native
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle.Native;
        }
    }

    /// <summary>Keeps the snapshot alive for a cursor, whatever its owner does.</summary>
    internal SafeHandle Retain()
    {
        var added = false;
        _handle.DangerousAddRef(ref added);
        return _handle;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _handle.Dispose();
        ReadOptions.Dispose();
    }

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
        }

        public override bool IsInvalid => handle == 0;

        internal nint Native => handle;

        protected override bool ReleaseHandle()
        {
            RocksDb.rocksdb_release_snapshot(_db, handle);
            if (_retained)
                _db.DangerousRelease();
            return true;
        }
    }
}
