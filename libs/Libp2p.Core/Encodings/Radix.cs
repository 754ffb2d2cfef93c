namespace Libp2p.Encodings;

/// <summary>Alphabets that treat the bytes as one big number: base58btc and base36.</summary>
internal sealed class Radix
{
    private readonly string alphabet;
    private readonly sbyte[] values = new sbyte[128];

    private Radix(string alphabet, bool caseInsensitive = false)
    {
        this.alphabet = alphabet;
        Array.Fill(values, (sbyte)-1);
        for (int i = 0; i < alphabet.Length; i++)
        {
            values[alphabet[i]] = (sbyte)i;
            if (caseInsensitive) values[char.ToUpperInvariant(alphabet[i])] = (sbyte)i;
        }
    }

    public static readonly Radix Base58 = new("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz");
    public static readonly Radix Base36 = new("0123456789abcdefghijklmnopqrstuvwxyz", caseInsensitive: true);

    public string Encode(ReadOnlySpan<byte> bytes)
    {
        int zeros = 0;
        while (zeros < bytes.Length && bytes[zeros] == 0) zeros++;
        // log2(58) and log2(36) are both above 5, so 8/5 digits a byte always suffice.
        Span<byte> digits = bytes.Length <= 128 ? stackalloc byte[bytes.Length * 8 / 5 + 2] : new byte[bytes.Length * 8 / 5 + 2];
        int used = 0;
        for (int i = zeros; i < bytes.Length; i++)
        {
            int carry = bytes[i];
            for (int j = 0; j < used || carry > 0; j++)
            {
                if (j == used)
                {
                    digits[j] = 0;
                    used++;
                }
                carry += digits[j] << 8;
                digits[j] = (byte)(carry % alphabet.Length);
                carry /= alphabet.Length;
            }
        }
        Span<char> text = zeros + used <= 256 ? stackalloc char[zeros + used] : new char[zeros + used];
        text[..zeros].Fill(alphabet[0]);
        for (int i = 0; i < used; i++) text[zeros + i] = alphabet[digits[used - 1 - i]];
        return new string(text);
    }

    public bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        int zeros = 0;
        while (zeros < text.Length && text[zeros] == alphabet[0]) zeros++;
        Span<byte> number = text.Length <= 256 ? stackalloc byte[text.Length + 1] : new byte[text.Length + 1];
        int used = 0;
        for (int i = zeros; i < text.Length; i++)
        {
            int carry = text[i] < 128 ? values[text[i]] : -1;
            if (carry < 0) return false;
            for (int j = 0; j < used || carry > 0; j++)
            {
                if (j == used)
                {
                    number[j] = 0;
                    used++;
                }
                carry += number[j] * alphabet.Length;
                number[j] = (byte)carry;
                carry >>= 8;
            }
        }
        bytes = new byte[zeros + used];
        for (int i = 0; i < used; i++) bytes[zeros + i] = number[used - 1 - i];
        return true;
    }
}
