namespace Libp2p.Encodings;

/// <summary>Unsigned LEB128 as multiformats write it: minimal, at most nine bytes, so below 2^63.</summary>
public static class UVarint
{
    /// <summary>Longest encoding that is accepted.</summary>
    public const int MaxLength = 9;

    /// <summary>How a read ended.</summary>
    public enum Status
    {
        /// <summary>A value was read.</summary>
        Ok,

        /// <summary>The input ends inside the number; more bytes may complete it.</summary>
        Incomplete,

        /// <summary>The number is longer than nine bytes.</summary>
        TooLong,

        /// <summary>A shorter spelling of the same number exists.</summary>
        NotMinimal,
    }

    /// <summary>Bytes that <paramref name="value"/> takes.</summary>
    public static int Length(ulong value)
    {
        int n = 1;
        while (value >= 0x80)
        {
            value >>= 7;
            n++;
        }
        return n;
    }

    /// <summary>Writes <paramref name="value"/> and returns the bytes used.</summary>
    public static int Write(Span<byte> destination, ulong value)
    {
        int n = 0;
        while (value >= 0x80)
        {
            destination[n++] = (byte)(value | 0x80);
            value >>= 7;
        }
        destination[n++] = (byte)value;
        return n;
    }

    /// <summary>Reads one number from the start of <paramref name="source"/>.</summary>
    public static Status Read(ReadOnlySpan<byte> source, out ulong value, out int consumed)
    {
        value = 0;
        consumed = 0;
        for (int i = 0; i < source.Length; i++)
        {
            byte b = source[i];
            if (i == MaxLength - 1 && b >= 0x80 || i >= MaxLength) return Status.TooLong;
            value |= (ulong)(b & 0x7f) << (7 * i);
            if (b >= 0x80) continue;
            if (b == 0 && i > 0) return Status.NotMinimal;
            consumed = i + 1;
            return Status.Ok;
        }
        return Status.Incomplete;
    }

    internal static string Explain(Status status) => status switch
    {
        Status.Incomplete => "the number ends too early",
        Status.TooLong => "the number is longer than 63 bits",
        Status.NotMinimal => "the number is not minimally encoded",
        _ => "",
    };
}
