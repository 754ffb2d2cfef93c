using System.Buffers;
using System.Text;

namespace Cluster.Gateway.Http;

/// <summary>The target of a request line, taken apart as the original does: nothing is normalised here, so that the redirects of
/// <c>spec/rest-api.md</c> section 2 can be decided on what the client really sent.</summary>
/// <param name="RawPath">The path as sent, still percent-encoded.</param>
/// <param name="Path">The percent-decoded path; routes match on this.</param>
/// <param name="Query">What follows the first question mark, without it; empty when there is none.</param>
public readonly record struct RequestTarget(string RawPath, string Path, string Query)
{
    private const int LongestOnStack = 512;

    /// <summary>Reads origin form (<c>/path?query</c>), absolute form (<c>http://host/path</c>) and <c>*</c>.</summary>
    /// <returns>False when the target is none of these or its path has a bad percent-encoding.</returns>
    public static bool TryParse(string target, out RequestTarget parsed)
    {
        ArgumentNullException.ThrowIfNull(target);
        parsed = default;
        if (target.Length == 0) return false;
        string pathAndQuery = target;
        if (target[0] != '/' && target != "*")
        {
            int scheme = target.IndexOf("://", StringComparison.Ordinal);
            if (scheme <= 0) return false;
            int slash = target.IndexOfAny(['/', '?'], scheme + 3);
            pathAndQuery = slash < 0 ? "/" : target[slash] == '?' ? string.Concat("/", target.AsSpan(slash)) : target[slash..];
        }

        int mark = pathAndQuery.IndexOf('?', StringComparison.Ordinal);
        string raw = mark < 0 ? pathAndQuery : pathAndQuery[..mark];
        string query = mark < 0 ? "" : pathAndQuery[(mark + 1)..];
        if (!TryDecode(raw, plusIsSpace: false, out string path)) return false;
        parsed = new RequestTarget(raw, path, query);
        return true;
    }

    /// <summary>Percent-decodes UTF-8 text.</summary>
    /// <param name="plusIsSpace">Whether <c>+</c> stands for a space, as in queries.</param>
    /// <returns>False when a <c>%</c> is not followed by two hexadecimal digits.</returns>
    public static bool TryDecode(ReadOnlySpan<char> text, bool plusIsSpace, out string decoded)
    {
        if (text.IndexOf('%') < 0 && !(plusIsSpace && text.IndexOf('+') >= 0))
        {
            decoded = text.ToString();
            return true;
        }

        decoded = "";
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        byte[]? rented = most > LongestOnStack ? ArrayPool<byte>.Shared.Rent(most) : null;
        Span<byte> bytes = rented ?? stackalloc byte[LongestOnStack];
        try
        {
            int length = 0;
            while (text.Length > 0)
            {
                int next = plusIsSpace ? text.IndexOfAny('%', '+') : text.IndexOf('%');
                ReadOnlySpan<char> plain = next < 0 ? text : text[..next];
                length += Encoding.UTF8.GetBytes(plain, bytes[length..]);
                if (next < 0) break;
                if (text[next] == '+')
                {
                    bytes[length++] = (byte)' ';
                    text = text[(next + 1)..];
                    continue;
                }

                if (next + 2 >= text.Length) return false;
                int high = Hex(text[next + 1]), low = Hex(text[next + 2]);
                if (high < 0 || low < 0) return false;
                bytes[length++] = (byte)(high << 4 | low);
                text = text[(next + 3)..];
            }

            decoded = Encoding.UTF8.GetString(bytes[..length]);
            return true;
        }
        finally
        {
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Percent-encodes a decoded path the way Go's <c>net/url</c> prints one, for <c>Location</c> headers.</summary>
    public static string EscapePath(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        const string plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~$&+,/:;=@";
        if (path.AsSpan().IndexOfAnyExcept(PlainPath) < 0) return path;
        var text = new StringBuilder(path.Length + 16);
        foreach (byte b in Encoding.UTF8.GetBytes(path))
        {
            if (plain.Contains((char)b, StringComparison.Ordinal)) text.Append((char)b);
            else text.Append('%').Append(b.ToString("X2", null));
        }

        return text.ToString();
    }

    private static readonly SearchValues<char> PlainPath =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~$&+,/:;=@");

    private static int Hex(char c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'a' and <= 'f' => c - 'a' + 10,
        >= 'A' and <= 'F' => c - 'A' + 10,
        _ => -1,
    };
}
