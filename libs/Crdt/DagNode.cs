using System.Buffers;

namespace Crdt;

/// <summary>A node of the DAG: a delta, and links to the nodes that its author knew as heads (crdt §5).</summary>
public sealed class DagNode
{
    /// <summary>Links of one node at most. The original sets none; a node with more is refused, so that nobody makes us fetch without end.</summary>
    public const int MaxLinks = 4096;

    // Name (2, empty) and Tsize (3, zero) of a link are written out: strict dag-pb decoders want them (crdt §5, §15).
    private static ReadOnlySpan<byte> LinkTail => [0x12, 0x00, 0x18, 0x00];

    /// <summary>Links, ascending by CID.</summary>
    public required IReadOnlyList<BlockId> Links { get; init; }

    /// <summary>What the node changes.</summary>
    public required Delta Delta { get; init; }

    /// <summary>The bytes of the node: links first, then data.</summary>
    public byte[] Encode()
    {
        var output = new ArrayBufferWriter<byte>(Links.Count * 46 + Delta.Size + 8);
        Span<byte> cid = stackalloc byte[BlockId.CidLength];
        foreach (var link in Links.Order())
        {
            ProtobufWriter.Begin(output, 2, ProtobufWriter.SizeOfBytes(BlockId.CidLength) + LinkTail.Length);
            link.WriteCid(cid);
            ProtobufWriter.Bytes(output, 1, cid);
            output.Write(LinkTail);
        }
        ProtobufWriter.Begin(output, 1, Delta.Size);
        Delta.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads the bytes of a node.</summary>
    /// <exception cref="CrdtFormatException">Not a node: no dag-pb, a link of another kind, too many links, no delta.</exception>
    public static DagNode Parse(ReadOnlyMemory<byte> bytes)
    {
        List<BlockId> links = [];
        ReadOnlyMemory<byte> data = default;
        var reader = new ProtobufReader(bytes.Span);
        while (reader.Next())
        {
            if (reader is { Field: 1, IsBytes: true })
            {
                data = reader.Bytes.ToArray();
            }
            else if (reader is { Field: 2, IsBytes: true })
            {
                if (links.Count == MaxLinks) throw new CrdtFormatException($"a node has more than {MaxLinks} links");
                links.Add(ParseLink(reader.Bytes));
            }
        }
        return new DagNode { Links = links, Delta = Delta.Parse(data) };
    }

    /// <summary>Reads the links alone, without looking at the delta: for those who fetch ahead.</summary>
    /// <exception cref="CrdtFormatException">As with <see cref="Parse"/>, except for what is wrong with the delta.</exception>
    public static IReadOnlyList<BlockId> ParseLinks(ReadOnlySpan<byte> bytes)
    {
        List<BlockId> links = [];
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
        {
            if (reader is not { Field: 2, IsBytes: true }) continue;
            if (links.Count == MaxLinks) throw new CrdtFormatException($"a node has more than {MaxLinks} links");
            links.Add(ParseLink(reader.Bytes));
        }
        return links;
    }

    /// <summary>Reads where a node stands in the DAG, its links and its height, without looking at what it changes.</summary>
    /// <exception cref="CrdtFormatException">As with <see cref="Parse"/>, except for what is wrong with single changes.</exception>
    public static (IReadOnlyList<BlockId> Links, ulong Height) ParsePlace(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> data = default;
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
            if (reader is { Field: 1, IsBytes: true }) data = reader.Bytes;
        return (ParseLinks(bytes), Delta.ParsePriority(data));
    }

    private static BlockId ParseLink(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
            if (reader is { Field: 1, IsBytes: true }) return BlockId.FromCid(reader.Bytes);
        throw new CrdtFormatException("a link without a CID");
    }
}
