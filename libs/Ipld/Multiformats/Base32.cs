namespace Ipld;

/// <summary>Base32 of RFC 4648 (standard and extended-hex alphabets), reading both cases as go-base32 does.</summary>
public static class Base32
{
    internal const string StandardLower = "abcdefghijklmnopqrstuvwxyz234567";
    internal const string StandardUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    internal const string HexLower = "0123456789abcdefghijklmnopqrstuv";
    internal const string HexUpper = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

    private const byte Bad = 0xff;
    private static readonly byte[] StandardValues = Values(StandardLower);
    private static readonly byte[] HexValues = Values(HexLower);

    /// <summary>How many characters <paramref name="byteCount"/> bytes take without padding.</summary>
    public static int EncodedLength(int byteCount) => (int)((((long)byteCount * 8) + 4) / 5);

    /// <summary>Standard alphabet in capitals, unpadded: the keys of the original's datastore (spec/crdt.md).</summary>
    public static string EncodeUpper(ReadOnlySpan<byte> data) => Encode(data, StandardUpper, "", padded: false);

    /// <summary>Standard alphabet, unpadded, either case. Fails on any other character.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination, out int written) =>
        TryDecode(text, destination, hex: false, padded: false, out written, out _);

    internal static string Encode(ReadOnlySpan<byte> data, string alphabet, string prefix, bool padded)
    {
        var length = EncodedLength(data.Length);
        var total = padded ? (length + 7) / 8 * 8 : length;
        char[]? large = null;
        var chars = prefix.Length + total <= 512 ? stackalloc char[prefix.Length + total] : (large = new char[prefix.Length + total]);
        prefix.CopyTo(chars);
        EncodeTo(data, alphabet, chars.Slice(prefix.Length, length));
        chars[(prefix.Length + length)..].Fill('=');
        return large is null ? new string(chars) : new string(large);
    }

    internal static void EncodeTo(ReadOnlySpan<byte> data, ReadOnlySpan<char> alphabet, Span<char> chars)
    {
        var o = 0;
        while (data.Length >= 5)
        {
            var v = ((ulong)data[0] << 32) | ((ulong)data[1] << 24) | ((ulong)data[2] << 16) | ((ulong)data[3] << 8) | data[4];
            var group = chars.Slice(o, 8);
            group[0] = alphabet[(int)(v >> 35) & 31];
            group[1] = alphabet[(int)(v >> 30) & 31];
            group[2] = alphabet[(int)(v >> 25) & 31];
            group[3] = alphabet[(int)(v >> 20) & 31];
            group[4] = alphabet[(int)(v >> 15) & 31];
            group[5] = alphabet[(int)(v >> 10) & 31];
            group[6] = alphabet[(int)(v >> 5) & 31];
            group[7] = alphabet[(int)v & 31];
            data = data[5..];
            o += 8;
        }

        var buffer = 0;
        var bits = 0;
        foreach (var b in data)
        {
            buffer = (buffer << 8) | b;
            bits += 8;
            while (bits >= 5)
            {
                bits -= 5;
                chars[o++] = alphabet[(buffer >> bits) & 31];
            }
        }

        if (bits > 0)
        {
            chars[o] = alphabet[(buffer << (5 - bits)) & 31];
        }
    }

    /// <summary>Decodes; on failure <paramref name="badInput"/> is the offset that go-base32 names.</summary>
    internal static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination, bool hex, bool padded, out int written, out int badInput)
    {
        var values = hex ? HexValues : StandardValues;
        var source = text;
        written = 0;
        while (source.Length >= 8)
        {
            ulong v = 0;
            uint bad = 0;
            for (var i = 0; i < 8; i++)
            {
                var c = source[i];
                uint value = c < 128 ? values[c] : Bad;
                bad |= value;
                v = (v << 5) | (value & 31);
            }

            if ((bad & 0x80) != 0)
            {
                // Padding, line ends and bad letters: the careful way, from here on.
                break;
            }

            var group = destination.Slice(written, 5);
            group[0] = (byte)(v >> 32);
            group[1] = (byte)(v >> 24);
            group[2] = (byte)(v >> 16);
            group[3] = (byte)(v >> 8);
            group[4] = (byte)v;
            written += 5;
            source = source[8..];
        }

        return TryDecodeCarefully(source, text.Length - source.Length, destination, values, padded, ref written, out badInput);
    }

    // Follows go-base32, whose offsets appear in error texts: line ends do not count, and groups of 1, 3 or 6 letters are
    // accepted without padding (their incomplete bytes fall away; of 6 letters all do).
    private static bool TryDecodeCarefully(ReadOnlySpan<char> source, int offset, Span<byte> destination, byte[] values, bool padded, ref int written, out int badInput)
    {
        badInput = -1;
        Span<char> small = stackalloc char[64];
        var letters = source.Length <= small.Length ? small[..source.Length] : new char[source.Length];
        var count = 0;
        foreach (var c in source)
        {
            if (c is not ('\r' or '\n'))
            {
                letters[count++] = c;
            }
        }

        letters = letters[..count];
        var total = offset + count;
        var at = 0;
        var end = false;
        Span<byte> group = stackalloc byte[8];
        while (at < count && !end)
        {
            group.Clear();
            var filled = 8;
            for (var j = 0; j < 8;)
            {
                if (at == count)
                {
                    if (padded)
                    {
                        badInput = total - j;
                        return false;
                    }

                    filled = j;
                    break;
                }

                var c = letters[at++];
                var left = count - at;
                if (padded && c == '=' && j >= 2 && left < 8)
                {
                    if (left + j < 7)
                    {
                        badInput = total;
                        return false;
                    }

                    for (var k = 0; k < 7 - j; k++)
                    {
                        if (left > k && letters[at + k] != '=')
                        {
                            badInput = total - left + k - 1;
                            return false;
                        }
                    }

                    filled = j;
                    end = true;
                    if (filled is 1 or 3 or 6)
                    {
                        badInput = total - left - 1;
                        return false;
                    }

                    break;
                }

                var value = c < 128 ? values[c] : Bad;
                if (value == Bad)
                {
                    badInput = total - left - 1;
                    return false;
                }

                group[j++] = value;
            }

            written += Pack(group, filled, destination[written..]);
        }

        return true;
    }

    private static int Pack(ReadOnlySpan<byte> group, int filled, Span<byte> destination)
    {
        ulong v = 0;
        foreach (var value in group)
        {
            v = (v << 5) | value;
        }

        var bytes = filled switch { 8 => 5, 7 => 4, 5 => 3, 4 => 2, 2 => 1, _ => 0 };
        for (var i = 0; i < bytes; i++)
        {
            destination[i] = (byte)(v >> (32 - (8 * i)));
        }

        return bytes;
    }

    private static byte[] Values(string alphabet)
    {
        var values = new byte[128];
        Array.Fill(values, Bad);
        for (var i = 0; i < alphabet.Length; i++)
        {
            values[alphabet[i]] = (byte)i;
            values[char.ToUpperInvariant(alphabet[i])] = (byte)i;
        }

        return values;
    }
}
