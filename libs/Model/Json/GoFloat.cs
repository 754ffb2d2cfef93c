using System.Globalization;

namespace Cluster.Model;

/// <summary>Floating point numbers as Go's <c>encoding/json</c> prints them.</summary>
internal static class GoFloat
{
    public static string ToText(double value)
    {
        if (value == 0)
            return double.IsNegative(value) ? "-0" : "0";
        var roundTrip = value.ToString("R", CultureInfo.InvariantCulture);
        var (digits, exponent) = Split(roundTrip);
        var sign = value < 0 ? "-" : string.Empty;
        var magnitude = Math.Abs(value);
        if (magnitude is < 1e-6 or >= 1e21)
        {
            var mantissa = digits.Length == 1 ? digits : digits[..1] + "." + digits[1..];
            // Go writes two digits of exponent and JSON drops the zero of a negative one: 1e-7, 1e+21.
            return sign + mantissa + "e" + (exponent < 0 ? "-" : "+") + Math.Abs(exponent).ToString(CultureInfo.InvariantCulture);
        }

        if (exponent < 0)
            return sign + "0." + new string('0', -exponent - 1) + digits;
        if (digits.Length <= exponent + 1)
            return sign + digits.PadRight(exponent + 1, '0');
        return sign + digits[..(exponent + 1)] + "." + digits[(exponent + 1)..];
    }

    /// <summary>Significant digits and the decimal exponent of the first one.</summary>
    private static (string Digits, int Exponent) Split(string text)
    {
        text = text.TrimStart('-');
        var e = text.IndexOf('E', StringComparison.Ordinal);
        var exponent = e < 0 ? 0 : int.Parse(text[(e + 1)..], CultureInfo.InvariantCulture);
        var mantissa = e < 0 ? text : text[..e];
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? mantissa : mantissa[..point];
        var all = whole + (point < 0 ? string.Empty : mantissa[(point + 1)..]);
        var leading = all.Length - all.TrimStart('0').Length;
        return (all.Trim('0'), exponent + whole.Length - 1 - leading);
    }
}
