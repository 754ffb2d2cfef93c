using System.Text;
using Ipld.Hashing;

namespace Ipld;

/// <summary>
/// The entries of one directory and their blocks: one block while small, a HAMT (fan-out 256, murmur3) from the entry on
/// that takes the estimate above 256 KiB (golden/kubo/README.md, directory sharding).
/// </summary>
internal sealed class DirectoryNode
{
    /// <summary>Estimate above which a directory is sharded: names and CIDs of its entries, in bytes.</summary>
    private const long ShardingThreshold = 256 * 1024;
    private const int Fanout = 256;

    private readonly CidPrefix _prefix;
    private readonly Dictionary<string, DagPbLink> _entries = new(StringComparer.Ordinal);
    private long _estimate;
    private bool _sharded;

    /// <exception cref="MultihashException">The hash function cannot be computed.</exception>
    public DirectoryNode(CidPrefix prefix)
    {
        MultihashSum.EnsureSupported(prefix.HashCode);
        _prefix = prefix;
    }

    public bool Contains(string name) => _entries.ContainsKey(name);

    /// <summary>Adds an entry or replaces the one of that name.</summary>
    public void Set(string name, Cid cid, ulong cumulativeSize)
    {
        var link = new DagPbLink(cid, name, cumulativeSize);
        if (_entries.TryGetValue(name, out var old))
        {
            _estimate -= old.NameBytes.Length + old.Cid.Bytes.Length;
        }

        _estimate += link.NameBytes.Length + cid.Bytes.Length;
        _entries[name] = link;
        // Once sharded it stays so: entries are replaced by ones of like size, never removed.
        _sharded |= _estimate > ShardingThreshold;
    }

    /// <summary>Names in the order of the links: by name, or by hash where sharded.</summary>
    public IEnumerable<string> Names()
    {
        if (!_sharded)
        {
            return Sorted().Select(link => link.Name);
        }

        var entries = Hashed();
        Array.Sort(entries, static (a, b) => a.Hash.CompareTo(b.Hash));
        return entries.Select(entry => entry.Link.Name);
    }

    /// <summary>The directory's blocks as of now, its root last.</summary>
    /// <exception cref="CidFormatException">The prefix cannot name a directory (version 0 with another hash).</exception>
    public List<IpldBlock> Encode()
    {
        var encoded = new List<IpldBlock>();
        if (_sharded)
        {
            var entries = Hashed();
            Array.Sort(entries, static (a, b) => a.Hash.CompareTo(b.Hash));
            EncodeShard(entries, 0, encoded);
        }
        else
        {
            Add(Sorted(), new UnixFsNode { Type = UnixFsType.Directory }, encoded);
        }

        return encoded;
    }

    // One slot table: entries sorted by hash, alike in the bytes above this depth. A slot with one entry holds it,
    // a slot with more holds a table of the next depth.
    private DagPbLink EncodeShard(ReadOnlySpan<HashedEntry> entries, int depth, List<IpldBlock> encoded)
    {
        if (depth == sizeof(ulong))
        {
            throw new ImportException("sharded directory too deep");
        }

        var bits = new byte[Fanout / 8];
        var links = new List<DagPbLink>();
        while (!entries.IsEmpty)
        {
            var slot = Slot(entries[0].Hash, depth);
            var count = 1;
            while (count < entries.Length && Slot(entries[count].Hash, depth) == slot)
            {
                count++;
            }

            bits[^((slot / 8) + 1)] |= (byte)(1 << (slot % 8));
            links.Add(count == 1
                ? entries[0].Link with { NameBytes = SlotName(slot, entries[0].Link.NameBytes.Span) }
                : EncodeShard(entries[..count], depth + 1, encoded) with { NameBytes = SlotName(slot, []) });
            entries = entries[count..];
        }

        var used = bits.AsMemory(bits.AsSpan().IndexOfAnyExcept((byte)0));
        return Add(links, new UnixFsNode { Type = UnixFsType.HamtShard, Data = used, HashType = MultihashCode.Murmur3, Fanout = Fanout }, encoded);
    }

    private DagPbLink Add(IReadOnlyList<DagPbLink> links, UnixFsNode data, List<IpldBlock> encoded)
    {
        var block = DagPbNode.Encode(links, data.Encode());
        var cid = _prefix.Sum(Multicodec.DagPb, block);
        var cumulativeSize = DagPbNode.CumulativeSize(block.Length, links);
        encoded.Add(new IpldBlock(cid, block, cumulativeSize));
        return new DagPbLink(cid, ReadOnlyMemory<byte>.Empty, cumulativeSize);
    }

    private List<DagPbLink> Sorted()
    {
        var links = _entries.Values.ToList();
        links.Sort(static (a, b) => a.NameBytes.Span.SequenceCompareTo(b.NameBytes.Span));
        return links;
    }

    private HashedEntry[] Hashed() => [.. _entries.Values.Select(link => new HashedEntry(Murmur3.Hash(link.NameBytes.Span), link))];

    private static int Slot(ulong hash, int depth) => (int)(hash >> (56 - (8 * depth))) & 0xff;

    private static byte[] SlotName(int slot, ReadOnlySpan<byte> name)
    {
        var prefixed = new byte[2 + name.Length];
        Encoding.ASCII.GetBytes(Convert.ToHexString([(byte)slot]), prefixed);
        name.CopyTo(prefixed.AsSpan(2));
        return prefixed;
    }

    private readonly record struct HashedEntry(ulong Hash, DagPbLink Link);
}
