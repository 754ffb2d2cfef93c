using System.Globalization;
using System.Text;

namespace Ipld;

/// <summary>The bases that go-multibase 0.3 (the original's) knows.</summary>
public enum MultibaseEncoding
{
    /// <summary>Prefix NUL: the bytes themselves.</summary>
    Identity = 0,
    /// <summary>Prefix 0.</summary>
    Base2 = '0',
    /// <summary>Prefix f.</summary>
    Base16 = 'f',
    /// <summary>Prefix F.</summary>
    Base16Upper = 'F',
    /// <summary>Prefix b: the canonical text of a CIDv1.</summary>
    Base32 = 'b',
    /// <summary>Prefix B.</summary>
    Base32Upper = 'B',
    /// <summary>Prefix c.</summary>
    Base32Pad = 'c',
    /// <summary>Prefix C.</summary>
    Base32PadUpper = 'C',
    /// <summary>Prefix v.</summary>
    Base32Hex = 'v',
    /// <summary>Prefix V.</summary>
    Base32HexUpper = 'V',
    /// <summary>Prefix t.</summary>
    Base32HexPad = 't',
    /// <summary>Prefix T.</summary>
    Base32HexPadUpper = 'T',
    /// <summary>Prefix k: the text of IPNS names.</summary>
    Base36 = 'k',
    /// <summary>Prefix K.</summary>
    Base36Upper = 'K',
    /// <summary>Prefix z.</summary>
    Base58Btc = 'z',
    /// <summary>Prefix Z.</summary>
    Base58Flickr = 'Z',
    /// <summary>Prefix m.</summary>
    Base64 = 'm',
    /// <summary>Prefix u.</summary>
    Base64Url = 'u',
    /// <summary>Prefix M.</summary>
    Base64Pad = 'M',
    /// <summary>Prefix U.</summary>
    Base64UrlPad = 'U',
    /// <summary>Prefix 🚀.</summary>
    Base256Emoji = 0x1F680,
}

/// <summary>Self-describing text encodings: a prefix that names the base, then the digits.</summary>
public static class Multibase
{
    internal const string Unsupported = "selected encoding not supported";

    /// <summary>The name in the multibase table, for example <c>base58btc</c>.</summary>
    public static string NameOf(MultibaseEncoding encoding) => encoding switch
    {
        MultibaseEncoding.Base58Btc => "base58btc",
        _ => encoding.ToString().ToLowerInvariant(),
    };

