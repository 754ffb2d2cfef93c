using System.Text;

namespace Ipld;

/// <summary>A link of a dag-pb node.</summary>
/// <param name="Cid">What is linked to.</param>
/// <param name="NameBytes">The name as it stands in the block, normally UTF-8.</param>
/// <param name="Size">Cumulative bytes of the linked DAG.</param>
public readonly record struct DagPbLink(Cid Cid, ReadOnlyMemory<byte> NameBytes, ulong Size)
{
    /// <summary>A link with a name as text.</summary>
    public DagPbLink(Cid cid, string name, ulong size)
        : this(cid, Encoding.UTF8.GetBytes(name), size)
    {
    }

    /// <summary>The name as text.</summary>
    public string Name => Encoding.UTF8.GetString(NameBytes.Span);
}

/// <summary>A dag-pb node: links and data (spec: ipld.io/specs/codecs/dag-pb).</summary>
/// <param name="Links">In the order of the block.</param>
/// <param name="Data">Absent (null) is not the same block as empty.</param>
public sealed record DagPbNode(IReadOnlyList<DagPbLink> Links, ReadOnlyMemory<byte>? Data)
{
    // PBNode: Data = 1, Links = 2 (written before Data, for historic reasons); PBLink: Hash = 1, Name = 2, Tsize = 3.
    private const int DataField = 1;
    private const int LinksField = 2;

    /// <summary>Most links that are read from one block: a block of 4 MiB cannot hold more.</summary>
    public const int MaxLinks = 1 << 17;

    /// <summary>Encodes a node canonically: links sorted by name (stable), then data.</summary>
    public static byte[] Encode(IReadOnlyList<DagPbLink> links, ReadOnlyMemory<byte>? data)
    {
        var sorted = IsSorted(links) ? links : [.. links.OrderBy(link => link.NameBytes, NameOrder.Instance)];
        return Write(sorted, data);
    }

    /// <summary>Encodes this node canonically.</summary>
    public byte[] Encode() => Encode(Links, Data);

    /// <summary>Size of the block and everything below it, as its links tell.</summary>
    public static ulong CumulativeSize(int blockLength, IReadOnlyList<DagPbLink> links)
    {
        var size = (ulong)blockLength;
        foreach (var link in links)
        {
            size += link.Size;
        }

        return size;
    }

    /// <summary>Decodes a block as strictly as go-codec-dagpb does.</summary>
    /// <exception cref="IpldDecodeException">The block is not dag-pb; the message is the original's.</exception>
    public static DagPbNode Decode(ReadOnlySpan<byte> block)
    {
        var reader = new ProtobufReader(block);
        var links = new List<DagPbLink>();
        byte[]? data = null;
        var linksEnded = false;
        while (!reader.IsAtEnd)
        {
            var (field, wireType) = reader.ReadTag();
            if (wireType != ProtobufReader.BytesType)
            {
                throw new IpldDecodeException($"protobuf: (PBNode) invalid wireType, expected 2, got {wireType}");
            }

            switch (field)
            {
                case DataField:
                    if (data is not null)
                    {
                        throw new IpldDecodeException("protobuf: (PBNode) duplicate Data section");
                    }

                    data = reader.ReadBytes().ToArray();
                    linksEnded = links.Count > 0;
                    break;
                case LinksField:
                    var link = reader.ReadBytes();
                    if (linksEnded)
                    {
                        throw new IpldDecodeException("protobuf: (PBNode) duplicate Links section");
                    }

                    if (links.Count == MaxLinks)
                    {
                        throw new IpldDecodeException($"protobuf: (PBNode) more than {MaxLinks} links");
                    }

                    links.Add(DecodeLink(link));
                    break;
                default:
                    throw new IpldDecodeException($"protobuf: (PBNode) invalid fieldNumber, expected 1 or 2, got {field}");
            }
        }

        return new DagPbNode(links, data is null ? (ReadOnlyMemory<byte>?)null : new ReadOnlyMemory<byte>(data));
    }

    private static DagPbLink DecodeLink(ReadOnlySpan<byte> source)
    {
        var reader = new ProtobufReader(source);
        Cid hash = default;
        byte[]? name = null;
        ulong? size = null;
        while (!reader.IsAtEnd)
        {
            var (field, wireType) = reader.ReadTag();
            switch (field)
            {
                case 1:
                    Refuse(hash.IsDefined, "duplicate Hash section");
                    Refuse(name is not null, "invalid order, found Name before Hash");
                    Refuse(size is not null, "invalid order, found Tsize before Hash");
                    Refuse(wireType != ProtobufReader.BytesType, $"wrong wireType ({wireType}) for Hash");
                    if (!Cid.TryRead(reader.ReadBytes(), out hash, out _, out var error))
                    {
                        throw new IpldDecodeException($"invalid Hash field found in link, expected CID ({error})");
                    }

                    break;
                case 2:
                    Refuse(name is not null, "duplicate Name section");
                    Refuse(size is not null, "invalid order, found Tsize before Name");
                    Refuse(wireType != ProtobufReader.BytesType, $"wrong wireType ({wireType}) for Name");
                    name = reader.ReadBytes().ToArray();
                    break;
                case 3:
                    Refuse(size is not null, "duplicate Tsize section");
                    Refuse(wireType != ProtobufReader.VarintType, $"wrong wireType ({wireType}) for Tsize");
                    size = reader.ReadVarint();
                    break;
                default:
                    throw new IpldDecodeException($"protobuf: (PBLink) invalid fieldNumber, expected 1, 2 or 3, got {field}");
            }
        }

        return hash.IsDefined ? new DagPbLink(hash, name, size ?? 0) : throw new IpldDecodeException("invalid Hash field found in link, expected CID");
    }

    private static void Refuse(bool condition, string what)
    {
        if (condition)
        {
            throw new IpldDecodeException("protobuf: (PBLink) " + what);
        }
    }

    private static byte[] Write(IReadOnlyList<DagPbLink> links, ReadOnlyMemory<byte>? data)
    {
        var size = data is { } d ? ProtobufWriter.BytesSize(d.Length) : 0;
        for (var i = 0; i < links.Count; i++)
        {
            size += ProtobufWriter.BytesSize(LinkSize(links[i]));
        }

        var block = new byte[size];
        var writer = new ProtobufWriter(block);
        for (var i = 0; i < links.Count; i++)
        {
            var link = links[i];
            writer.WriteBytesHeader(LinksField, LinkSize(link));
            writer.WriteBytes(1, link.Cid.Bytes);
            writer.WriteBytes(2, link.NameBytes.Span);
            writer.WriteVarint(3, link.Size);
        }

        if (data is { } present)
        {
            writer.WriteBytes(DataField, present.Span);
        }

        return block;
    }

    private static int LinkSize(in DagPbLink link) =>
        ProtobufWriter.BytesSize(link.Cid.Bytes.Length) + ProtobufWriter.BytesSize(link.NameBytes.Length) + ProtobufWriter.VarintSize(link.Size);

    private static bool IsSorted(IReadOnlyList<DagPbLink> links)
    {
        for (var i = 1; i < links.Count; i++)
        {
            if (links[i - 1].NameBytes.Span.SequenceCompareTo(links[i].NameBytes.Span) > 0)
            {
                return false;
            }
        }

        return true;
    }

    private sealed class NameOrder : IComparer<ReadOnlyMemory<byte>>
    {
        public static readonly NameOrder Instance = new();

        public int Compare(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceCompareTo(y.Span);
    }
}
