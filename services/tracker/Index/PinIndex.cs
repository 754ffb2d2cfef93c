using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Cluster.Storage;
using Cluster.Tracker.Core;
using Ipld;

namespace Cluster.Tracker.Index;

/// <summary>Where in the numbered changes of the pinset the tracker stands.</summary>
/// <param name="Sequence">The last change that was handled; 0 = nothing.</param>
/// <param name="Epoch">The life of the pinset that the number belongs to.</param>
/// <param name="Generation">Number of the last snapshot.</param>
public sealed record WatchPosition(ulong Sequence, ReadOnlyMemory<byte> Epoch, uint Generation)
{
    public static WatchPosition Nothing { get; } = new(0, default, 0);

    /// <summary>Whether both are the same place, epoch compared by its bytes.</summary>
    public bool Same(WatchPosition other) =>
        Sequence == other.Sequence && Generation == other.Generation && Epoch.Span.SequenceEqual(other.Epoch.Span);
}

/// <summary>
/// The index on disk. Changes gather until <see cref="Commit"/>, which writes them together with the position in the watch: a killed
/// process goes on from a position and a state that belong together. The log is not synced: after a crash of the machine the tracker
/// goes on from an older pair, and handles the same changes once more. Writing is for one thread at a time; what is committed may be
/// read by any.
/// </summary>
public sealed partial class PinIndex : IPinIndex, IDisposable
{
    /// <summary>The format of the rows and keys.</summary>
    public static readonly FormatVersion Format = new("tracker-index", 1);

    private const int States = 11;

    private readonly Database _database;
    private readonly WriteBatch _batch = new();
    private readonly Dictionary<Cid, TrackedPin?> _pending = [];
    private readonly ArrayBufferWriter<byte> _row = new(512);
    private readonly long[] _counts = new long[States];
    private DateTimeOffset? _nextRetry;
    private bool _dirty;

    private PinIndex(Database database)
    {
        _database = database;
        ReadOwn();
        _nextRetry = FirstRetry();
    }

    /// <inheritdoc/>
    public DateTimeOffset? NextRetry => _nextRetry;

    /// <summary>Position of the last commit.</summary>
    public WatchPosition Position { get; private set; } = WatchPosition.Nothing;

    /// <summary>The peer whose items these are; empty when never told.</summary>
    public ReadOnlyMemory<byte> Peer { get; private set; }

    /// <summary>Items of all states.</summary>
    public long Total => _counts.Sum();

