using System.Text;

namespace Cluster.Storage.Tests;

public sealed class DatabaseTests : IDisposable
{
    private static readonly FormatVersion Format = new("test", 1);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_value_is_read_back_after_the_database_was_closed()
    {
        using (var database = Open())
            database.Put("key"u8, "value"u8, Durability.Synced);

        using var again = Open();
        Assert.Equal("value"u8.ToArray(), again.GetBytes("key"u8));
        Assert.Null(again.GetBytes("other"u8));
        Assert.True(again.Contains("key"u8));
    }

    [Fact]
    public void An_empty_value_is_not_an_absent_one()
    {
        using var database = Open();
        database.Put("key"u8, default, Durability.Buffered);

        using var value = database.Get("key"u8);
        Assert.True(value.Found);
        Assert.True(value.Span.IsEmpty);
        using var absent = database.Get("no"u8);
        Assert.False(absent.Found);
    }

    [Fact]
    public void A_batch_is_applied_as_one()
    {
        using var database = Open();
        database.Put("gone"u8, "x"u8, Durability.Buffered);
        using var batch = new WriteBatch();
        batch.Put("a"u8, "1"u8);
        batch.Put("b"u8, "2"u8);
        batch.Delete("gone"u8);
        Assert.Equal(3, batch.Count);
        Assert.True(batch.SizeInBytes > 3);
        Assert.False(database.Contains("a"u8));

        database.Write(batch, Durability.Synced);

        Assert.Equal("2"u8.ToArray(), database.GetBytes("b"u8));
        Assert.False(database.Contains("gone"u8));
        batch.Clear();
        Assert.Equal(0, batch.Count);
    }

    [Fact]
    public void A_snapshot_does_not_see_later_writes()
    {
        using var database = Open();
        database.Put("a"u8, "1"u8, Durability.Buffered);
        using var snapshot = database.CreateSnapshot();
        database.Put("a"u8, "2"u8, Durability.Buffered);
        database.Put("b"u8, "1"u8, Durability.Buffered);

        Assert.Equal("1"u8.ToArray(), database.GetBytes("a"u8, snapshot));
        Assert.Null(database.GetBytes("b"u8, snapshot));
        using var cursor = database.CreateCursor(CursorRange.Prefix("b"u8), snapshot);
        Assert.False(cursor.MoveNext());
        Assert.Equal("2"u8.ToArray(), database.GetBytes("a"u8));
    }

    [Fact]
    public void A_prefix_scan_gives_its_keys_in_both_directions_and_nothing_else()
    {
        using var database = Open();
        foreach (var key in new[] { "a", "p/1", "p/2", "p/3", "q" })
            database.Put(Bytes(key), Bytes("v" + key), Durability.Buffered);

        using var forward = database.CreateCursor(CursorRange.Prefix("p/"u8));
        Assert.Equal(["p/1", "p/2", "p/3"], Keys(forward, c => c.MoveNext()));
        using var backward = database.CreateCursor(CursorRange.Prefix("p/"u8));
        Assert.Equal(["p/3", "p/2", "p/1"], Keys(backward, c => c.MovePrevious()));
    }

    [Fact]
    public void Seeks_stay_within_the_bounds()
    {
        using var database = Open();
        foreach (var key in new[] { "a", "b", "d", "e" })
            database.Put(Bytes(key), "x"u8, Durability.Buffered);

        using var cursor = database.CreateCursor(CursorRange.Between("b"u8, "e"u8));
        Assert.True(cursor.Seek("c"u8));
        Assert.Equal("d"u8.ToArray(), cursor.Key.ToArray());
        Assert.False(cursor.MoveNext());
        Assert.True(cursor.SeekForPrevious("c"u8));
        Assert.Equal("b"u8.ToArray(), cursor.Key.ToArray());
        Assert.True(cursor.SeekToLast());
        Assert.Equal("d"u8.ToArray(), cursor.Key.ToArray());
        Assert.True(cursor.SeekToFirst());
        Assert.Equal("b"u8.ToArray(), cursor.Key.ToArray());
        Assert.False(cursor.Seek("z"u8));
        Assert.Throws<InvalidOperationException>(() => cursor.Key.Length);
    }

