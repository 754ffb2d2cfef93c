using System.Buffers;

namespace Ipld;

/// <summary>Base58 (Bitcoin and Flickr alphabets) and base36: big-number encodings, leading zero bytes kept as zero digits.</summary>
/// <remarks>The cost grows with the square of the length; that is why input is limited to <see cref="MaxDigits"/>.</remarks>
public static class Base58
{
    /// <summary>Longest text that is decoded, in digits.</summary>
    public const int MaxDigits = 16384;

    internal static readonly BigBase Bitcoin = new("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 5, caseless: false);
    internal static readonly BigBase Flickr = new("123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ", 5, caseless: false);
    internal static readonly BigBase Base36 = new("0123456789abcdefghijklmnopqrstuvwxyz", 6, caseless: true);
    internal static readonly BigBase Base36Upper = new("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 6, caseless: true);

    /// <summary>The base58btc text of <paramref name="data"/> without a multibase prefix.</summary>
    public static string Encode(ReadOnlySpan<byte> data) => Bitcoin.Encode(data, "");

    /// <summary>Decodes base58btc without a multibase prefix.</summary>
    /// <param name="text">The digits; at most <see cref="MaxDigits"/>.</param>
    /// <param name="destination">At least as long as the text.</param>
    /// <param name="written">How many bytes were decoded.</param>
    /// <returns>False when a character is not a digit, the text is empty or too long.</returns>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination, out int written) =>
        Bitcoin.TryDecode(text, destination, out written, out _);
}

/// <summary>One alphabet of a big-number encoding.</summary>
internal sealed class BigBase
{
    private readonly string _alphabet;
    private readonly sbyte[] _values = new sbyte[128];
    private readonly int _digitsPerLimb;
    private readonly uint _limbBase;

    // digitsPerLimb digits fit a 32-bit limb, so that a step of the long multiplication covers several digits.
    public BigBase(string alphabet, int digitsPerLimb, bool caseless)
    {
        _alphabet = alphabet;
        _digitsPerLimb = digitsPerLimb;
        _limbBase = 1;
        for (var i = 0; i < digitsPerLimb; i++)
        {
            _limbBase = checked(_limbBase * (uint)alphabet.Length);
        }

        Array.Fill(_values, (sbyte)-1);
        for (var i = 0; i < alphabet.Length; i++)
        {
            _values[alphabet[i]] = (sbyte)i;
            if (caseless)
            {
                _values[char.ToLowerInvariant(alphabet[i])] = (sbyte)i;
                _values[char.ToUpperInvariant(alphabet[i])] = (sbyte)i;
            }
        }
    }

    public string Encode(ReadOnlySpan<byte> data, string prefix)
    {
        var zeros = 0;
        while (zeros < data.Length && data[zeros] == 0)
        {
            zeros++;
        }

        var significant = data[zeros..];
        // log(256)/log(36) < 1.55 digits a byte; base58 needs fewer.
        var maxDigits = (significant.Length * 155 / 100) + 1;
        var limbCount = (maxDigits / _digitsPerLimb) + 1;
        uint[]? rented = null;
        var limbs = limbCount <= 64 ? stackalloc uint[64] : (rented = ArrayPool<uint>.Shared.Rent(limbCount));
        var used = 0;
        var position = 0;
        while (position < significant.Length)
        {
            // The first step takes the odd bytes, all others four.
            var take = (significant.Length - position) % 4;
            take = take == 0 ? 4 : take;
            ulong carry = 0;
            for (var k = 0; k < take; k++)
            {
                carry = (carry << 8) | significant[position++];
            }

            for (var i = 0; i < used; i++)
            {
                var t = ((ulong)limbs[i] << (8 * take)) + carry;
                carry = t / _limbBase;
                limbs[i] = (uint)(t - (carry * _limbBase));
            }

            while (carry > 0)
            {
                limbs[used++] = (uint)(carry % _limbBase);
                carry /= _limbBase;
            }
        }

        var digitCount = used * _digitsPerLimb;
        char[]? rentedChars = null;
        var chars = digitCount <= 512 ? stackalloc char[512] : (rentedChars = ArrayPool<char>.Shared.Rent(digitCount));
        var at = digitCount;
        var radix = (uint)_alphabet.Length;
        for (var i = 0; i < used; i++)
        {
            var limb = limbs[i];
            for (var k = 0; k < _digitsPerLimb; k++)
            {
                chars[--at] = _alphabet[(int)(limb % radix)];
                limb /= radix;
            }
        }

        var start = 0;
        while (start < digitCount && chars[start] == _alphabet[0])
        {
            start++;
        }

        var digits = chars[start..digitCount];
        var text = zeros == 0 ? string.Concat(prefix, digits) : string.Concat(prefix, new string(_alphabet[0], zeros), digits);
        if (rented is not null)
        {
            ArrayPool<uint>.Shared.Return(rented);
        }

        if (rentedChars is not null)
        {
            ArrayPool<char>.Shared.Return(rentedChars);
        }

        return text;
    }

    /// <summary>Decodes; on failure <paramref name="badDigit"/> is the first bad digit's index, or -1 when the text is empty or too long.</summary>
    public bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination, out int written, out int badDigit)
    {
        written = 0;
        badDigit = -1;
        if (text.Length is 0 or > Base58.MaxDigits)
        {
            return false;
        }

        var zero = _alphabet[0];
        var zeros = 0;
        while (zeros < text.Length && text[zeros] == zero)
        {
            zeros++;
        }

        // A digit carries less than 6 bits, so five fit a 32-bit limb.
        var limbCount = (text.Length / 5) + 1;
        uint[]? rented = null;
        var limbs = limbCount <= 64 ? stackalloc uint[64] : (rented = ArrayPool<uint>.Shared.Rent(limbCount));
        var used = 0;
        var position = zeros;
        var radix = (uint)_alphabet.Length;
        while (position < text.Length)
        {
            uint factor = 1;
            ulong carry = 0;
            for (var k = 0; k < _digitsPerLimb && position < text.Length; k++, position++)
            {
                var c = text[position];
                var value = c < 128 ? _values[c] : -1;
                if (value < 0)
                {
                    badDigit = position;
                    Return(rented);
                    return false;
                }

                carry = (carry * radix) + (uint)value;
                factor *= radix;
            }

            for (var i = 0; i < used; i++)
            {
                var t = ((ulong)limbs[i] * factor) + carry;
                limbs[i] = (uint)t;
                carry = t >> 32;
            }

            if (carry > 0)
            {
                limbs[used++] = (uint)carry;
            }
        }

        destination[..zeros].Clear();
        written = zeros;
        var skipping = true;
        for (var i = used - 1; i >= 0; i--)
        {
            for (var shift = 24; shift >= 0; shift -= 8)
            {
                var b = (byte)(limbs[i] >> shift);
                if (skipping && b == 0)
                {
                    continue;
                }

                skipping = false;
                destination[written++] = b;
            }
        }

        Return(rented);
        return true;
    }

    private static void Return(uint[]? rented)
    {
        if (rented is not null)
        {
            ArrayPool<uint>.Shared.Return(rented);
        }
    }
}
