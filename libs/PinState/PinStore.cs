using System.Buffers;
using System.Buffers.Binary;
using Cluster.Model;
using Cluster.PinState.Changes;
using Cluster.PinState.Keys;
using Cluster.PinState.Records;
using Cluster.Storage;
using Ipld;

namespace Cluster.PinState;

/// <summary>
/// The pinset on disk: pins by CID, indexes, totals and a change log that are written in one batch. One writer at a time
/// (<see cref="Begin"/>), any number of readers. The change log is compacted as it grows: only the last change of a CID is kept, and
/// of removals at most <see cref="PinStoreOptions.MaxRemovals"/>, so it never outgrows the pinset.
/// </summary>
public sealed class PinStore
{
    /// <summary>The format of a database that holds a pinset; see <see cref="DatabaseOptions.Format"/>.</summary>
    public static readonly FormatVersion Format = new("consensus", 1);

    private const string FolderName = "consensus";

    private readonly PinStoreOptions _options;
    private readonly RecentChanges _recent;
    private volatile StateTotals _totals;
    private int _replacing;

    private PinStore(Database database, PinStoreOptions options, StateTotals totals)
    {
        Database = database;
        _options = options;
        _totals = totals;
        _recent = new RecentChanges(totals.Sequence);
    }

    /// <summary>The database, shared with whatever else the peer keeps in it.</summary>
    public Database Database { get; }

    /// <summary>Number of pins, of the last change, and so on: the present ones.</summary>
    public StateTotals Totals => _totals;

    /// <summary>
    /// First byte of the keys of what the present state follows from (a DAG). A replacement has another one, and takes the old keys
    /// away with the old state.
    /// </summary>
    public byte CompanionKeys => CompanionOf(_totals.Generation);

    /// <summary>The database folder of a peer: <c>consensus</c> in its configuration folder.</summary>
    public static string FolderIn(string configurationFolder) => Path.Combine(configurationFolder, FolderName);

    internal PinStoreOptions Options => _options;

    internal RecentChanges Recent => _recent;

    internal Lock WriteLock { get; } = new();

    /// <summary>Opens the pinset of a database; an empty one when there is none.</summary>
    public static PinStore Open(Database database, PinStoreOptions? options = null)
    {
        var stored = database.GetBytes(StateKeys.Totals);
        var totals = stored is null ? StateTotals.Fresh() : StateTotals.Read(stored);
        if (stored is null)
        {
            // The epoch must be on disk before anybody is told of it.
            var bytes = new byte[StateTotals.Size];
            totals.Write(bytes);
            database.Put(StateKeys.Totals, bytes, Durability.Synced);
        }

        return new PinStore(database, options ?? new PinStoreOptions(), totals);
    }

    /// <summary>The pin of a CID, or null.</summary>
    public Pin? Find(Cid cid)
    {
        using var value = Get(cid);
        return value.Found ? PinRecord.Read(value.Span[8..]) : null;
    }

    /// <summary>Whether a CID is in the pinset.</summary>
    public bool Contains(Cid cid)
    {
        using var value = Get(cid);
        return value.Found;
    }

    /// <summary>Appends the record of a CID to a writer; false when it is not in the pinset.</summary>
    public bool TryGetRecord(Cid cid, IBufferWriter<byte> destination)
    {
        using var value = Get(cid);
        if (!value.Found)
            return false;
        destination.Write(value.Span[8..]);
        return true;
    }

    /// <summary>Begins a change; others wait until it is committed or disposed of. On one thread from begin to end.</summary>
    public PinTransaction Begin() => new(this);

    /// <summary>Begins to replace the whole state; nothing changes until it is finished.</summary>
    public PinReplacement BeginReplacement() => new(this);

    /// <summary>The state as it is now, for as long as the snapshot is kept.</summary>
    public StateSnapshot CreateSnapshot() => new(this);

    /// <summary>
    /// What happened after a number, in order; from memory when it is recent, else from the log. False when the log does not reach
    /// back that far, or the number is not one of this epoch: then only a listing helps (<see cref="CreateSnapshot"/>).
    /// </summary>
    /// <param name="after">The last number that the caller has handled.</param>
    /// <param name="maxChanges">Changes at most.</param>
    /// <param name="maxBytes">Bytes of records after which no further one is added.</param>
    /// <param name="into">Where the changes are put.</param>
    public bool TryReadChanges(ulong after, int maxChanges, int maxBytes, List<StateChange> into)
    {
        var totals = _totals;
        if (after > totals.Sequence || (after < totals.Forgotten))
            return false;
        return _recent.TryRead(after, maxChanges, maxBytes, into) || ChangeLog.TryRead(this, after, maxChanges, maxBytes, into);
    }

    /// <summary>Completes when there is a change after the number, or the state was replaced.</summary>
    public Task WaitForChangeAsync(ulong after, CancellationToken cancellationToken) => _recent.WaitAsync(after, cancellationToken);

    internal bool TryReserveReplacement() => Interlocked.CompareExchange(ref _replacing, 1, 0) == 0;

    internal void ReleaseReplacement() => Volatile.Write(ref _replacing, 0);

    internal void Publish(StateTotals totals, ReadOnlySpan<StateChange> changes)
    {
        _totals = totals;
        _recent.Publish(changes, totals.Sequence);
    }

    internal void Restart(StateTotals totals)
    {
        _totals = totals;
        _recent.Restart(totals.Sequence);
    }

    /// <summary>The value of a CID. A replacement takes the keys of the state before it away: what is missed there is looked for again.</summary>
    private PinnedValue Get(Cid cid)
    {
        Span<byte> key = stackalloc byte[KeyLength(cid)];
        while (true)
        {
            var totals = _totals;
            var value = Database.Get(PinKey(totals.Generation, cid.Bytes, key));
            if (value.Found || totals.Epoch.Equals(_totals.Epoch))
                return value;
        }
    }

    internal static byte CompanionOf(byte generation) => (byte)(StateKeys.Companion0 + generation);

    internal static int KeyLength(Cid cid) => cid.Bytes.Length + 2;

    internal static ReadOnlySpan<byte> PinKey(byte generation, ReadOnlySpan<byte> cid, Span<byte> buffer)
    {
        buffer[0] = (byte)(StateKeys.Generation0 + generation);
        buffer[1] = StateKeys.Pins;
        cid.CopyTo(buffer[2..]);
        return buffer[..(cid.Length + 2)];
    }

    internal static ulong SequenceOf(ReadOnlySpan<byte> value) => BinaryPrimitives.ReadUInt64LittleEndian(value);
}

/// <summary>Limits of a pinset.</summary>
public sealed record PinStoreOptions
{
    /// <summary>
    /// Removals that the change log keeps at least, for those who follow; twice as many at most. Who is further behind gets a
    /// listing instead.
    /// </summary>
    public int MaxRemovals { get; init; } = 65_536;

    /// <summary>Bytes of a batch of a replacement.</summary>
    public int ReplacementBatchBytes { get; init; } = 1 << 20;
}
