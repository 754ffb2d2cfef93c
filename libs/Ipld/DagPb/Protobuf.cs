namespace Ipld;

/// <summary>A block that its codec cannot read; the message is that of the original's decoder.</summary>
public sealed class IpldDecodeException : FormatException
{
    /// <summary>With the message.</summary>
    public IpldDecodeException(string message)
        : base(message)
    {
    }

    /// <summary>Without a message.</summary>
    public IpldDecodeException()
    {
    }

    /// <summary>With an inner cause.</summary>
    public IpldDecodeException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>Reads the wire format of protobuf from a span.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> source)
{
    public const int VarintType = 0;
    public const int Fixed64Type = 1;
    public const int BytesType = 2;
    public const int StartGroupType = 3;
    public const int EndGroupType = 4;
    public const int Fixed32Type = 5;

    private const string Truncated = "unexpected EOF";
    private const int MaxGroupDepth = 100;

    private ReadOnlySpan<byte> _left = source;
    private readonly int _total = source.Length;

    public readonly bool IsAtEnd => _left.IsEmpty;

    public readonly int Position => _total - _left.Length;

    public (int Field, int WireType) ReadTag()
    {
        var tag = ReadVarint();
        var field = tag >> 3;
        if (field is 0 or > 0x1fffffff)
        {
            throw new IpldDecodeException("invalid field number");
        }

        return ((int)field, (int)(tag & 7));
    }

    public ulong ReadVarint()
    {
        ulong value = 0;
        for (var i = 0; i < 10; i++)
        {
            if (i >= _left.Length)
            {
                throw new IpldDecodeException(Truncated);
            }

            var b = _left[i];
            if (i == 9 && b > 1)
            {
                break;
            }

            value |= (ulong)(b & 0x7f) << (7 * i);
            if (b < 0x80)
            {
                _left = _left[(i + 1)..];
                return value;
            }
        }

        throw new IpldDecodeException("variable length integer overflow");
    }

    public ReadOnlySpan<byte> ReadBytes()
    {
        var length = ReadVarint();
        if (length > (ulong)_left.Length)
        {
            throw new IpldDecodeException(Truncated);
        }

        var bytes = _left[..(int)length];
        _left = _left[(int)length..];
        return bytes;
    }

    public void Skip(int field, int wireType) => Skip(field, wireType, 0);

    private void Skip(int field, int wireType, int depth)
    {
        switch (wireType)
        {
            case VarintType:
                ReadVarint();
                break;
            case Fixed64Type:
                Advance(8);
                break;
            case BytesType:
                ReadBytes();
                break;
            case StartGroupType when depth < MaxGroupDepth:
                while (true)
                {
                    var (inner, innerType) = ReadTag();
                    if (innerType == EndGroupType)
                    {
                        if (inner != field)
                        {
                            throw new IpldDecodeException("mismatching end group marker");
                        }

                        break;
                    }

                    Skip(inner, innerType, depth + 1);
                }

                break;
            case Fixed32Type:
                Advance(4);
                break;
            case EndGroupType:
                throw new IpldDecodeException("mismatching end group marker");
            default:
                throw new IpldDecodeException("cannot parse reserved wire type");
        }
    }

    public uint ReadFixed32()
    {
        var at = _left;
        Advance(4);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(at);
    }

    private void Advance(int count)
    {
        if (count > _left.Length)
        {
            throw new IpldDecodeException(Truncated);
        }

        _left = _left[count..];
    }
}

/// <summary>Writes the wire format of protobuf; sizes are computed before, so that one exact buffer does.</summary>
internal ref struct ProtobufWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    public int Position { get; private set; }

    public static int BytesSize(int length) => 1 + Varint.Size((ulong)length) + length;

    public static int VarintSize(ulong value) => 1 + Varint.Size(value);

    public void WriteBytesHeader(int field, int length)
    {
        _destination[Position++] = (byte)((field << 3) | ProtobufReader.BytesType);
        Position += Varint.Write(_destination[Position..], (ulong)length);
    }

    public void WriteBytes(int field, ReadOnlySpan<byte> bytes)
    {
        WriteBytesHeader(field, bytes.Length);
        bytes.CopyTo(_destination[Position..]);
        Position += bytes.Length;
    }

    public void WriteVarint(int field, ulong value)
    {
        _destination[Position++] = (byte)((field << 3) | ProtobufReader.VarintType);
        Position += Varint.Write(_destination[Position..], value);
    }
}
