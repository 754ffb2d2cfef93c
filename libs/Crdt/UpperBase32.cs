namespace Crdt;

/// <summary>RFC 4648 base32 in upper case without padding, as datastore keys and element ids are spelt (crdt, conventions).</summary>
public static class UpperBase32
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>The text of some bytes.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var length = (bytes.Length * 8 + 4) / 5;
        Span<char> text = length <= 256 ? stackalloc char[length] : new char[length];
        uint bits = 0;
        int count = 0, at = 0;
        foreach (var value in bytes)
        {
            bits = bits << 8 | value;
            count += 8;
            while (count >= 5)
            {
                count -= 5;
                text[at++] = Alphabet[(int)(bits >> count & 31)];
            }
            bits &= (1u << count) - 1;
        }
        if (count > 0) text[at] = Alphabet[(int)(bits << 5 - count & 31)];
        return new string(text);
    }

    /// <summary>The bytes of a text; false when it holds other letters, or more bytes than the destination takes.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination, out int written)
    {
        uint bits = 0;
        var count = 0;
        written = 0;
        foreach (var letter in text)
        {
            uint value;
            if (letter is >= 'A' and <= 'Z') value = (uint)(letter - 'A');
            else if (letter is >= '2' and <= '7') value = (uint)(letter - '2' + 26);
            else return false;
            bits = bits << 5 | value;
            count += 5;
            if (count < 8) continue;
            count -= 8;
            if (written == destination.Length) return false;
            destination[written++] = (byte)(bits >> count);
            bits &= (1u << count) - 1;
        }
        return bits == 0 && count < 5;
    }
}