    /// <summary>Opens the index in a folder, or makes a new one.</summary>
    /// <exception cref="StorageException">The folder is locked, damaged or of another format; the message says what to do.</exception>
    public static PinIndex Open(string folder)
    {
        var database = Database.Open(folder, new DatabaseOptions
        {
            Format = Format,
            // A tracker is small: most of what it reads it reads in order.
            WriteBufferBytes = 2 << 20,
            BlockCacheBytes = 2 << 20,
            MaxOpenFiles = 64,
            BackgroundJobs = 1,
            MaxWalBytes = 8 << 20,
        });
        try
        {
            return new PinIndex(database);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public long Count(PinState state) => Volatile.Read(ref _counts[(int)state]);

    /// <inheritdoc/>
    public bool TryGet(Cid cid, [NotNullWhen(true)] out TrackedPin? pin) =>
        _pending.TryGetValue(cid, out pin) ? pin is not null : TryGetCommitted(cid, out pin);

    /// <summary>As of the last commit; for any thread.</summary>
    public bool TryGetCommitted(Cid cid, [NotNullWhen(true)] out TrackedPin? pin)
    {
        var length = IndexKeys.Length(cid);
        var buffer = length <= IndexKeys.StackLength ? stackalloc byte[IndexKeys.StackLength] : new byte[length];
        using var value = _database.Get(IndexKeys.Row(buffer, cid));
        pin = value.Found ? TrackedPinCodec.Read(cid, value.Span) : null;
        return pin is not null;
    }

    /// <inheritdoc/>
    public void Replace(TrackedPin? before, TrackedPin? after)
    {
        var cid = (after ?? before)?.Cid ?? default;
        if (!cid.IsDefined)
            return;
        var length = IndexKeys.Length(cid);
        var buffer = length <= IndexKeys.StackLength ? stackalloc byte[IndexKeys.StackLength] : new byte[length];
        if (before is not null && before.State != after?.State)
        {
            _batch.Delete(IndexKeys.InState(buffer, before.State, cid));
            _counts[(int)before.State]--;
        }

        if (before?.RetryAt is { } oldRetry && oldRetry != after?.RetryAt)
            _batch.Delete(IndexKeys.Retry(buffer, oldRetry, cid));
        if (after is null)
        {
            _batch.Delete(IndexKeys.Row(buffer, cid));
        }
        else
        {
            if (before?.State != after.State)
            {
                _batch.Put(IndexKeys.InState(buffer, after.State, cid), default);
                _counts[(int)after.State]++;
            }

            if (after.RetryAt is { } retry && retry != before?.RetryAt)
            {
                _batch.Put(IndexKeys.Retry(buffer, retry, cid), default);
                if (_nextRetry is null || retry < _nextRetry)
                    _nextRetry = retry;
            }

            _row.ResetWrittenCount();
            TrackedPinCodec.Write(after, _row);
            _batch.Put(IndexKeys.Row(buffer, cid), _row.WrittenSpan);
        }

        _pending[cid] = after;
        _dirty = true;
    }

    /// <summary>Makes the changes so far durable, with the position that they lead to (null: as it was).</summary>
    public void Commit(WatchPosition? position = null)
    {
        if (position is not null && !position.Same(Position))
        {
            Position = position;
            _dirty = true;
        }

        if (!_dirty)
            return;
        WriteOwn();
        _database.Write(_batch, Durability.Buffered);
        _batch.Clear();
        _pending.Clear();
        if (_pending.Capacity > 8192)
            _pending.TrimExcess();
        _dirty = false;
    }

    /// <summary>Notes whose items these are. When it was another peer's index, everything is to be read anew.</summary>
    public void Belongs(ReadOnlySpan<byte> peer)
    {
        if (Peer.Span.SequenceEqual(peer))
            return;
        var other = !Peer.IsEmpty;
        Peer = peer.ToArray();
        _dirty = true;
        Commit(other ? WatchPosition.Nothing with { Generation = Position.Generation } : null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _batch.Dispose();
        _database.Dispose();
    }

    private void WriteOwn()
    {
        Span<byte> counts = stackalloc byte[States * 8];
        for (var i = 0; i < States; i++)
            BinaryPrimitives.WriteInt64LittleEndian(counts[(i * 8)..], _counts[i]);
        _batch.Put("mcounts"u8, counts);

        Span<byte> position = stackalloc byte[12 + Position.Epoch.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(position, Position.Sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(position[8..], Position.Generation);
        Position.Epoch.Span.CopyTo(position[12..]);
        _batch.Put("mposition"u8, position);
        _batch.Put("mpeer"u8, Peer.Span);
    }

    private void ReadOwn()
    {
        using (var counts = _database.Get("mcounts"u8))
        {
            for (var i = 0; counts.Found && i < States; i++)
                _counts[i] = BinaryPrimitives.ReadInt64LittleEndian(counts.Span[(i * 8)..]);
        }

        using (var position = _database.Get("mposition"u8))
        {
            if (position.Found)
            {
                Position = new WatchPosition(
                    BinaryPrimitives.ReadUInt64LittleEndian(position.Span),
                    position.Span[12..].ToArray(),
                    BinaryPrimitives.ReadUInt32LittleEndian(position.Span[8..]));
            }
        }

        Peer = _database.GetBytes("mpeer"u8) ?? [];
    }
}