    /// <summary>Finds the base of a multibase text by its prefix.</summary>
    public static bool TryGetEncoding(ReadOnlySpan<char> text, out MultibaseEncoding encoding)
    {
        encoding = default;
        if (Rune.DecodeFromUtf16(text, out var rune, out _) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        encoding = (MultibaseEncoding)rune.Value;
        return Enum.IsDefined(encoding);
    }

    /// <summary>An upper bound of the bytes that a multibase text of that many UTF-16 characters decodes to.</summary>
    public static int MaxDecodedLength(int textLength) => checked(textLength * 3);

    /// <summary>Encodes with the prefix of <paramref name="encoding"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The base is not one of the enumeration.</exception>
    public static string Encode(MultibaseEncoding encoding, ReadOnlySpan<byte> data) => encoding switch
    {
        MultibaseEncoding.Identity => "\0" + Encoding.UTF8.GetString(data),
        MultibaseEncoding.Base2 => EncodeBinary(data),
        MultibaseEncoding.Base16 => "f" + Convert.ToHexStringLower(data),
        MultibaseEncoding.Base16Upper => "F" + Convert.ToHexString(data),
        MultibaseEncoding.Base32 => Base32.Encode(data, Base32.StandardLower, "b", padded: false),
        MultibaseEncoding.Base32Upper => Base32.Encode(data, Base32.StandardUpper, "B", padded: false),
        MultibaseEncoding.Base32Pad => Base32.Encode(data, Base32.StandardLower, "c", padded: true),
        MultibaseEncoding.Base32PadUpper => Base32.Encode(data, Base32.StandardUpper, "C", padded: true),
        MultibaseEncoding.Base32Hex => Base32.Encode(data, Base32.HexLower, "v", padded: false),
        MultibaseEncoding.Base32HexUpper => Base32.Encode(data, Base32.HexUpper, "V", padded: false),
        MultibaseEncoding.Base32HexPad => Base32.Encode(data, Base32.HexLower, "t", padded: true),
        MultibaseEncoding.Base32HexPadUpper => Base32.Encode(data, Base32.HexUpper, "T", padded: true),
        MultibaseEncoding.Base36 => Base58.Base36.Encode(data, "k"),
        MultibaseEncoding.Base36Upper => Base58.Base36Upper.Encode(data, "K"),
        MultibaseEncoding.Base58Btc => Base58.Bitcoin.Encode(data, "z"),
        MultibaseEncoding.Base58Flickr => Base58.Flickr.Encode(data, "Z"),
        MultibaseEncoding.Base64 => "m" + Base64.Encode(data, url: false, padded: false),
        MultibaseEncoding.Base64Url => "u" + Base64.Encode(data, url: true, padded: false),
        MultibaseEncoding.Base64Pad => "M" + Base64.Encode(data, url: false, padded: true),
        MultibaseEncoding.Base64UrlPad => "U" + Base64.Encode(data, url: true, padded: true),
        MultibaseEncoding.Base256Emoji => "🚀" + Base256Emoji.Encode(data),
        _ => throw new ArgumentOutOfRangeException(nameof(encoding), encoding, Unsupported),
    };

    /// <summary>Decodes a multibase text.</summary>
    /// <param name="text">Prefix and digits.</param>
    /// <param name="destination">At least <see cref="MaxDecodedLength"/> bytes.</param>
    /// <param name="written">How many bytes were decoded.</param>
    /// <param name="error">What is wrong, in the words of go-multibase; empty on success.</param>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination, out int written, out string error)
    {
        written = 0;
        if (text.IsEmpty)
        {
            error = "cannot decode multibase for zero length string";
            return false;
        }

        var digits = text[1..];
        switch (text[0])
        {
            case 'b' or 'B':
                return DecodeBase32(digits, destination, hex: false, padded: false, out written, out error);
            case 'c' or 'C':
                return DecodeBase32(digits, destination, hex: false, padded: true, out written, out error);
            case 'v' or 'V':
                return DecodeBase32(digits, destination, hex: true, padded: false, out written, out error);
            case 't' or 'T':
                return DecodeBase32(digits, destination, hex: true, padded: true, out written, out error);
            case 'z':
                return DecodeBig(Base58.Bitcoin, "base58 digit", "zero length string", digits, destination, out written, out error);
            case 'Z':
                return DecodeBig(Base58.Flickr, "base58 digit", "zero length string", digits, destination, out written, out error);
            case 'k' or 'K':
                return DecodeBig(Base58.Base36, "base36 character", "can not decode zero-length string", digits, destination, out written, out error);
            case 'f' or 'F':
                return DecodeHex(digits, destination, out written, out error);
            case 'm':
                return DecodeBase64(digits, destination, url: false, padded: false, out written, out error);
            case 'M':
                return DecodeBase64(digits, destination, url: false, padded: true, out written, out error);
            case 'u':
                return DecodeBase64(digits, destination, url: true, padded: false, out written, out error);
            case 'U':
                return DecodeBase64(digits, destination, url: true, padded: true, out written, out error);
            case '0':
                return DecodeBinary(digits, destination, out written, out error);
            case '\0':
                written = Encoding.UTF8.GetBytes(digits, destination);
                error = "";
                return true;
            case '\ud83d' when digits is ['\ude80', ..]:
                return Base256Emoji.TryDecode(digits[1..], destination, out written, out error);
            default:
                error = Unsupported;
                return false;
        }
    }

    private static bool DecodeBase32(ReadOnlySpan<char> digits, Span<byte> destination, bool hex, bool padded, out int written, out string error)
    {
        if (Base32.TryDecode(digits, destination, hex, padded, out written, out var badInput))
        {
            error = "";
            return true;
        }

        error = string.Create(CultureInfo.InvariantCulture, $"illegal base32 data at input byte {badInput}");
        return false;
    }

    private static bool DecodeBase64(ReadOnlySpan<char> digits, Span<byte> destination, bool url, bool padded, out int written, out string error)
    {
        if (Base64.TryDecode(digits, destination, url, padded, out written, out var badInput))
        {
            error = "";
            return true;
        }

        error = string.Create(CultureInfo.InvariantCulture, $"illegal base64 data at input byte {badInput}");
        return false;
    }

    private static bool DecodeBig(BigBase numeral, string digitName, string empty, ReadOnlySpan<char> digits, Span<byte> destination, out int written, out string error)
    {
        if (numeral.TryDecode(digits, destination, out written, out var bad))
        {
            error = "";
            return true;
        }

        if (bad < 0)
        {
            error = digits.IsEmpty ? empty : string.Create(CultureInfo.InvariantCulture, $"text too long: at most {Base58.MaxDigits} digits are supported");
            return false;
        }

        error = digits[bad] > 127 && numeral != Base58.Base36
            ? "high-bit set on invalid digit"
            : $"invalid {digitName} ({GoQuote.Rune(RuneAt(digits, bad))})";
        return false;
    }

    private static bool DecodeHex(ReadOnlySpan<char> digits, Span<byte> destination, out int written, out string error)
    {
        written = 0;
        var bad = digits.IndexOfAnyExcept(HexDigits);
        if (bad >= 0)
        {
            // Go looks at bytes: of a letter beyond ASCII it names the first byte of the UTF-8 form.
            Span<byte> utf8 = stackalloc byte[4];
            RuneAt(digits, bad).EncodeToUtf8(utf8);
            error = $"encoding/hex: invalid byte: {GoQuote.CodePoint(utf8[0])}";
            return false;
        }

        if (digits.Length % 2 != 0)
        {
            error = "encoding/hex: odd length hex string";
            return false;
        }

        Convert.FromHexString(digits, destination, out _, out written);
        error = "";
        return true;
    }

    private static readonly System.Buffers.SearchValues<char> HexDigits = System.Buffers.SearchValues.Create("0123456789abcdefABCDEF");

    private static bool DecodeBinary(ReadOnlySpan<char> digits, Span<byte> destination, out int written, out string error)
    {
        written = 0;
        var bad = digits.IndexOfAnyExcept('0', '1');
        if (bad >= 0)
        {
            var padding = (8 - (digits.Length % 8)) % 8;
            var padded = new string('0', padding) + digits.ToString();
            var start = (bad + padding) / 8 * 8;
            error = $"error while conversion: strconv.ParseInt: parsing \"{padded.AsSpan(start, Math.Min(8, padded.Length - start))}\": invalid syntax";
            return false;
        }

        var count = (digits.Length + 7) / 8;
        destination[..count].Clear();
        for (var i = 0; i < digits.Length; i++)
        {
            var bit = digits.Length - 1 - i;
            if (digits[i] == '1')
            {
                destination[count - 1 - (bit / 8)] |= (byte)(1 << (bit % 8));
            }
        }

        written = count;
        error = "";
        return true;
    }

    private static string EncodeBinary(ReadOnlySpan<byte> data)
    {
        var text = new StringBuilder((data.Length * 8) + 1).Append('0');
        foreach (var b in data)
        {
            for (var bit = 7; bit >= 0; bit--)
            {
                text.Append((b >> bit) & 1);
            }
        }

        return text.ToString();
    }

    private static Rune RuneAt(ReadOnlySpan<char> text, int index)
    {
        Rune.DecodeFromUtf16(text[index..], out var rune, out _);
        return rune;
    }
}
