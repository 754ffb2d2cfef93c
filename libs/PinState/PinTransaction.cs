using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Cluster.Model;
using Cluster.PinState.Changes;
using Cluster.PinState.Keys;
using Cluster.PinState.Records;
using Cluster.Storage;
using Ipld;

namespace Cluster.PinState;

/// <summary>
/// A change of the state in the making: any number of puts and removals that become visible and durable together. It sees its own
/// changes. Holds the writer's place until disposed of; on one thread.
/// </summary>
public sealed class PinTransaction : IDisposable
{
    private readonly PinStore _store;
    private readonly StateTotals _before;
    private readonly ulong[] _counts;
    private readonly IndexWriter _indexes;
    private readonly KeyBuilder _key = new();
    private readonly Dictionary<Cid, Staged> _staged = [];
    private readonly List<StateChange> _changes = [];
    private byte[] _value = new byte[512];
    private ulong _sequence;
    private long _removals;
    private bool _disposed;

    internal PinTransaction(PinStore store)
    {
        _store = store;
        _store.WriteLock.Enter();
        _before = store.Totals;
        _counts = _before.CopyCounts();
        _sequence = _before.Sequence;
        _removals = (long)_before.Removals;
        Batch = new WriteBatch();
        _indexes = new IndexWriter(Batch);
    }

    /// <summary>The batch, for what must become durable together with the state (a log position, CRDT heads).</summary>
    public WriteBatch Batch { get; }

    /// <summary>First byte of the keys in <see cref="Batch"/> that belong to the state; see <see cref="PinStore.CompanionKeys"/>.</summary>
    public byte CompanionKeys => PinStore.CompanionOf(_before.Generation);

    /// <summary>Number of the last change made here, or of the last one before.</summary>
    public ulong Sequence => _sequence;

    /// <summary>The pin of a CID as this transaction leaves it, or null.</summary>
    public Pin? Find(Cid cid)
    {
        if (_staged.TryGetValue(cid, out var staged))
            return staged.Record is null ? null : PinRecord.Read(staged.Record);
        return _store.Find(cid);
    }

    /// <summary>Adds a pin, or replaces the one of the same CID. Gives its number.</summary>
    public ulong Put(Pin pin)
    {
        if (!pin.Cid.IsDefined)
            throw new ArgumentException("a pin without a CID", nameof(pin));
        var record = PinRecord.ToBytes(pin);
        RemoveOld(pin.Cid, out _);
        var number = ++_sequence;
        var generation = _before.Generation;
        var value = Value(number, record);
        Batch.Put(_key.Begin(generation, StateKeys.Pins).Add(pin.Cid.Bytes).Span, value);
        Batch.Put(_key.Begin(generation, StateKeys.Puts).AddNumber(number).Span, pin.Cid.Bytes);
        _indexes.Add(generation, new PinRecordView(record));
        _counts[pin.Type.ToStoredIndex()]++;
        _staged[pin.Cid] = new Staged(number, record);
        _changes.Add(new StateChange(number, ChangeKind.Put, record));
        return number;
    }

    /// <summary>Takes a pin out; false when the CID is not in the pinset (then nothing changes).</summary>
    public bool Remove(Cid cid)
    {
        if (!RemoveOld(cid, out var record))
            return false;
        var number = ++_sequence;
        var generation = _before.Generation;
        Batch.Delete(_key.Begin(generation, StateKeys.Pins).Add(cid.Bytes).Span);
        Batch.Put(_key.Begin(generation, StateKeys.Removals).AddNumber(number).Span, record);
        _removals++;
        _staged[cid] = new Staged(number, null);
        _changes.Add(new StateChange(number, ChangeKind.Removed, record));
        return true;
    }

    /// <summary>Writes everything as one and publishes it. Gives the number of the last change.</summary>
    public ulong Commit(Durability durability)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var forgotten = _before.Forgotten;
        if (_removals > 2L * _store.Options.MaxRemovals)
            forgotten = ForgetRemovals(forgotten);
        var totals = new StateTotals(_before.Generation, _before.Epoch, _sequence, forgotten, (ulong)_removals, _counts);
        Span<byte> bytes = stackalloc byte[StateTotals.Size];
        totals.Write(bytes);
        Batch.Put(StateKeys.Totals, bytes);
        _store.Database.Write(Batch, durability);
        if (_changes.Count > 0)
            _store.Publish(totals, CollectionsMarshal.AsSpan(_changes));
        return _sequence;
    }

    /// <summary>Gives the writer's place free; what was not committed is forgotten.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Batch.Dispose();
        _store.WriteLock.Exit();
    }

    private bool RemoveOld(Cid cid, out byte[] record)
    {
        ulong number;
        if (_staged.TryGetValue(cid, out var staged))
        {
            record = staged.Record ?? [];
            number = staged.Number;
            if (staged.Record is null)
                return false;
        }
        else
        {
            using var value = _store.Database.Get(_key.Begin(_before.Generation, StateKeys.Pins).Add(cid.Bytes).Span);
            if (!value.Found)
            {
                record = [];
                return false;
            }

            number = PinStore.SequenceOf(value.Span);
            record = value.Span[8..].ToArray();
        }

        var view = new PinRecordView(record);
        _indexes.Remove(_before.Generation, view);
        Batch.Delete(_key.Begin(_before.Generation, StateKeys.Puts).AddNumber(number).Span);
        _counts[view.Type.ToStoredIndex()]--;
        return true;
    }

    private ReadOnlySpan<byte> Value(ulong number, byte[] record)
    {
        if (_value.Length < record.Length + 8)
            _value = new byte[(record.Length + 8) * 2];
        BinaryPrimitives.WriteUInt64LittleEndian(_value, number);
        record.CopyTo(_value.AsSpan(8));
        return _value.AsSpan(0, record.Length + 8);
    }

    /// <summary>Drops the oldest removals so that the wanted number is left; those of this very transaction stay.</summary>
    private ulong ForgetRemovals(ulong forgotten)
    {
        var surplus = _removals - _store.Options.MaxRemovals;
        var prefix = _key.Begin(_before.Generation, StateKeys.Removals).Span.ToArray();
        var dropped = 0L;
        using var cursor = _store.Database.CreateCursor(CursorRange.Prefix(prefix), fillCache: false);
        while (dropped < surplus && cursor.MoveNext())
        {
            forgotten = BinaryPrimitives.ReadUInt64BigEndian(cursor.Key[2..]);
            dropped++;
        }

        if (dropped > 0)
            Batch.DeleteRange(prefix, _key.Begin(_before.Generation, StateKeys.Removals).AddNumber(forgotten + 1).Span);
        _removals -= dropped;
        return forgotten;
    }

    private readonly record struct Staged(ulong Number, byte[]? Record);
}
