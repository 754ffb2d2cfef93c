using System.Buffers.Binary;
using System.Text;

namespace Cluster.Model;

/// <summary>Writes protobuf fields, leaving out those that have their default; or only counts the bytes.</summary>
internal ref struct ProtobufFields(Span<byte> target, bool counting = false)
{
    private readonly Span<byte> _target = target;
    private readonly bool _counting = counting;

    public int Length { get; private set; }

    public void Varint(int field, ulong value)
    {
        if (value == 0)
            return;
        Header(field, 0);
        RawVarint(value);
    }

    public void ZigZag(int field, int value) => Varint(field, (uint)((value << 1) ^ (value >> 31)));

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
            BytesAlways(field, value);
    }

    public void BytesAlways(int field, ReadOnlySpan<byte> value)
    {
        Header(field, 2);
        RawVarint((ulong)value.Length);
        if (!_counting)
            value.CopyTo(_target[Length..]);
        Length += value.Length;
    }

    public void Text(int field, string value)
    {
        if (value.Length == 0)
            return;
        var size = Encoding.UTF8.GetByteCount(value);
        Header(field, 2);
        RawVarint((ulong)size);
        if (!_counting)
            Encoding.UTF8.GetBytes(value, _target[Length..]);
        Length += size;
    }

    public void Header(int field, int wire) => RawVarint((ulong)(field << 3 | wire));

    public void RawVarint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            Octet((byte)(value | 0x80));
        Octet((byte)value);
    }

    private void Octet(byte value)
    {
        if (!_counting)
            _target[Length] = value;
        Length++;
    }
}

/// <summary>Reads protobuf fields one after another; stops at the first malformed one.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> _rest = source;

    public int Field { get; private set; }

    public int Wire { get; private set; }

    public ulong Varint { get; private set; }

    public ReadOnlySpan<byte> Bytes { get; private set; }

    public bool Failed { get; private set; }

    public static long ZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);

    public bool Next()
    {
        if (Failed || _rest.IsEmpty)
            return false;
        if (!TakeVarint(out var header) || header >> 3 is 0 or > 0x1fff_ffff)
            return Fail();
        Field = (int)(header >> 3);
        Wire = (int)(header & 7);
        switch (Wire)
        {
            case 0:
                if (!TakeVarint(out var number))
                    return Fail();
                Varint = number;
                return true;
            case 1: return Fixed(8);
            case 2:
                if (!TakeVarint(out var length) || length > (ulong)_rest.Length)
                    return Fail();
                Bytes = _rest[..(int)length];
                _rest = _rest[(int)length..];
                return true;
            case 5: return Fixed(4);
            default: return Fail();
        }
    }

    private bool Fixed(int size)
    {
        if (_rest.Length < size)
            return Fail();
        Varint = size == 4 ? BinaryPrimitives.ReadUInt32LittleEndian(_rest) : BinaryPrimitives.ReadUInt64LittleEndian(_rest);
        _rest = _rest[size..];
        return true;
    }

    private bool TakeVarint(out ulong value)
    {
        value = 0;
        for (var i = 0; i < 10 && i < _rest.Length; i++)
        {
            value |= (ulong)(_rest[i] & 0x7f) << (7 * i);
            if (_rest[i] < 0x80)
            {
                _rest = _rest[(i + 1)..];
                return i < 9 || value >> 63 <= 1;
            }
        }

        return false;
    }

    private bool Fail()
    {
        Failed = true;
        return false;
    }
}
