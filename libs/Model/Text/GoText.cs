using System.Text;

namespace Cluster.Model;

/// <summary>Quoting of texts inside error messages, as Go's packages <c>time</c> and <c>strconv</c> print them.</summary>
public static class GoText
{
    /// <summary>Quotes as package <c>time</c> does: bytes outside printable ASCII become <c>\xHH</c>.</summary>
    public static string QuoteForTime(ReadOnlySpan<char> text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is >= ' ' and < 0x80)
            {
                if (rune.Value is '"' or '\\')
                    quoted.Append('\\');
                quoted.Append((char)rune.Value);
                continue;
            }

            var length = rune.EncodeToUtf8(utf8);
            foreach (var octet in utf8[..length])
                quoted.Append("\\x").Append(Convert.ToHexStringLower([octet]));
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>Quotes as <c>strconv.Quote</c> (the verb <c>%q</c>) does: printable characters stay, control characters are escaped.</summary>
    public static string Quote(ReadOnlySpan<char> text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '"': quoted.Append("\\\""); break;
                case '\\': quoted.Append("\\\\"); break;
                case '\a': quoted.Append("\\a"); break;
                case '\b': quoted.Append("\\b"); break;
                case '\f': quoted.Append("\\f"); break;
                case '\n': quoted.Append("\\n"); break;
                case '\r': quoted.Append("\\r"); break;
                case '\t': quoted.Append("\\t"); break;
                case '\v': quoted.Append("\\v"); break;
                case < ' ' or 0x7f: quoted.Append("\\x").Append(rune.Value.ToString("x2", null)); break;
                default: quoted.Append(rune.ToString()); break;
            }
        }

        return quoted.Append('"').ToString();
    }
}
