using System.Buffers;
using System.Text;

namespace Crdt;

/// <summary>Writes protobuf fields in the order of the calls; two passes (size, then bytes) keep it free of inner buffers.</summary>
internal static class ProtobufWriter
{
    public static int SizeOfVarint(ulong value)
    {
        var size = 1;
        for (; value > 0x7f; value >>= 7) size++;
        return size;
    }

    public static int SizeOfBytes(int length) => 1 + SizeOfVarint((ulong)length) + length;

    public static void Varint(ArrayBufferWriter<byte> output, ulong value)
    {
        var span = output.GetSpan(10);
        var at = 0;
        for (; value > 0x7f; value >>= 7) span[at++] = (byte)(value | 0x80);
        span[at++] = (byte)value;
        output.Advance(at);
    }

    /// <summary>Tag and length of a length-delimited field; the caller writes the content.</summary>
    public static void Begin(ArrayBufferWriter<byte> output, int field, int length)
    {
        Varint(output, (ulong)(field << 3 | 2));
        Varint(output, (ulong)length);
    }

    public static void Bytes(ArrayBufferWriter<byte> output, int field, ReadOnlySpan<byte> value)
    {
        Begin(output, field, value.Length);
        output.Write(value);
    }

    public static void Text(ArrayBufferWriter<byte> output, int field, string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        Begin(output, field, length);
        Encoding.UTF8.GetBytes(value, output.GetSpan(length));
        output.Advance(length);
    }
}
