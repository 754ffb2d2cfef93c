using System.Buffers;
using System.Text;

namespace Crdt;

/// <summary>An addition: a key gets a value. Its id is that of the node that carries it, so it is not part of the element.</summary>
/// <param name="Key">Datastore key with its leading slash.</param>
/// <param name="Value">What the key gets.</param>
public readonly record struct DeltaElement(string Key, ReadOnlyMemory<byte> Value);

/// <summary>A removal of one addition of a key.</summary>
/// <param name="Key">Datastore key with its leading slash.</param>
/// <param name="Id">Id of the addition, spelt with its leading slash (crdt §6: compared as text by others).</param>
public readonly record struct DeltaTombstone(string Key, string Id);

/// <summary>What one node changes (crdt §6).</summary>
public sealed class Delta
{
    /// <summary>Largest delta that is put in one node, in bytes: 1 MiB, so that any peer's bitswap carries it (crdt §5, §9).</summary>
    public const int MaxSize = 1 << 20;

    /// <summary>Additions in the order of the calls.</summary>
    public IReadOnlyList<DeltaElement> Elements { get; init; } = [];

    /// <summary>Removals in the order of the calls.</summary>
    public IReadOnlyList<DeltaTombstone> Tombstones { get; init; } = [];

    /// <summary>Height of the node: one more than the highest of its links; the first node has 1.</summary>
    public ulong Priority { get; init; }

    /// <summary>Bytes that an addition adds to the encoding.</summary>
    public static int SizeOf(DeltaElement element) => ProtobufWriter.SizeOfBytes(ContentSize(element.Key, null, element.Value.Length));

    /// <summary>Bytes that a removal adds to the encoding.</summary>
    public static int SizeOf(DeltaTombstone tombstone) => ProtobufWriter.SizeOfBytes(ContentSize(tombstone.Key, tombstone.Id, 0));

    /// <summary>Bytes of the encoding.</summary>
    public int Size => Elements.Sum(SizeOf) + Tombstones.Sum(SizeOf) + (Priority == 0 ? 0 : 1 + ProtobufWriter.SizeOfVarint(Priority));

    /// <summary>The protobuf form, field by field as the original writes it.</summary>
    public void WriteTo(ArrayBufferWriter<byte> output)
    {
        foreach (var element in Elements)
        {
            ProtobufWriter.Begin(output, 1, ContentSize(element.Key, null, element.Value.Length));
            ProtobufWriter.Text(output, 1, element.Key);
            if (!element.Value.IsEmpty) ProtobufWriter.Bytes(output, 3, element.Value.Span);
        }
        foreach (var tombstone in Tombstones)
        {
            ProtobufWriter.Begin(output, 2, ContentSize(tombstone.Key, tombstone.Id, 0));
            ProtobufWriter.Text(output, 1, tombstone.Key);
            ProtobufWriter.Text(output, 2, tombstone.Id);
        }
        if (Priority == 0) return;
        ProtobufWriter.Varint(output, 3 << 3);
        ProtobufWriter.Varint(output, Priority);
    }

    /// <summary>Reads the protobuf form; unknown fields are passed over.</summary>
    /// <exception cref="CrdtFormatException">Not such a message.</exception>
    public static Delta Parse(ReadOnlyMemory<byte> bytes)
    {
        List<DeltaElement> elements = [];
        List<DeltaTombstone> tombstones = [];
        ulong priority = 0;
        var reader = new ProtobufReader(bytes.Span);
        while (reader.Next())
        {
            if (reader is { Field: 1, IsBytes: true })
            {
                var (key, _, value) = ParseElement(reader.Bytes);
                elements.Add(new DeltaElement(key, value));
            }
            else if (reader is { Field: 2, IsBytes: true })
            {
                var (key, id, _) = ParseElement(reader.Bytes);
                tombstones.Add(new DeltaTombstone(key, id));
            }
            else if (reader is { Field: 3, IsBytes: false })
            {
                priority = reader.Number;
            }
        }
        return new Delta { Elements = elements, Tombstones = tombstones, Priority = priority };
    }

    /// <summary>Reads the priority alone.</summary>
    /// <exception cref="CrdtFormatException">Not such a message.</exception>
    internal static ulong ParsePriority(ReadOnlySpan<byte> bytes)
    {
        ulong priority = 0;
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
            if (reader is { Field: 3, IsBytes: false }) priority = reader.Number;
        return priority;
    }

    private static (string Key, string Id, byte[] Value) ParseElement(ReadOnlySpan<byte> bytes)
    {
        string key = "", id = "";
        byte[] value = [];
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
        {
            if (!reader.IsBytes) continue;
            if (reader.Field == 1) key = reader.Text;
            else if (reader.Field == 2) id = reader.Text;
            else if (reader.Field == 3) value = reader.Bytes.ToArray();
        }
        return (key, id, value);
    }

    private static int ContentSize(string key, string? id, int value) =>
        ProtobufWriter.SizeOfBytes(Encoding.UTF8.GetByteCount(key))
        + (id is null ? 0 : ProtobufWriter.SizeOfBytes(Encoding.UTF8.GetByteCount(id)))
        + (value == 0 ? 0 : ProtobufWriter.SizeOfBytes(value));
}
