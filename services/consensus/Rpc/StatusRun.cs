using Cluster.Consensus.Services;

namespace Cluster.Consensus.Rpc;

/// <summary>Statuses in memory that are sorted together. Pages are kept as they came.</summary>
internal sealed class StatusRun
{
    private readonly List<Row> _rows = [];

    /// <summary>Bytes held.</summary>
    internal long Bytes { get; private set; }

    /// <summary>The CID of an item in wire form.</summary>
    /// <exception cref="ClusterException">It has none.</exception>
    internal static ReadOnlyMemory<byte> CidOf(ReadOnlyMemory<byte> item)
    {
        var fields = new WireFields(item.Span);
        while (fields.Next())
        {
            if (fields.Field != 1)
                continue;
            item.Span.Overlaps(fields.Content, out var offset);
            return item.Slice(offset, fields.Content.Length);
        }

        throw new ClusterException(ClusterErrorKind.Internal, "a status without a CID");
    }

    /// <summary>Keeps the items of a page.</summary>
    internal void Add(ReadOnlyMemory<byte> page)
    {
        Bytes += page.Length;
        var fields = new WireFields(page.Span);
        while (fields.Next())
        {
            if (fields.Field != 1)
                continue;
            page.Span.Overlaps(fields.Content, out var offset);
            var item = page.Slice(offset, fields.Content.Length);
            _rows.Add(new Row(CidOf(item), item, _rows.Count));
        }
    }

    /// <summary>The items by the bytes of their CIDs; of equal ones the last.</summary>
    internal IEnumerable<ReadOnlyMemory<byte>> Sorted()
    {
        _rows.Sort(static (a, b) => a.Cid.Span.SequenceCompareTo(b.Cid.Span) is var order and not 0 ? order : a.Number.CompareTo(b.Number));
        for (var i = 0; i < _rows.Count; i++)
        {
            if (i + 1 == _rows.Count || !_rows[i].Cid.Span.SequenceEqual(_rows[i + 1].Cid.Span))
                yield return _rows[i].Item;
        }
    }

    private readonly record struct Row(ReadOnlyMemory<byte> Cid, ReadOnlyMemory<byte> Item, int Number);
}