    [Fact]
    public void The_end_of_a_prefix_skips_trailing_bytes_that_cannot_grow()
    {
        Assert.Equal([1, 3], KeyRange.EndOfPrefix([1, 2]));
        Assert.Equal([2], KeyRange.EndOfPrefix([1, 0xFF, 0xFF]));
        Assert.Null(KeyRange.EndOfPrefix([0xFF, 0xFF]));
        Assert.Null(KeyRange.EndOfPrefix([]));
    }

    [Fact]
    public void A_range_is_deleted_with_its_start_and_without_its_end()
    {
        using var database = Open();
        foreach (var key in new[] { "a", "b", "c", "d" })
            database.Put(Bytes(key), "x"u8, Durability.Buffered);
        using var batch = new WriteBatch();
        batch.DeleteRange("b"u8, "d"u8);
        database.Write(batch, Durability.Buffered);

        using var cursor = database.CreateCursor(CursorRange.From("a"u8));
        Assert.Equal(["a", "d"], Keys(cursor, c => c.MoveNext()));
        Assert.Throws<ArgumentException>(() => batch.DeletePrefix([0xFF]));
    }

    [Fact]
    public void Many_keys_are_looked_up_at_once()
    {
        using var database = Open();
        database.Put("a"u8, "1"u8, Durability.Buffered);
        database.Put("c"u8, ""u8, Durability.Buffered);
        var seen = new List<(int Index, bool Found, string Value)>();

        database.MultiGet(
            [Bytes("a"), Bytes("b"), Bytes("c")],
            (index, found, value) => seen.Add((index, found, Encoding.UTF8.GetString(value))));

        Assert.Equal([(0, true, "1"), (1, false, ""), (2, true, "")], seen);
    }

    [Fact]
    public void A_checkpoint_is_a_database_of_its_own()
    {
        var copy = Path.Combine(_folder.Path, "copy");
        using (var database = Open())
        {
            database.Put("a"u8, "1"u8, Durability.Buffered);
            database.CreateCheckpoint(copy);
            database.Put("a"u8, "2"u8, Durability.Buffered);
        }

        using var checkpoint = Database.Open(copy, new DatabaseOptions { Format = Format, CreateIfMissing = false });
        Assert.Equal("1"u8.ToArray(), checkpoint.GetBytes("a"u8));
    }

    [Fact]
    public void Sizes_and_properties_are_told_after_a_flush()
    {
        using var database = Open();
        var value = new byte[4096];
        Random.Shared.NextBytes(value);
        for (var i = 0; i < 200; i++)
            database.Put([(byte)'s', (byte)i], value, Durability.Buffered);
        database.Flush();
        database.Sync();
        database.Compact();

        Assert.True(database.ApproximateSize("s"u8, "t"u8) > 400_000);
        Assert.NotNull(database.Property("rocksdb.estimate-num-keys"));
        Assert.Null(database.Property("rocksdb.no-such-thing"));
    }

