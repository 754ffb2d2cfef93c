namespace Ipld;

/// <summary>
/// Unsigned varints of multiformats: base 128, little-endian, at most 9 bytes (63 bits), minimal encoding only.
/// </summary>
public static class Varint
{
    /// <summary>Longest encoding in bytes.</summary>
    public const int MaxLength = 9;

    internal const string Overflow = "varints larger than uint63 not supported";
    internal const string Underflow = "varints malformed, could not reach the end";
    internal const string NotMinimal = "varint not minimally encoded";

    /// <summary>How many bytes <paramref name="value"/> takes (1…10; 10 only for values that no reader accepts).</summary>
    public static int Size(ulong value)
    {
        var bits = 64 - System.Numerics.BitOperations.LeadingZeroCount(value | 1);
        return (bits + 6) / 7;
    }

    /// <summary>Writes <paramref name="value"/> and returns how many bytes that took.</summary>
    /// <exception cref="ArgumentException">The destination is shorter than <see cref="Size"/>.</exception>
    public static int Write(Span<byte> destination, ulong value)
    {
        if (destination.Length < Size(value))
        {
            throw new ArgumentException("the destination is too small for the varint", nameof(destination));
        }

        var i = 0;
        while (value >= 0x80)
        {
            destination[i++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[i++] = (byte)value;
        return i;
    }

    /// <summary>The encoding of <paramref name="value"/> as a new array.</summary>
    public static byte[] ToBytes(ulong value)
    {
        var bytes = new byte[Size(value)];
        Write(bytes, value);
        return bytes;
    }

    /// <summary>Reads a varint at the start of <paramref name="source"/>.</summary>
    /// <param name="source">Bytes that start with the varint.</param>
    /// <param name="value">The number, 0…2^63-1.</param>
    /// <param name="length">How many bytes it took.</param>
    /// <param name="error">What is wrong, in the words of go-varint; empty on success.</param>
    public static bool TryRead(ReadOnlySpan<byte> source, out ulong value, out int length, out string error)
    {
        value = 0;
        length = 0;
        ulong result = 0;
        for (var i = 0; i < source.Length; i++)
        {
            var b = source[i];
            if (i >= MaxLength || (i == MaxLength - 1 && b >= 0x80))
            {
                error = Overflow;
                return false;
            }

            if (b < 0x80)
            {
                if (b == 0 && i > 0)
                {
                    error = NotMinimal;
                    return false;
                }

                value = result | ((ulong)b << (7 * i));
                length = i + 1;
                error = "";
                return true;
            }

            result |= (ulong)(b & 0x7f) << (7 * i);
        }

        error = Underflow;
        return false;
    }
}
