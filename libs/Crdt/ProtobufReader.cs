using System.Text;

namespace Crdt;

/// <summary>Walks the fields of one protobuf message; lengths are checked against the message.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> rest = message;

    public int Field { get; private set; }

    /// <summary>The value of a varint or fixed field.</summary>
    public ulong Number { get; private set; }

    /// <summary>The bytes of a length-delimited field.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Whether <see cref="Bytes"/> holds the value.</summary>
    public bool IsBytes { get; private set; }

    public readonly string Text => Encoding.UTF8.GetString(Bytes);

    /// <summary>Goes to the next field; false at the end.</summary>
    public bool Next()
    {
        if (rest.IsEmpty) return false;
        var tag = Varint();
        if (tag >> 3 is 0 or > 536_870_911) throw new CrdtFormatException("a protobuf field number is out of range");
        Field = (int)(tag >> 3);
        Bytes = default;
        Number = 0;
        IsBytes = false;
        switch (tag & 7)
        {
            case 0:
                Number = Varint();
                break;
            case 1:
                Take(8);
                break;
            case 2:
                var length = Varint();
                if (length > (ulong)rest.Length) throw new CrdtFormatException("a protobuf field is longer than its message");
                Bytes = Take((int)length);
                IsBytes = true;
                break;
            case 5:
                Take(4);
                break;
            default:
                throw new CrdtFormatException($"protobuf wire type {tag & 7} is not supported");
        }
        return true;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > rest.Length) throw new CrdtFormatException("a protobuf message ends in the middle of a field");
        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var next = Take(1)[0];
            if (shift == 63 && next > 1) break;
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80) return value;
        }
        throw new CrdtFormatException("a protobuf varint is longer than 64 bits");
    }
}
