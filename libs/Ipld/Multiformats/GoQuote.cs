using System.Globalization;
using System.Text;

namespace Ipld;

/// <summary>Writes characters as Go's <c>%q</c> and <c>%#U</c> do; error texts of the original contain them.</summary>
internal static class GoQuote
{
    /// <summary><c>%q</c> of a rune: in single quotes, escaped where it cannot be printed.</summary>
    public static string Rune(Rune rune)
    {
        var v = rune.Value;
        return v switch
        {
            '\'' => "'\\''",
            '\\' => "'\\\\'",
            7 => "'\\a'",
            8 => "'\\b'",
            9 => "'\\t'",
            10 => "'\\n'",
            11 => "'\\v'",
            12 => "'\\f'",
            13 => "'\\r'",
            < 0x20 or 0x7f => string.Create(CultureInfo.InvariantCulture, $"'\\x{v:x2}'"),
            _ when IsPrintable(rune) => $"'{rune}'",
            < 0x10000 => string.Create(CultureInfo.InvariantCulture, $"'\\u{v:x4}'"),
            _ => string.Create(CultureInfo.InvariantCulture, $"'\\U{v:x8}'"),
        };
    }

    /// <summary><c>%q</c> of a text: in double quotes.</summary>
    public static string Text(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var rune in text.EnumerateRunes())
        {
            quoted.Append(rune.Value switch
            {
                '"' => "\\\"",
                '\'' => "'",
                _ => Rune(rune)[1..^1],
            });
        }

        return quoted.Append('"').ToString();
    }

    /// <summary><c>%#U</c> of a Latin-1 code point: <c>U+0078 'x'</c>.</summary>
    public static string CodePoint(byte value)
    {
        var rune = new Rune((char)value);
        return IsPrintable(rune)
            ? string.Create(CultureInfo.InvariantCulture, $"U+{(int)value:X4} '{rune}'")
            : string.Create(CultureInfo.InvariantCulture, $"U+{(int)value:X4}");
    }

    private static bool IsPrintable(Rune rune) => rune.Value == ' ' || System.Text.Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
            or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => false,
        _ => true,
    };
}
