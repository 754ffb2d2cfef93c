using System.Globalization;

namespace Cluster.Model;

/// <summary>Numbers and booleans as Go's package <c>strconv</c> reads them.</summary>
public static class GoParse
{
    /// <summary><c>1 t T TRUE true True</c> and <c>0 f F FALSE false False</c>.</summary>
    public static bool TryBoolean(string text, out bool value)
    {
        value = text is "1" or "t" or "T" or "TRUE" or "true" or "True";
        return value || text is "0" or "f" or "F" or "FALSE" or "false" or "False";
    }

    /// <summary>Reads a number in base 10, or 2, 8, 16 by its prefix; the reason is <c>invalid syntax</c> or <c>value out of range</c>.</summary>
    public static bool TryInteger(string text, out long value, out string reason)
    {
        ArgumentNullException.ThrowIfNull(text);
        value = 0;
        var negative = text.StartsWith('-');
        var digits = negative || text.StartsWith('+') ? text[1..] : text;
        if (!TryUnsigned(digits, out var magnitude, out reason))
            return false;
        if (magnitude > (negative ? 1UL << 63 : long.MaxValue))
        {
            reason = "value out of range";
            return false;
        }

        value = negative ? unchecked(-(long)magnitude) : (long)magnitude;
        return true;
    }

    /// <summary>Like <see cref="TryInteger"/>, without a sign.</summary>
    public static bool TryUnsigned(string text, out ulong value, out string reason)
    {
        ArgumentNullException.ThrowIfNull(text);
        value = 0;
        reason = string.Empty;
        var (digits, radix) = text switch
        {
            ['0', 'x' or 'X', ..] => (text[2..], 16u),
            ['0', 'b' or 'B', ..] => (text[2..], 2u),
            ['0', 'o' or 'O', ..] => (text[2..], 8u),
            ['0', _, ..] => (text[1..], 8u),
            _ => (text, 10u),
        };
        if (digits.Length == 0)
            return Fail("invalid syntax", out reason);
        foreach (var c in digits)
        {
            var digit = char.IsAsciiHexDigit(c) ? (uint)int.Parse([c], NumberStyles.HexNumber, CultureInfo.InvariantCulture) : 99;
            if (digit >= radix)
                return Fail("invalid syntax", out reason);
            if (value > (ulong.MaxValue - digit) / radix)
                return Fail("value out of range", out reason);
            value = value * radix + digit;
        }

        return true;
    }

    private static bool Fail(string text, out string reason)
    {
        reason = text;
        return false;
    }
}
