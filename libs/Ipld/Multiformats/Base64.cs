namespace Ipld;

/// <summary>Base64 of RFC 4648, decoding as Go's <c>encoding/base64</c> does, whose offsets appear in error texts.</summary>
internal static class Base64
{
    private const byte Bad = 0xff;
    private static readonly byte[] StandardValues = Values('+', '/');
    private static readonly byte[] UrlValues = Values('-', '_');

    public static string Encode(ReadOnlySpan<byte> data, bool url, bool padded)
    {
        var text = Convert.ToBase64String(data);
        if (!padded)
        {
            text = text.TrimEnd('=');
        }

        return url ? text.Replace('+', '-').Replace('/', '_') : text;
    }

    /// <summary>Decodes; on failure <paramref name="badInput"/> is the offset that Go names.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination, bool url, bool padded, out int written, out int badInput)
    {
        var values = url ? UrlValues : StandardValues;
        written = 0;
        badInput = -1;
        var at = 0;
        while (at < text.Length)
        {
            if (!TryQuantum(text, ref at, destination, values, padded, ref written, out badInput))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryQuantum(ReadOnlySpan<char> text, ref int at, Span<byte> destination, byte[] values, bool padded, ref int written, out int badInput)
    {
        badInput = -1;
        uint v = 0;
        var filled = 4;
        for (var j = 0; j < 4; j++)
        {
            if (at == text.Length)
            {
                if (j == 0)
                {
                    return true;
                }

                if (j == 1 || padded)
                {
                    badInput = at - j;
                    return false;
                }

                filled = j;
                break;
            }

            var c = text[at++];
            var value = c < 128 ? values[c] : Bad;
            if (value != Bad)
            {
                v |= (uint)value << (18 - (6 * j));
                continue;
            }

            if (c is '\n' or '\r')
            {
                j--;
                continue;
            }

            if (c != '=' || !padded || j < 2)
            {
                badInput = at - 1;
                return false;
            }

            if (j == 2)
            {
                SkipLineEnds(text, ref at);
                if (at == text.Length)
                {
                    badInput = at;
                    return false;
                }

                if (text[at] != '=')
                {
                    badInput = at - 1;
                    return false;
                }

                at++;
            }

            SkipLineEnds(text, ref at);
            if (at < text.Length)
            {
                badInput = at;
                return false;
            }

            filled = j;
            break;
        }

        for (var i = 0; i < filled - 1; i++)
        {
            destination[written++] = (byte)(v >> (16 - (8 * i)));
        }

        return true;
    }

    private static void SkipLineEnds(ReadOnlySpan<char> text, ref int at)
    {
        while (at < text.Length && text[at] is '\n' or '\r')
        {
            at++;
        }
    }

    private static byte[] Values(char c62, char c63)
    {
        var alphabet = $"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789{c62}{c63}";
        var values = new byte[128];
        Array.Fill(values, Bad);
        for (var i = 0; i < alphabet.Length; i++)
        {
            values[alphabet[i]] = (byte)i;
        }

        return values;
    }
}
