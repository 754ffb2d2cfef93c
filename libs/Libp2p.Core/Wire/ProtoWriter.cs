using System.Buffers;
using System.Text;
using Libp2p.Encodings;

namespace Libp2p.Wire;

/// <summary>Appends protobuf fields to a buffer, in the order of the calls.</summary>
public readonly ref struct ProtoWriter(IBufferWriter<byte> output)
{
    /// <summary>Writes a number.</summary>
    public void Varint(int field, ulong value)
    {
        Tag(field, WireType.Varint);
        Raw(value);
    }

    /// <summary>Writes a truth value.</summary>
    public void Bool(int field, bool value) => Varint(field, value ? 1u : 0u);

    /// <summary>Writes bytes or an embedded message.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Tag(field, WireType.Bytes);
        Raw((ulong)value.Length);
        output.Write(value);
    }

    /// <summary>Writes UTF-8 text.</summary>
    public void String(int field, string value)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        Tag(field, WireType.Bytes);
        Raw((ulong)length);
        Encoding.UTF8.GetBytes(value, output.GetSpan(length));
        output.Advance(length);
    }

    private void Tag(int field, WireType wire) => Raw((ulong)(uint)field << 3 | (uint)wire);

    private void Raw(ulong value)
    {
        // Protobuf numbers may take ten bytes, one more than a multiformats varint.
        output.Advance(UVarint.Write(output.GetSpan(10), value));
    }
}
