using System.Text;

namespace Cluster.PinState.Records;

/// <summary>Writes protobuf fields into a span that is large enough, leaving out those that have their default.</summary>
internal ref struct WireWriter(Span<byte> target)
{
    private readonly Span<byte> _target = target;

    public int Length { get; private set; }

    public static int VarintSize(ulong value)
    {
        var size = 1;
        while (value >= 0x80)
        {
            value >>= 7;
            size++;
        }

        return size;
    }

    public static ulong ZigZag(int value) => (uint)((value << 1) ^ (value >> 31));

    public void Varint(int field, ulong value)
    {
        if (value == 0)
            return;
        Raw((ulong)(field << 3));
        Raw(value);
    }

    public void Signed(int field, int value) => Varint(field, ZigZag(value));

    public void Bytes(int field, scoped ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
            BytesAlways(field, value);
    }

    public void BytesAlways(int field, scoped ReadOnlySpan<byte> value)
    {
        Header(field, value.Length);
        value.CopyTo(_target[Length..]);
        Length += value.Length;
    }

    public void Text(int field, string value)
    {
        if (value.Length == 0)
            return;
        Header(field, Encoding.UTF8.GetByteCount(value));
        Length += Encoding.UTF8.GetBytes(value, _target[Length..]);
    }

    /// <summary>Tag and length of a field whose content the caller writes next.</summary>
    public void Header(int field, int length)
    {
        Raw((ulong)(field << 3 | 2));
        Raw((ulong)length);
    }

    public void Raw(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            _target[Length++] = (byte)(value | 0x80);
        _target[Length++] = (byte)value;
    }
}
