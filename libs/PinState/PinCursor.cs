using System.Text;
using Cluster.Model;
using Cluster.PinState.Keys;
using Cluster.PinState.Records;
using Cluster.Storage;

namespace Cluster.PinState;

/// <summary>
/// Walks pins in the order of their CIDs' bytes and gives their records without copying them. One thread; the snapshot it came from
/// must live as long.
/// </summary>
public sealed class PinCursor : IDisposable
{
    private readonly StateSnapshot _snapshot;
    private readonly PinFilter _filter;
    private readonly byte[]? _name;
    private readonly bool _everything;
    private readonly Cursor? _rows;
    private readonly IndexCursor? _index;
    private readonly KeyBuilder _key = new();
    private byte[] _fetched = [];
    private int _fetchedLength;
    private ulong _fetchedSequence;

    internal PinCursor(StateSnapshot snapshot, PinFilter filter)
    {
        _snapshot = snapshot;
        _filter = filter;
        _name = filter.Name is null ? null : Encoding.UTF8.GetBytes(filter.Name);
        _everything = (filter.Types & (PinType.All | PinType.Bad)) == (PinType.All | PinType.Bad) && !filter.HeldBy.IsDefined && _name is null;
        if (_name is { Length: > 0 and <= StateKeys.MaxNameBytes })
        {
            _index = snapshot.Named(filter.Name!);
            return;
        }

        if (filter.Types is PinType.Meta or PinType.ClusterDag or PinType.Shard)
        {
            _index = snapshot.OfType(filter.Types);
            return;
        }

        var start = new KeyBuilder().Begin(snapshot.Totals.Generation, StateKeys.Pins);
        var end = KeyRange.EndOfPrefix(start.Span)!;
        if (filter.After.IsDefined)
            start.Add(filter.After.Bytes).Add(0); // the first key after it
        _rows = snapshot.Database.CreateCursor(
            CursorRange.Between(start.Span, end), snapshot.Native, fillCache: false, readAheadBytes: 256 << 10);
    }

    /// <summary>The present record; valid until the next move.</summary>
    public ReadOnlySpan<byte> Record => _rows is not null ? _rows.Value[8..] : _fetched.AsSpan(0, _fetchedLength);

    /// <summary>Number of the change that made the present record.</summary>
    public ulong Sequence => _rows is not null ? PinStore.SequenceOf(_rows.Value) : _fetchedSequence;

    /// <summary>The present pin.</summary>
    public Pin Current => PinRecord.Read(Record);

    /// <summary>Goes on to the next pin that passes the filter; false at the end.</summary>
    public bool MoveNext()
    {
        while (_rows is not null ? _rows.MoveNext() : FetchNext())
        {
            if (_everything || Passes(new PinRecordView(Record)))
                return true;
        }

        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rows?.Dispose();
        _index?.Dispose();
    }

    private bool Passes(PinRecordView pin) =>
        (pin.Type & _filter.Types) != 0
        && (_name is null || pin.Name.SequenceEqual(_name))
        && (!_filter.HeldBy.IsDefined || pin.IsHeldBy(_filter.HeldBy));

    private bool FetchNext()
    {
        while (_index!.MoveNext())
        {
            var cid = _index.CidBytes;
            if (_filter.After.IsDefined && cid.SequenceCompareTo(_filter.After.Bytes) <= 0)
                continue;
            using var value = _snapshot.Database.Get(
                _key.Begin(_snapshot.Totals.Generation, StateKeys.Pins).Add(cid).Span, _snapshot.Native);
            var record = value.Span[8..];
            if (_fetched.Length < record.Length)
                _fetched = new byte[record.Length * 2];
            record.CopyTo(_fetched);
            _fetchedLength = record.Length;
            _fetchedSequence = PinStore.SequenceOf(value.Span);
            return true;
        }

        return false;
    }
}
