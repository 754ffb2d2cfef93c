using System.Buffers.Binary;
using Cluster.Model;
using Cluster.PinState.Keys;
using Cluster.PinState.Records;
using Cluster.Storage;
using Ipld;

namespace Cluster.PinState;

/// <summary>
/// Another pinset in place of the present one. It is written beside it, in the other generation of keys, and takes its place in one
/// synced write at the end: a crash in between leaves the old one, whole. Of several pins of one CID the last one stays. Changes that
/// others commit meanwhile belong to the old state and go with it. One at a time; not for several threads at once.
/// </summary>
public sealed class PinReplacement : IDisposable
{
    // The numbers of the new state begin beyond all that the old one can reach until the end: numbers only grow.
    private const ulong Gap = 1UL << 32;

    private readonly PinStore _store;
    private readonly WriteBatch _batch = new();
    private readonly IndexWriter _indexes;
    private readonly KeyBuilder _key = new();
    private readonly HashSet<Cid> _inBatch = [];
    private readonly StateTotals _before;
    private readonly StateTotals _after;
    private readonly ulong[] _counts = new ulong[5];
    private ulong _sequence;
    private bool _finished;
    private bool _disposed;

    internal PinReplacement(PinStore store)
    {
        _store = store;
        _indexes = new IndexWriter(_batch);
        if (!store.TryReserveReplacement())
        {
            _batch.Dispose();
            throw new InvalidOperationException("another import is under way; wait for its end");
        }

        try
        {
            _before = store.Totals;
            _after = StateTotals.Fresh((byte)(_before.Generation ^ 1), _before.Sequence + Gap);
            _sequence = _after.Sequence;
            Clear(_after.Generation);
        }
        catch
        {
            _batch.Dispose();
            store.ReleaseReplacement();
            throw;
        }
    }

    /// <summary>First byte of the keys that belong to the new state; see <see cref="PinStore.CompanionKeys"/>.</summary>
    public byte CompanionKeys => PinStore.CompanionOf(_after.Generation);

    /// <summary>Pins so far.</summary>
    public ulong Count
    {
        get
        {
            ulong sum = 0;
            foreach (var count in _counts)
                sum += count;
            return sum;
        }
    }

    /// <summary>Adds a pin to the new state.</summary>
    public void Add(Pin pin)
    {
        if (!pin.Cid.IsDefined)
            throw new ArgumentException("a pin without a CID", nameof(pin));
        if (_inBatch.Contains(pin.Cid))
            Write(Durability.Buffered);
        RemoveEarlier(pin.Cid);
        var record = PinRecord.ToBytes(pin);
        var number = ++_sequence;
        var value = new byte[record.Length + 8];
        BinaryPrimitives.WriteUInt64LittleEndian(value, number);
        record.CopyTo(value.AsSpan(8));
        _batch.Put(_key.Begin(_after.Generation, StateKeys.Pins).Add(pin.Cid.Bytes).Span, value);
        _batch.Put(_key.Begin(_after.Generation, StateKeys.Puts).AddNumber(number).Span, pin.Cid.Bytes);
        _indexes.Add(_after.Generation, new PinRecordView(record));
        _counts[pin.Type.ToStoredIndex()]++;
        _inBatch.Add(pin.Cid);
        if (_batch.SizeInBytes > _store.Options.ReplacementBatchBytes)
            Write(Durability.Buffered);
    }

    /// <summary>Makes the new state the present one, durably.</summary>
    public void Finish()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var totals = new StateTotals(_after.Generation, _after.Epoch, _sequence, _after.Forgotten, 0, _counts);
        var bytes = new byte[StateTotals.Size];
        totals.Write(bytes);
        _batch.Put(StateKeys.Totals, bytes);
        lock (_store.WriteLock)
        {
            Write(Durability.Synced);
            _finished = true;
            _store.Restart(totals);
        }

        Clear(_before.Generation);
    }

    /// <summary>Gives up what was not finished.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        try
        {
            if (!_finished)
                Clear(_after.Generation);
        }
        finally
        {
            _batch.Dispose();
            _store.ReleaseReplacement();
        }
    }

    private void RemoveEarlier(Cid cid)
    {
        using var value = _store.Database.Get(_key.Begin(_after.Generation, StateKeys.Pins).Add(cid.Bytes).Span);
        if (!value.Found)
            return;
        var view = new PinRecordView(value.Span[8..]);
        _indexes.Remove(_after.Generation, view);
        _batch.Delete(_key.Begin(_after.Generation, StateKeys.Puts).AddNumber(PinStore.SequenceOf(value.Span)).Span);
        _counts[view.Type.ToStoredIndex()]--;
    }

    private void Clear(byte generation)
    {
        _batch.Clear();
        _batch.DeletePrefix([(byte)(StateKeys.Generation0 + generation)]);
        _batch.DeletePrefix([PinStore.CompanionOf(generation)]);
        Write(Durability.Buffered);
    }

    private void Write(Durability durability)
    {
        _store.Database.Write(_batch, durability);
        _batch.Clear();
        _inBatch.Clear();
    }
}
