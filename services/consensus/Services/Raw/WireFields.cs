namespace Cluster.Consensus.Services;

/// <summary>Walks the fields of a protobuf message without decoding it.</summary>
internal ref struct WireFields(ReadOnlySpan<byte> message)
{
    private const int VarintType = 0;
    private const int BytesType = 2;

    private ReadOnlySpan<byte> _rest = message;

    /// <summary>Number of the field.</summary>
    public int Field { get; private set; }

    /// <summary>The field with its tag, to be copied as it is.</summary>
    public ReadOnlySpan<byte> Whole { get; private set; }

    /// <summary>Bytes of its content: of a number those of the varint.</summary>
    public ReadOnlySpan<byte> Content { get; private set; }

    /// <summary>Its content as a number.</summary>
    public readonly ulong Number
    {
        get
        {
            var content = Content;
            return TakeVarint(ref content);
        }
    }

    /// <summary>Goes to the next field.</summary>
    /// <exception cref="FormatException">The message is damaged, or has fields of a kind that our contracts do not use.</exception>
    public bool Next()
    {
        if (_rest.IsEmpty)
            return false;
        var start = _rest;
        var tag = TakeVarint(ref _rest);
        Field = (int)(tag >> 3);
        switch ((int)(tag & 7))
        {
            case VarintType:
                var before = _rest;
                TakeVarint(ref _rest);
                Content = before[..(before.Length - _rest.Length)];
                break;
            case BytesType:
                var length = TakeVarint(ref _rest);
                if (length > (ulong)_rest.Length)
                    throw Malformed();
                Content = _rest[..(int)length];
                _rest = _rest[(int)length..];
                break;
            default:
                throw Malformed();
        }

        Whole = start[..(start.Length - _rest.Length)];
        return true;
    }

    private static ulong TakeVarint(ref ReadOnlySpan<byte> rest)
    {
        ulong value = 0;
        for (var i = 0; i < 10 && i < rest.Length; i++)
        {
            value |= (ulong)(rest[i] & 0x7f) << (7 * i);
            if (rest[i] >= 0x80)
                continue;
            rest = rest[(i + 1)..];
            return value;
        }

        throw Malformed();
    }

    private static FormatException Malformed() => new("the tracker's answer is malformed");
}
