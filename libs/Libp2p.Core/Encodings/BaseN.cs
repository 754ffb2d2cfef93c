using System.Text;

namespace Libp2p.Encodings;

/// <summary>The alphabets of onion and I2P names, without padding and without the prefix of a multibase.</summary>
internal sealed class BaseN
{
    private readonly string alphabet;
    private readonly int bits;
    private readonly sbyte[] values = new sbyte[128];

    private BaseN(string alphabet, int bits, bool caseInsensitive = false)
    {
        this.alphabet = alphabet;
        this.bits = bits;
        Array.Fill(values, (sbyte)-1);
        for (int i = 0; i < alphabet.Length; i++)
        {
            values[alphabet[i]] = (sbyte)i;
            if (caseInsensitive) values[char.ToUpperInvariant(alphabet[i])] = (sbyte)i;
        }
    }

    public static readonly BaseN Base32 = new("abcdefghijklmnopqrstuvwxyz234567", 5, caseInsensitive: true);
    public static readonly BaseN Base64I2p = new("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~", 6);

    public string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder((bytes.Length * 8 + bits - 1) / bits);
        int buffer = 0, held = 0;
        foreach (byte b in bytes)
        {
            buffer = (buffer << 8 | b) & 0xffff;
            held += 8;
            while (held >= bits)
            {
                held -= bits;
                text.Append(alphabet[buffer >> held & (1 << bits) - 1]);
            }
        }
        if (held > 0) text.Append(alphabet[buffer << (bits - held) & (1 << bits) - 1]);
        return text.ToString();
    }

    public bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = new byte[text.Length * bits / 8];
        // A last character that carries no whole byte cannot come from an encoder.
        if (text.Length * bits % 8 >= bits) return false;
        int buffer = 0, held = 0, n = 0;
        foreach (char c in text)
        {
            int v = c < 128 ? values[c] : -1;
            if (v < 0) return false;
            buffer = (buffer << bits | v) & 0xffff;
            held += bits;
            if (held < 8) continue;
            held -= 8;
            bytes[n++] = (byte)(buffer >> held);
        }
        return true;
    }
}
