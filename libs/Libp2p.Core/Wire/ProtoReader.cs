namespace Libp2p.Wire;

/// <summary>How a protobuf field is laid out on the wire.</summary>
public enum WireType
{
    /// <summary>Base-128 number.</summary>
    Varint = 0,

    /// <summary>Eight bytes, little endian.</summary>
    Fixed64 = 1,

    /// <summary>Length, then that many bytes.</summary>
    Bytes = 2,

    /// <summary>Start of a group (obsolete).</summary>
    StartGroup = 3,

    /// <summary>End of a group (obsolete).</summary>
    EndGroup = 4,

    /// <summary>Four bytes, little endian.</summary>
    Fixed32 = 5,
}

/// <summary>
/// Walks the fields of a protobuf message without copying. After a fault every read returns nothing, <see cref="Next"/>
/// returns false and <see cref="Malformed"/> is set, so that a caller checks once, at the end.
/// </summary>
public ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> rest = message;
    private WireType wire;

    /// <summary>Whether the bytes read so far are no protobuf message.</summary>
    public bool Malformed { get; private set; }

    /// <summary>Layout of the field that <see cref="Next"/> stopped at.</summary>
    public readonly WireType Wire => wire;

    /// <summary>Steps to the next field; its value must then be read or skipped.</summary>
    /// <param name="field">Number of the field, from 1.</param>
    public bool Next(out int field)
    {
        field = 0;
        if (rest.IsEmpty || Malformed) return false;
        ulong tag = Raw();
        wire = (WireType)(tag & 7);
        if (Malformed || tag >> 3 is 0 or > 0x1fffffff || wire > WireType.Fixed32) return Fail();
        field = (int)(tag >> 3);
        return true;
    }

    /// <summary>Value of a number; a field of another layout counts as malformed.</summary>
    public ulong Varint()
    {
        if (wire != WireType.Varint) Fail();
        return Malformed ? 0 : Raw();
    }

    /// <summary>Content of a length-delimited field, inside the message's own memory.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        if (wire != WireType.Bytes) Fail();
        ulong length = Malformed ? 0 : Raw();
        if (Malformed || length > (ulong)rest.Length)
        {
            Fail();
            return default;
        }
        var value = rest[..(int)length];
        rest = rest[(int)length..];
        return value;
    }

    /// <summary>Passes over the value of the current field, whatever its layout.</summary>
    public void Skip() => Skip(0);

    private void Skip(int depth)
    {
        switch (wire)
        {
            case WireType.Varint: Raw(); break;
            case WireType.Fixed64: Drop(8); break;
            case WireType.Fixed32: Drop(4); break;
            case WireType.Bytes: Bytes(); break;
            case WireType.StartGroup:
                // Protobuf runtimes bound nesting as well; nobody sends groups any more.
                if (depth > 16) Fail();
                while (Next(out _) && wire != WireType.EndGroup) Skip(depth + 1);
                if (wire != WireType.EndGroup) Fail();
                break;
            default: Fail(); break;
        }
    }

    private void Drop(int count)
    {
        if (rest.Length < count) Fail();
        else rest = rest[count..];
    }

    private ulong Raw()
    {
        ulong value = 0;
        for (int i = 0; i < rest.Length && i < 10; i++)
        {
            byte b = rest[i];
            if (i == 9 && b > 1) break;
            value |= (ulong)(b & 0x7f) << (7 * i);
            if (b >= 0x80) continue;
            rest = rest[(i + 1)..];
            return value;
        }
        Fail();
        return 0;
    }

    private bool Fail()
    {
        Malformed = true;
        rest = default;
        return false;
    }
}
