using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Cluster.Storage.Native;

namespace Cluster.Storage;

/// <summary>When a write counts as done.</summary>
public enum Durability
{
    /// <summary>When the operating system has it: survives the death of the process, not of the machine.</summary>
    Buffered,

    /// <summary>When the disk has it: survives both.</summary>
    Synced,
}

/// <summary>What <see cref="Database.MultiGet"/> calls for each key.</summary>
/// <param name="index">Place of the key in the question.</param>
/// <param name="found">Whether it exists.</param>
/// <param name="value">The value; valid during the call only.</param>
public delegate void MultiGetVisitor(int index, bool found, ReadOnlySpan<byte> value);

/// <summary>
/// An ordered map of byte strings on disk (RocksDB). For several threads. Keys that begin with a zero byte are the library's own.
/// </summary>
public sealed partial class Database : IDisposable
{
    private static readonly byte[] FormatKey = "\0format"u8.ToArray();

    private readonly DatabaseHandle _handle;

    private Database(DatabaseHandle handle, string path)
    {
        _handle = handle;
        Path = path;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Opens the database of a folder, and checks its format.</summary>
    /// <exception cref="StorageException">
    /// LockHeld, Corruption, NotFound, UnknownFormat, EngineMissing and others; the message says what to do.
    /// </exception>
    public static Database Open(string path, DatabaseOptions options)
    {
        EngineLibrary.Ensure();
        var full = System.IO.Path.GetFullPath(path);
        if (options.CreateIfMissing && !options.ReadOnly)
            CreateFolder(full);
        var database = new Database(OpenHandle(full, options), full);
        try
        {
            database.CheckFormat(options);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Removes the database of a folder, and the folder when nothing else is in it.</summary>
    public static void Destroy(string path)
    {
        EngineLibrary.Ensure();
        if (!Directory.Exists(path))
            return;
        var options = RocksDb.rocksdb_options_create();
        try
        {
            RocksDb.rocksdb_destroy_db(options, path, out var error);
            RocksDb.Check(error, path);
        }
        finally
        {
            RocksDb.rocksdb_options_destroy(options);
        }
    }

    /// <summary>Looks a key up without copying its value.</summary>
    public unsafe PinnedValue Get(scoped ReadOnlySpan<byte> key, Snapshot? snapshot = null)
    {
        // The value lies in the cache, so it keeps the database open for as long as it is held.
        _handle.Retain();
        var slice = nint.Zero;
        try
        {
            using var reading = new SnapshotUse(_handle, snapshot);
            nint error;
            fixed (byte* k = key)
                slice = RocksDb.rocksdb_get_pinned(_handle.Native, reading.Options, k, (nuint)key.Length, out error);
            RocksDb.Check(error, Path);
            return new PinnedValue(slice, _handle);
        }
        finally
        {
            if (slice == 0)
                _handle.DangerousRelease();
        }
    }

    /// <summary>Looks a key up and copies its value; null when it does not exist.</summary>
    public byte[]? GetBytes(ReadOnlySpan<byte> key, Snapshot? snapshot = null)
    {
        using var value = Get(key, snapshot);
        return value.Found ? value.Span.ToArray() : null;
    }

    /// <summary>Looks a key up and appends its value to a writer; false when it does not exist.</summary>
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> destination, Snapshot? snapshot = null)
    {
        using var value = Get(key, snapshot);
        if (!value.Found)
            return false;
        destination.Write(value.Span);
        return true;
    }

    /// <summary>Whether a key exists.</summary>
    public bool Contains(ReadOnlySpan<byte> key, Snapshot? snapshot = null)
    {
        using var value = Get(key, snapshot);
        return value.Found;
    }

    /// <summary>Looks many keys up at once; the visitor is called for each, in order.</summary>
    public unsafe void MultiGet(IReadOnlyList<ReadOnlyMemory<byte>> keys, MultiGetVisitor visitor, Snapshot? snapshot = null)
    {
        var count = keys.Count;
        if (count == 0)
            return;
        var pins = new MemoryHandle[count];
        var pointers = new nint[count];
        var lengths = new nuint[count];
        var values = new nint[count];
        var valueLengths = new nuint[count];
        var errors = new nint[count];
        try
        {
            for (var i = 0; i < count; i++)
            {
                pins[i] = keys[i].Pin();
                pointers[i] = (nint)pins[i].Pointer;
                lengths[i] = (nuint)keys[i].Length;
            }

            using (var reading = new SnapshotUse(_handle, snapshot))
            {
                fixed (nint* k = pointers, v = values, e = errors)
                fixed (nuint* kl = lengths, vl = valueLengths)
                    RocksDb.rocksdb_multi_get(_handle, reading.Options, (nuint)count, (byte**)k, kl, (byte**)v, vl, e);
            }

            for (var i = 0; i < count; i++)
            {
                var error = errors[i];
                errors[i] = 0;
                RocksDb.Check(error, Path);
                visitor(i, values[i] != 0, new ReadOnlySpan<byte>((void*)values[i], (int)valueLengths[i]));
            }
        }
        finally
        {
            for (var i = 0; i < count; i++)
            {
                pins[i].Dispose();
                if (values[i] != 0)
                    RocksDb.rocksdb_free(values[i]);
                if (errors[i] != 0)
                    RocksDb.rocksdb_free(errors[i]);
            }
        }
    }

    /// <summary>
    /// Writes a batch as one. With <see cref="Durability.Synced"/> the calling thread waits for the disk; everything written
    /// before, also buffered, is then durable too.
    /// </summary>
    public void Write(WriteBatch batch, Durability durability)
    {
        RocksDb.rocksdb_write(_handle, durability == Durability.Synced ? _handle.Synced : _handle.Buffered, batch.Native, out var error);
        RocksDb.Check(error, Path);
        GC.KeepAlive(batch);
    }

    /// <summary>Writes one key.</summary>
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability)
    {
        using var batch = new WriteBatch();
        batch.Put(key, value);
        Write(batch, durability);
    }

    /// <summary>Makes everything that was written so far durable.</summary>
    public void Sync()
    {
        RocksDb.rocksdb_flush_wal(_handle, 1, out var error);
        RocksDb.Check(error, Path);
    }

    /// <summary>Holds the present state for reading.</summary>
    public Snapshot CreateSnapshot() => new(_handle);

    /// <summary>Walks a range in key order.</summary>
    /// <param name="range">What to walk over.</param>
    /// <param name="snapshot">The state to read; null for the present one.</param>
    /// <param name="fillCache">False for scans of much that is read once, so that they do not drive out what is in use.</param>
    /// <param name="readAheadBytes">Bytes to read ahead of a long scan; 0 leaves it to the engine.</param>
    public Cursor CreateCursor(CursorRange range, Snapshot? snapshot = null, bool fillCache = true, int readAheadBytes = 0) =>
        new(_handle, snapshot, range, fillCache, readAheadBytes);

    /// <summary>
    /// Makes a consistent copy in a new folder (hard links where the file system allows). The folder must not exist.
    /// </summary>
    public void CreateCheckpoint(string folder)
    {
        var checkpoint = RocksDb.rocksdb_checkpoint_object_create(_handle, out var error);
        RocksDb.Check(error, Path);
        try
        {
            RocksDb.rocksdb_checkpoint_create(checkpoint, folder, 0, out error);
            RocksDb.Check(error, folder);
        }
        finally
        {
            RocksDb.rocksdb_checkpoint_object_destroy(checkpoint);
        }
    }

    /// <summary>Roughly how many bytes the files hold for a range; what is still in memory does not count.</summary>
    public unsafe long ApproximateSize(ReadOnlySpan<byte> start, ReadOnlySpan<byte> end)
    {
        ulong size;
        fixed (byte* s = start, e = end)
        {
            var starts = s;
            var ends = e;
            var startLength = (nuint)start.Length;
            var endLength = (nuint)end.Length;
            RocksDb.rocksdb_approximate_sizes(_handle, 1, &starts, &startLength, &ends, &endLength, &size, out var error);
            RocksDb.Check(error, Path);
        }

        return (long)size;
    }

    /// <summary>Writes what is in memory to files and waits for it.</summary>
    public void Flush()
    {
        var options = RocksDb.rocksdb_flushoptions_create();
        try
        {
            RocksDb.rocksdb_flush(_handle, options, out var error);
            RocksDb.Check(error, Path);
        }
        finally
        {
            RocksDb.rocksdb_flushoptions_destroy(options);
        }
    }

    /// <summary>Rewrites all files without what was overwritten or removed.</summary>
    public unsafe void Compact() => RocksDb.rocksdb_compact_range(_handle, null, 0, null, 0);

    /// <summary>A property of the engine ("rocksdb.estimate-num-keys"), or null when it knows none of that name.</summary>
    public string? Property(string name)
    {
        var text = RocksDb.rocksdb_property_value(_handle, name);
        if (text == 0)
            return null;
        var value = Marshal.PtrToStringUTF8(text);
        RocksDb.rocksdb_free(text);
        return value;
    }

    /// <summary>Closes the database as soon as no cursor, snapshot or pinned value is left.</summary>
    public void Dispose() => _handle.Dispose();

    /// <summary>Keeps what a read needs while it runs, whatever the snapshot's owner does meanwhile.</summary>
    private readonly ref struct SnapshotUse(DatabaseHandle db, Snapshot? snapshot)
    {
        private readonly SafeHandle? _retained = snapshot?.Retain();

        public nint Options { get; } = snapshot?.ReadOptions ?? db.ReadOptions;

        public void Dispose() => _retained?.DangerousRelease();
    }

    private static void CreateFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(StorageErrorKind.IOError, $"cannot make the folder of the database: {e.Message}", e);
        }
    }

    private void CheckFormat(DatabaseOptions options)
    {
        var expected = string.Create(CultureInfo.InvariantCulture, $"{options.Format.Name} {options.Format.Version}");
        var stored = GetBytes(FormatKey);
        if (stored is null)
        {
            using var cursor = CreateCursor(CursorRange.All);
            if (options.ReadOnly || cursor.MoveNext())
                throw new StorageException(
                    StorageErrorKind.UnknownFormat,
                    $"{Path} is a database without a format version, this program did not write it; move it away or choose another folder");
            Put(FormatKey, Encoding.UTF8.GetBytes(expected), Durability.Synced);
            return;
        }

        var found = Encoding.UTF8.GetString(stored);
        if (found != expected)
            throw new StorageException(
                StorageErrorKind.UnknownFormat,
                $"{Path} has the format '{found}', this program knows '{expected}'; run the version that wrote it, export there, "
                + "then move the folder away and import here");
    }
}
