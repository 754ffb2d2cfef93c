using System.Globalization;
using System.Text;

namespace Cluster.Model;

/// <summary>
/// The parameters of a URL, read and printed as Go's <c>url.Values</c>: the first value of a repeated name counts, pairs with a
/// semicolon or a bad escape are dropped (and named in <see cref="Complaint"/>).
/// </summary>
public sealed class GoQuery
{
    private readonly List<KeyValuePair<string, string>> _pairs = [];

    /// <summary>What Go's parser says about the first dropped pair; null when all were read.</summary>
    public string? Complaint { get; private set; }

    /// <summary>In order of appearance.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Pairs => _pairs;

    /// <summary>Reads what follows the question mark (a leading one is skipped).</summary>
    public static GoQuery Parse(string query)
    {
        ArgumentNullException.ThrowIfNull(query);
        var parsed = new GoQuery();
        var rest = query.StartsWith('?') ? query.AsSpan(1) : query;
        foreach (var range in rest.Split('&'))
        {
            var pair = rest[range];
            if (pair.IsEmpty)
                continue;
            if (pair.Contains(';'))
            {
                parsed.Complaint ??= "invalid semicolon separator in query";
                continue;
            }

            var equals = pair.IndexOf('=');
            var name = equals < 0 ? pair : pair[..equals];
            var value = equals < 0 ? default : pair[(equals + 1)..];
            if (!TryUnescape(name, out var key, out var complaint) || !TryUnescape(value, out var text, out complaint))
            {
                parsed.Complaint ??= complaint;
                continue;
            }

            parsed._pairs.Add(new(key, text));
        }

        return parsed;
    }

    /// <summary>The first value; empty when there is none.</summary>
    public string Get(string name)
    {
        foreach (var (key, value) in _pairs)
        {
            if (key == name)
                return value;
        }

        return string.Empty;
    }

    public bool Has(string name) => _pairs.Exists(pair => pair.Key == name);

    /// <summary>Adds a value.</summary>
    public GoQuery Add(string name, string value)
    {
        _pairs.Add(new(name, value));
        return this;
    }

    /// <summary>Replaces all values of the name.</summary>
    public GoQuery Set(string name, string value)
    {
        _pairs.RemoveAll(pair => pair.Key == name);
        return Add(name, value);
    }

    /// <summary>Sorted by name, escaped as Go's <c>QueryEscape</c> does.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (name, value) in _pairs.OrderBy(pair => pair.Key, Comparer<string>.Create(Utf8Order.Compare)))
        {
            if (text.Length > 0)
                text.Append('&');
            text.Append(Escape(name)).Append('=').Append(Escape(value));
        }

        return text.ToString();
    }

    /// <summary>Everything but <c>A-Z a-z 0-9 - _ . ~</c> becomes <c>%XX</c>, a space becomes <c>+</c>.</summary>
    public static string Escape(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var escaped = new StringBuilder(text.Length);
        foreach (var octet in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)octet) || octet is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'~')
                escaped.Append((char)octet);
            else if (octet == ' ')
                escaped.Append('+');
            else
                escaped.Append('%').Append(octet.ToString("X2", CultureInfo.InvariantCulture));
        }

        return escaped.ToString();
    }

    /// <summary>The reverse of <see cref="Escape"/>; bytes that are no UTF-8 become U+FFFD.</summary>
    public static bool TryUnescape(ReadOnlySpan<char> text, out string unescaped, out string? complaint)
    {
        complaint = null;
        if (text.IndexOfAny('%', '+') < 0)
        {
            unescaped = text.ToString();
            return true;
        }

        unescaped = string.Empty;
        var source = Encoding.UTF8.GetBytes(text.ToString());
        var target = new byte[source.Length];
        var length = 0;
        for (var i = 0; i < source.Length; i++)
        {
            switch (source[i])
            {
                case (byte)'+':
                    target[length++] = (byte)' ';
                    break;
                case (byte)'%':
                    if (i + 2 >= source.Length || !char.IsAsciiHexDigit((char)source[i + 1]) || !char.IsAsciiHexDigit((char)source[i + 2]))
                    {
                        complaint = "invalid URL escape "
                            + GoText.Quote(Encoding.UTF8.GetString(source.AsSpan(i, Math.Min(3, source.Length - i))));
                        return false;
                    }

                    target[length++] = (byte)(Convert.FromHexString([(char)source[i + 1], (char)source[i + 2]])[0]);
                    i += 2;
                    break;
                default:
                    target[length++] = source[i];
                    break;
            }
        }

        unescaped = Encoding.UTF8.GetString(target.AsSpan(0, length));
        return true;
    }
}
