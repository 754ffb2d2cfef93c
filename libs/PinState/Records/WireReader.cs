namespace Cluster.PinState.Records;

/// <summary>Reads protobuf fields one after another. Malformed bytes are damage: the record was written by this library.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> _rest = source;

    public int Field { get; private set; }

    public ulong Varint { get; private set; }

    public ReadOnlySpan<byte> Bytes { get; private set; }

    public readonly int Signed => (int)(uint)(Varint >> 1) ^ -(int)(Varint & 1);

    public bool Next()
    {
        if (_rest.IsEmpty)
            return false;
        var header = TakeVarint();
        Field = (int)(header >> 3);
        switch (header & 7)
        {
            case 0:
                Varint = TakeVarint();
                Bytes = default;
                return true;
            case 1:
                Bytes = Take(8);
                return true;
            case 2:
                var length = TakeVarint();
                if (length > (ulong)_rest.Length)
                    throw Malformed();
                Bytes = Take((int)length);
                return true;
            case 5:
                Bytes = Take(4);
                return true;
            default:
                throw Malformed();
        }
    }

    private static FormatException Malformed() => new("a record of the pinset is malformed");

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
            throw Malformed();
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private ulong TakeVarint()
    {
        ulong value = 0;
        for (var i = 0; i < 10 && i < _rest.Length; i++)
        {
            var octet = _rest[i];
            value |= (ulong)(octet & 0x7f) << (7 * i);
            if (octet < 0x80)
            {
                _rest = _rest[(i + 1)..];
                return value;
            }
        }

        throw Malformed();
    }
}
