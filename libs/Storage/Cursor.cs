using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cluster.Storage.Native;

namespace Cluster.Storage;

/// <summary>What a cursor walks over.</summary>
public readonly ref struct CursorRange
{
    private CursorRange(ReadOnlySpan<byte> lower, ReadOnlySpan<byte> upper, bool hasUpper)
    {
        Lower = lower;
        Upper = upper;
        HasUpper = hasUpper;
    }

    /// <summary>The whole database.</summary>
    public static CursorRange All => new(default, default, false);

    internal ReadOnlySpan<byte> Lower { get; }

    internal ReadOnlySpan<byte> Upper { get; }

    internal bool HasUpper { get; }

    /// <summary>All keys that begin with a prefix.</summary>
    public static CursorRange Prefix(ReadOnlySpan<byte> prefix)
    {
        var end = KeyRange.EndOfPrefix(prefix);
        return new CursorRange(prefix, end, end is not null);
    }

    /// <summary>Keys from <paramref name="start"/> (included) to <paramref name="end"/> (excluded).</summary>
    public static CursorRange Between(ReadOnlySpan<byte> start, ReadOnlySpan<byte> end) => new(start, end, true);

    /// <summary>Keys from <paramref name="start"/> (included) to the last.</summary>
    public static CursorRange From(ReadOnlySpan<byte> start) => new(start, default, false);
}

/// <summary>
/// Walks keys in order over a snapshot (its own when none is given). Not for several threads at a time. Begins before the first
/// key: <c>while (cursor.MoveNext()) ...</c>, or seek. <see cref="Key"/> and <see cref="Value"/> are valid until the next move.
/// </summary>
public sealed class Cursor : IDisposable
{
    private readonly Handle _handle;
    private bool _started;
    private bool _valid;

    internal Cursor(DatabaseHandle db, Snapshot? snapshot, CursorRange range, bool fillCache, int readAheadBytes)
    {
        var options = new ReadOptionsHandle();
        if (range.Lower.Length > 0)
            options.SetLowerBound(range.Lower);
        if (range.HasUpper)
            options.SetUpperBound(range.Upper);
        if (!fillCache)
            RocksDb.rocksdb_readoptions_set_fill_cache(options.Native, 0);
        if (readAheadBytes > 0)
            RocksDb.rocksdb_readoptions_set_readahead_size(options.Native, (nuint)readAheadBytes);
        _handle = new Handle(db, snapshot, options);
    }

    /// <summary>Whether the cursor stands on a key.</summary>
    public bool IsValid => _valid;

    /// <summary>The present key.</summary>
    public unsafe ReadOnlySpan<byte> Key
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (!_valid)
                ThrowNotOnKey();
            var data = RocksDb.rocksdb_iter_key(_handle.Native, out var length);
            return new ReadOnlySpan<byte>(data, (int)length);
        }
    }

    /// <summary>The present value.</summary>
    public unsafe ReadOnlySpan<byte> Value
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (!_valid)
                ThrowNotOnKey();
            var data = RocksDb.rocksdb_iter_value(_handle.Native, out var length);
            return new ReadOnlySpan<byte>(data, checked((int)length));
        }
    }

    /// <summary>Moves to the next key; the first call to the first key. False at the end.</summary>
    public bool MoveNext()
    {
        var iterator = Native;
        if (!_started)
            RocksDb.rocksdb_iter_seek_to_first(iterator);
        else if (_valid)
            RocksDb.rocksdb_iter_next(iterator);
        return Arrived(iterator);
    }

    /// <summary>Moves to the previous key; the first call to the last key. False before the first.</summary>
    public bool MovePrevious()
    {
        var iterator = Native;
        if (!_started)
            RocksDb.rocksdb_iter_seek_to_last(iterator);
        else if (_valid)
            RocksDb.rocksdb_iter_prev(iterator);
        return Arrived(iterator);
    }

    /// <summary>Moves to the first key at or after the given one.</summary>
    public unsafe bool Seek(ReadOnlySpan<byte> key)
    {
        var iterator = Native;
        fixed (byte* k = key)
            RocksDb.rocksdb_iter_seek(iterator, k, (nuint)key.Length);
        return Arrived(iterator);
    }

    /// <summary>Moves to the last key at or before the given one.</summary>
    public unsafe bool SeekForPrevious(ReadOnlySpan<byte> key)
    {
        var iterator = Native;
        fixed (byte* k = key)
            RocksDb.rocksdb_iter_seek_for_prev(iterator, k, (nuint)key.Length);
        return Arrived(iterator);
    }

    /// <summary>Moves to the first key.</summary>
    public bool SeekToFirst()
    {
        var iterator = Native;
        RocksDb.rocksdb_iter_seek_to_first(iterator);
        return Arrived(iterator);
    }

    /// <summary>Moves to the last key.</summary>
    public bool SeekToLast()
    {
        var iterator = Native;
        RocksDb.rocksdb_iter_seek_to_last(iterator);
        return Arrived(iterator);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _valid = false;
        _handle.Dispose();
    }

    private nint Native
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle.Native;
        }
    }

    private bool Arrived(nint iterator)
    {
        _started = true;
        _valid = RocksDb.rocksdb_iter_valid(iterator) != 0;
        if (!_valid)
        {
            // An iterator ends for two reasons; only its status tells a damaged block from the last key.
            RocksDb.rocksdb_iter_get_error(iterator, out var error);
            RocksDb.Check(error);
        }

        return _valid;
    }

    private static void ThrowNotOnKey() => throw new InvalidOperationException("the cursor stands on no key");

    private sealed class Handle : SafeHandle
    {
        private readonly DatabaseHandle _db;
        private readonly SafeHandle? _snapshot;
        private readonly ReadOptionsHandle _options;
        private readonly bool _retained;

        internal Handle(DatabaseHandle db, Snapshot? snapshot, ReadOptionsHandle options)
            : base(0, ownsHandle: true)
        {
            _db = db;
            _options = options;
            if (snapshot is not null)
            {
                _snapshot = snapshot.Retain();
                RocksDb.rocksdb_readoptions_set_snapshot(options.Native, snapshot.Native);
            }

            // Last, as nothing is released of a cursor that was never made.
            try
            {
                _db.DangerousAddRef(ref _retained);
            }
            catch
            {
                _snapshot?.DangerousRelease();
                throw;
            }

            SetHandle(RocksDb.rocksdb_create_iterator(db, options.Native));
        }

        public override bool IsInvalid => handle == 0;

        internal nint Native => handle;

        protected override bool ReleaseHandle()
        {
            RocksDb.rocksdb_iter_destroy(handle);
            _options.Dispose();
            _snapshot?.DangerousRelease();
            if (_retained)
                _db.DangerousRelease();
            return true;
        }
    }
}