    [Fact]
    public void A_cursor_may_outlive_its_snapshot_and_its_database()
    {
        Cursor cursor;
        using (var database = Open())
        {
            database.Put("k1"u8, "v1"u8, Durability.Buffered);
            database.Put("k2"u8, "v2"u8, Durability.Buffered);
            using var snapshot = database.CreateSnapshot();
            cursor = database.CreateCursor(CursorRange.Prefix("k"u8), snapshot);
        }

        Assert.Equal(["k1", "k2"], Keys(cursor, c => c.MoveNext()));
        cursor.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cursor.MoveNext());
        using var again = Open();
        Assert.Equal("v1"u8.ToArray(), again.GetBytes("k1"u8));
    }

    [Fact]
    public void A_value_holds_the_database_open()
    {
        var database = Open();
        database.Put("key"u8, "value"u8, Durability.Buffered);
        database.Flush();
        var value = database.Get("key"u8);
        database.Dispose();
        Assert.Equal(StorageErrorKind.LockHeld, Assert.Throws<StorageException>(() => Open()).Kind);
        Assert.Equal("value"u8.ToArray(), value.Span.ToArray());
        value.Dispose();
        using var again = Open();
        Assert.True(again.Contains("key"u8));
    }

    [Fact]
    public void A_snapshot_is_read_for_as_long_as_a_cursor_stands_on_it()
    {
        using var database = Open();
        database.Put("key"u8, "old"u8, Durability.Buffered);
        var snapshot = database.CreateSnapshot();
        using var cursor = database.CreateCursor(CursorRange.All, snapshot);
        snapshot.Dispose();
        database.Put("key"u8, "new"u8, Durability.Buffered);
        // Takes the memory of whatever was given back too early.
        using var other = database.CreateCursor(CursorRange.All);
        Assert.Equal("old"u8.ToArray(), database.GetBytes("key"u8, snapshot));
        database.MultiGet(["key"u8.ToArray()], (_, found, value) => Assert.Equal("old"u8.ToArray(), value.ToArray()), snapshot);
    }

    [Fact]
    public void A_snapshot_that_is_gone_is_refused_and_keeps_nothing_open()
    {
        var database = Open();
        var snapshot = database.CreateSnapshot();
        snapshot.Dispose();
        Assert.Throws<ObjectDisposedException>(() => database.CreateCursor(CursorRange.All, snapshot));
        Assert.Throws<ObjectDisposedException>(() => database.GetBytes("key"u8, snapshot));
        database.Dispose();
        Open().Dispose();
    }

    [Fact]
    public void A_read_only_database_reads_and_refuses_to_write()
    {
        using (var database = Open())
            database.Put("a"u8, "1"u8, Durability.Synced);
        using var reader = Database.Open(_folder.Database, new DatabaseOptions { Format = Format, ReadOnly = true });
        Assert.Equal("1"u8.ToArray(), reader.GetBytes("a"u8));
        Assert.Throws<StorageException>(() => reader.Put("a"u8, "2"u8, Durability.Buffered));
    }

    [Fact]
    public void A_database_that_is_open_elsewhere_is_lock_held()
    {
        using var database = Open();
        var error = Assert.Throws<StorageException>(Open);
        Assert.Equal(StorageErrorKind.LockHeld, error.Kind);
        Assert.Contains("in use by another process", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_database_is_not_found_when_none_is_to_be_made()
    {
        var error = Assert.Throws<StorageException>(
            () => Database.Open(_folder.Database, new DatabaseOptions { Format = Format, CreateIfMissing = false }));
        Assert.Equal(StorageErrorKind.NotFound, error.Kind);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_an_IO_error()
    {
        File.WriteAllText(_folder.Database, "a file in the way");
        Assert.Equal(StorageErrorKind.IOError, Assert.Throws<StorageException>(Open).Kind);
    }

    [Fact]
    public void A_damaged_file_is_corruption()
    {
        using (var database = Open())
        {
            for (var i = 0; i < 1000; i++)
                database.Put(Bytes($"key{i}"), new byte[100], Durability.Buffered);
            database.Flush();
        }

        foreach (var table in Directory.GetFiles(_folder.Database, "*.sst"))
            File.WriteAllBytes(table, new byte[new FileInfo(table).Length]);

        var error = Assert.Throws<StorageException>(() =>
        {
            using var database = Open();
            using var cursor = database.CreateCursor(CursorRange.All);
            while (cursor.MoveNext())
            {
            }
        });
        Assert.Equal(StorageErrorKind.Corruption, error.Kind);
    }

    [Theory]
    [InlineData("test", 2)]
    [InlineData("other", 1)]
    public void An_unknown_format_stops_the_start_with_what_to_do(string name, int version)
    {
        using (Open())
        {
        }

        var error = Assert.Throws<StorageException>(
            () => Database.Open(_folder.Database, new DatabaseOptions { Format = new FormatVersion(name, version) }));
        Assert.Equal(StorageErrorKind.UnknownFormat, error.Kind);
        Assert.Contains("'test 1'", error.Message, StringComparison.Ordinal);
        Assert.Contains("export", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_can_be_destroyed_and_made_anew()
    {
        using (var database = Open())
            database.Put("a"u8, "1"u8, Durability.Synced);
        Database.Destroy(_folder.Database);
        using var fresh = Open();
        Assert.Null(fresh.GetBytes("a"u8));
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static List<string> Keys(Cursor cursor, Func<Cursor, bool> move)
    {
        var keys = new List<string>();
        while (move(cursor))
            keys.Add(Encoding.UTF8.GetString(cursor.Key));
        return keys;
    }

    private Database Open() => Database.Open(_folder.Database, new DatabaseOptions { Format = Format });
}
