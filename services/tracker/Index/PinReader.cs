using Cluster.Storage;
using Cluster.Tracker.Core;
using Ipld;

namespace Cluster.Tracker.Index;

/// <summary>
/// Walks over a snapshot of the index in the order of the CIDs: over all rows, leaving out what is not wanted, or along the lists of
/// the wanted states.
/// </summary>
public sealed class PinReader : IDisposable
{
    private readonly Snapshot _snapshot;
    private readonly Cursor _rows;
    private readonly Cursor[] _lists;
    private readonly HashSet<PinState>? _wanted;
    private TrackedPin? _current;
    private bool _started;

    internal PinReader(
        Database database, IReadOnlyCollection<PinState>? lists, Cid? after, IReadOnlyCollection<PinState>? wanted = null)
    {
        _snapshot = database.CreateSnapshot();
        _wanted = wanted?.ToHashSet();
        // A long listing must not drive everything else out of a small cache.
        _rows = database.CreateCursor(RowsAfter(after), _snapshot, fillCache: false, readAheadBytes: lists is null ? 256 << 10 : 0);
        _lists = lists is null ? [] : [.. lists.Select(s => database.CreateCursor(ListAfter(s, after), _snapshot, fillCache: false))];
        WalksAll = lists is null;
    }

    /// <summary>The row the reader stands on.</summary>
    public TrackedPin Current => _current ?? throw new InvalidOperationException("the reader does not stand on a row");

    private bool WalksAll { get; }

    /// <summary>Goes to the next row; false at the end.</summary>
    public bool MoveNext() => WalksAll ? NextOfAll() : NextOfLists();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var list in _lists)
            list.Dispose();
        _rows.Dispose();
        _snapshot.Dispose();
    }

    private static CursorRange RowsAfter(Cid? after) => After([(byte)'p'], after);

    private static CursorRange ListAfter(PinState state, Cid? after) => After([(byte)'s', (byte)state], after);

    // The least key greater than another one is that key with a zero byte behind it.
    private static CursorRange After(byte[] prefix, Cid? after)
    {
        if (after is not { } cid)
            return CursorRange.Prefix(prefix);
        byte[] start = [.. prefix, .. cid.Bytes, 0];
        return CursorRange.Between(start, KeyRange.EndOfPrefix(prefix));
    }

    private bool NextOfAll()
    {
        while (_rows.MoveNext())
        {
            if (_wanted is not null && !_wanted.Contains(TrackedPinCodec.StateOf(_rows.Value)))
                continue;
            _current = TrackedPinCodec.Read(Cid.FromBytes(_rows.Key[1..]), _rows.Value);
            return true;
        }

        return false;
    }

    private bool NextOfLists()
    {
        if (!_started)
        {
            _started = true;
            foreach (var list in _lists)
                list.MoveNext();
        }

        Cursor? first = null;
        foreach (var list in _lists)
        {
            if (list.IsValid && (first is null || list.Key[2..].SequenceCompareTo(first.Key[2..]) < 0))
                first = list;
        }

        if (first is null)
            return false;
        var cid = Cid.FromBytes(first.Key[2..]);
        Span<byte> buffer = IndexKeys.Length(cid) <= IndexKeys.StackLength
            ? stackalloc byte[IndexKeys.StackLength]
            : new byte[IndexKeys.Length(cid)];
        var key = IndexKeys.Row(buffer, cid);
        if (!_rows.Seek(key) || !_rows.Key.SequenceEqual(key))
            throw new InvalidDataException($"the tracker's index lists {cid}, but has no row of it");
        _current = TrackedPinCodec.Read(cid, _rows.Value);
        first.MoveNext();
        return true;
    }
}
