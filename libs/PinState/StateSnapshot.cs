using Cluster.Model;
using Cluster.PinState.Keys;
using Cluster.PinState.Records;
using Cluster.Storage;
using Ipld;
using Libp2p;

namespace Cluster.PinState;

/// <summary>Which pins of a listing are wanted; several conditions must all hold.</summary>
public sealed record PinFilter
{
    /// <summary>All pins.</summary>
    public static PinFilter All { get; } = new();

    /// <summary>Types wanted.</summary>
    public PinType Types { get; init; } = PinType.All | PinType.Bad;

    /// <summary>Only pins that this peer must hold.</summary>
    public PeerId HeldBy { get; init; }

    /// <summary>Only pins whose CID sorts after this one by its bytes.</summary>
    public Cid After { get; init; }

    /// <summary>Only pins of exactly this name.</summary>
    public string? Name { get; init; }
}

/// <summary>The state at one moment, for lists and lookups that must agree with each other. For several threads; dispose it soon.</summary>
public sealed class StateSnapshot : IDisposable
{
    private readonly PinStore _store;

    internal StateSnapshot(PinStore store)
    {
        _store = store;
        Native = store.Database.CreateSnapshot();
        try
        {
            using var totals = store.Database.Get(StateKeys.Totals, Native);
            Totals = StateTotals.Read(totals.Span);
        }
        catch
        {
            Native.Dispose();
            throw;
        }
    }

    /// <summary>Number of pins, of the last change, and so on, at that moment.</summary>
    public StateTotals Totals { get; }

    internal Snapshot Native { get; }

    internal Database Database => _store.Database;

    /// <summary>The pin of a CID, or null.</summary>
    public Pin? Find(Cid cid)
    {
        using var value = Database.Get(PinStore.PinKey(Totals.Generation, cid.Bytes, stackalloc byte[PinStore.KeyLength(cid)]), Native);
        return value.Found ? PinRecord.Read(value.Span[8..]) : null;
    }

    /// <summary>Walks the pins that pass a filter, ordered by the bytes of their CIDs. An index is used where one helps.</summary>
    public PinCursor List(PinFilter? filter = null) => new(this, filter ?? PinFilter.All);

    /// <summary>CIDs of pins that expire before an instant (Unix seconds), the earliest first.</summary>
    public IndexCursor ExpiringBefore(long unixSeconds)
    {
        var start = new KeyBuilder().Begin(Totals.Generation, StateKeys.ByExpiry).Span.ToArray();
        var end = new KeyBuilder().Begin(Totals.Generation, StateKeys.ByExpiry).AddTime(unixSeconds).Span;
        return new IndexCursor(Database.CreateCursor(CursorRange.Between(start, end), Native), start.Length + 8, descending: false);
    }

    /// <summary>CIDs of pins that name a peer among their allocations.</summary>
    public IndexCursor AllocatedTo(in PeerId peer)
    {
        var prefix = new KeyBuilder().Begin(Totals.Generation, StateKeys.ByAllocation).AddPeer(peer.Bytes).Span;
        return new IndexCursor(Database.CreateCursor(CursorRange.Prefix(prefix), Native), prefix.Length, descending: false);
    }

    /// <summary>The peers that any pin names among its allocations, in the order of the index. Costs a lookup a peer.</summary>
    public IReadOnlyList<PeerId> Holders()
    {
        var holders = new List<PeerId>();
        var start = new KeyBuilder().Begin(Totals.Generation, StateKeys.ByAllocation).Span.ToArray();
        var end = new KeyBuilder().Begin(Totals.Generation, StateKeys.ByAllocation + 1).Span.ToArray();
        while (true)
        {
            using var cursor = Database.CreateCursor(CursorRange.Between(start, end), Native);
            if (!cursor.MoveNext())
                return holders;
            var peer = PeerId.FromBytes(cursor.Key.Slice(3, cursor.Key[2]));
            holders.Add(peer);

            // Behind all entries of this peer: no CID begins with 0xFF.
            start = new KeyBuilder().Begin(Totals.Generation, StateKeys.ByAllocation).AddPeer(peer.Bytes).Add(0xFF).Span.ToArray();
        }
    }

    /// <summary>CIDs of pins with exactly this name (of names beyond 256 bytes, with the same beginning: look at the pin).</summary>
    public IndexCursor Named(string name)
    {
        var prefix = new KeyBuilder().Begin(Totals.Generation, StateKeys.ByName).AddName(System.Text.Encoding.UTF8.GetBytes(name)).Span;
        return new IndexCursor(Database.CreateCursor(CursorRange.Prefix(prefix), Native), prefix.Length, descending: false);
    }

    /// <summary>CIDs of pins of one type other than data.</summary>
    public IndexCursor OfType(PinType type)
    {
        var prefix = new KeyBuilder().Begin(Totals.Generation, StateKeys.ByType).Add((byte)type.ToStoredIndex()).Span;
        return new IndexCursor(Database.CreateCursor(CursorRange.Prefix(prefix), Native), prefix.Length, descending: false);
    }

    /// <summary>CIDs of pins submitted from an instant (included) to another (excluded), in Unix seconds.</summary>
    public IndexCursor Created(long from, long to, bool newestFirst)
    {
        var start = new KeyBuilder().Begin(Totals.Generation, StateKeys.ByCreation).AddTime(from).Span.ToArray();
        var end = new KeyBuilder().Begin(Totals.Generation, StateKeys.ByCreation).AddTime(to).Span;
        return new IndexCursor(Database.CreateCursor(CursorRange.Between(start, end), Native), 10, newestFirst);
    }

    /// <inheritdoc/>
    public void Dispose() => Native.Dispose();
}

/// <summary>Walks the CIDs of an index. One thread.</summary>
public sealed class IndexCursor : IDisposable
{
    private readonly Cursor _cursor;
    private readonly int _prefix;
    private readonly bool _descending;

    internal IndexCursor(Cursor cursor, int prefix, bool descending)
    {
        _cursor = cursor;
        _prefix = prefix;
        _descending = descending;
    }

    /// <summary>The present CID in binary; valid until the next move.</summary>
    public ReadOnlySpan<byte> CidBytes => _cursor.Key[_prefix..];

    /// <summary>The present CID.</summary>
    public Cid Cid => Cid.FromBytes(CidBytes);

    /// <summary>Goes on; false at the end.</summary>
    public bool MoveNext() => _descending ? _cursor.MovePrevious() : _cursor.MoveNext();

    /// <inheritdoc/>
    public void Dispose() => _cursor.Dispose();
}
