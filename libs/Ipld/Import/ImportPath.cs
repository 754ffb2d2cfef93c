using System.Text;

namespace Ipld;

/// <summary>Paths of uploaded parts (spec/rest-api.md 9.2).</summary>
public static class ImportPath
{
    /// <summary>The clean absolute path of a part: URL-query-decoded where possible, <c>.</c> and <c>..</c> resolved.</summary>
    /// <param name="fileName">The <c>filename</c> parameter; null or empty gives <c>/</c>.</param>
    public static string FromFileName(string? fileName)
    {
        var name = fileName ?? "";
        return Clean(QueryUnescape(name) ?? name);
    }

    internal static string Join(string first, string second)
    {
        if (first.Length == 0)
        {
            return second;
        }

        if (second.Length == 0)
        {
            return first;
        }

        return first.EndsWith('/') ? first + second : first + "/" + second;
    }

    internal static bool IsChild(string path, string parent) =>
        parent.EndsWith('/')
            ? path.StartsWith(parent, StringComparison.Ordinal)
            : path.Length > parent.Length && path[parent.Length] == '/' && path.StartsWith(parent, StringComparison.Ordinal);

    internal static string MakeRelative(string path, string parent) => path[(parent.EndsWith('/') ? parent.Length : parent.Length + 1)..];

    private static string Clean(string path)
    {
        var kept = new List<string>();
        foreach (var part in path.Split('/'))
        {
            switch (part)
            {
                case "" or ".":
                    break;
                case "..":
                    if (kept.Count > 0)
                    {
                        kept.RemoveAt(kept.Count - 1);
                    }

                    break;
                default:
                    kept.Add(part);
                    break;
            }
        }

        return "/" + string.Join('/', kept);
    }

    // Go's url.QueryUnescape: + is a space, % needs two hexadecimal digits, else the text does not decode (null).
    private static string? QueryUnescape(string text)
    {
        if (!text.AsSpan().ContainsAny('%', '+'))
        {
            return text;
        }

        var source = Encoding.UTF8.GetBytes(text);
        var decoded = new byte[source.Length];
        var length = 0;
        for (var i = 0; i < source.Length; i++)
        {
            switch (source[i])
            {
                case (byte)'%':
                    if (i + 2 >= source.Length || !char.IsAsciiHexDigit((char)source[i + 1]) || !char.IsAsciiHexDigit((char)source[i + 2]))
                    {
                        return null;
                    }

                    decoded[length++] = Convert.FromHexString([(char)source[i + 1], (char)source[i + 2]])[0];
                    i += 2;
                    break;
                case (byte)'+':
                    decoded[length++] = (byte)' ';
                    break;
                default:
                    decoded[length++] = source[i];
                    break;
            }
        }

        return Encoding.UTF8.GetString(decoded, 0, length);
    }
}
