using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Ipld;

/// <summary>Writes DAG-CBOR in its canonical form, and checks blocks.</summary>
public static class DagCbor
{
    /// <summary>Checks that a block is one DAG-CBOR item and returns the links in it, in order.</summary>
    /// <exception cref="IpldDecodeException">It is not.</exception>
    public static IReadOnlyList<Cid> Links(ReadOnlySpan<byte> block)
    {
        var links = new List<Cid>();
        var reader = new DagCborReader(block);
        reader.Skip(links);
        return reader.IsAtEnd ? links : throw new IpldDecodeException("unexpected content after end of cbor object");
    }

    /// <summary>The map <c>"0", "1", …</c> to links, as shards and cluster DAGs are (spec/behaviour.md 19.5).</summary>
    public static byte[] EncodeIndexedLinks(ReadOnlySpan<Cid> links)
    {
        var writer = new ArrayBufferWriter<byte>(16 + (links.Length * 48));
        WriteHead(writer, 5, (ulong)links.Length);
        // Canonical order is by length, then by bytes; for decimal numbers that is by value.
        for (var i = 0; i < links.Length; i++)
        {
            WriteText(writer, i.ToString(System.Globalization.CultureInfo.InvariantCulture));
            WriteLink(writer, links[i]);
        }

        return writer.WrittenSpan.ToArray();
    }

    /// <summary>Reads what <see cref="EncodeIndexedLinks"/> wrote.</summary>
    /// <exception cref="IpldDecodeException">The block is no map of the numbers from 0 on to links.</exception>
    public static Cid[] DecodeIndexedLinks(ReadOnlySpan<byte> block)
    {
        var reader = new DagCborReader(block);
        var links = new Cid[reader.ReadMapHead()];
        for (var i = 0; i < links.Length; i++)
        {
            var key = reader.ReadText();
            if (!int.TryParse(key, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var index)
                || index >= links.Length || links[index].IsDefined)
            {
                throw new IpldDecodeException($"unexpected key {GoQuote.Text(key)} in a shard");
            }

            links[index] = reader.ReadLink();
        }

        return reader.IsAtEnd ? links : throw new IpldDecodeException("unexpected content after end of cbor object");
    }

    /// <summary>Writes the head of a list; the items follow.</summary>
    public static void WriteListHead(IBufferWriter<byte> writer, int count) => WriteHead(writer, 4, (ulong)count);

    /// <summary>Writes the head of a map; keys (by length, then bytes) and values follow in turn.</summary>
    public static void WriteMapHead(IBufferWriter<byte> writer, int count) => WriteHead(writer, 5, (ulong)count);

    /// <summary>Writes an unsigned integer.</summary>
    public static void WriteInteger(IBufferWriter<byte> writer, ulong value) => WriteHead(writer, 0, value);

    /// <summary>Writes bytes.</summary>
    public static void WriteBytes(IBufferWriter<byte> writer, ReadOnlySpan<byte> value)
    {
        WriteHead(writer, 2, (ulong)value.Length);
        writer.Write(value);
    }

    /// <summary>Writes text.</summary>
    public static void WriteText(IBufferWriter<byte> writer, string value)
    {
        WriteHead(writer, 3, (ulong)Encoding.UTF8.GetByteCount(value));
        Encoding.UTF8.GetBytes(value, writer);
    }

    /// <summary>Writes a link: tag 42, and the CID after the identity multibase prefix.</summary>
    public static void WriteLink(IBufferWriter<byte> writer, Cid cid)
    {
        WriteHead(writer, 6, 42);
        WriteHead(writer, 2, (ulong)cid.Bytes.Length + 1);
        writer.Write([(byte)0]);
        writer.Write(cid.Bytes);
    }

    private static void WriteHead(IBufferWriter<byte> writer, int major, ulong value)
    {
        ArgumentNullException.ThrowIfNull(writer);
        var head = writer.GetSpan(9);
        var type = (byte)(major << 5);
        int length;
        switch (value)
        {
            case < 24:
                head[0] = (byte)(type | value);
                length = 1;
                break;
            case <= byte.MaxValue:
                head[0] = (byte)(type | 24);
                head[1] = (byte)value;
                length = 2;
                break;
            case <= ushort.MaxValue:
                head[0] = (byte)(type | 25);
                BinaryPrimitives.WriteUInt16BigEndian(head[1..], (ushort)value);
                length = 3;
                break;
            case <= uint.MaxValue:
                head[0] = (byte)(type | 26);
                BinaryPrimitives.WriteUInt32BigEndian(head[1..], (uint)value);
                length = 5;
                break;
            default:
                head[0] = (byte)(type | 27);
                BinaryPrimitives.WriteUInt64BigEndian(head[1..], value);
                length = 9;
                break;
        }

        writer.Advance(length);
    }
}
