using System.Text;
using Cluster.Model;

namespace Cluster.Gateway.Adder;

/// <summary>What a part stands for.</summary>
public enum PartKind
{
    /// <summary>A file; also everything that says nothing else.</summary>
    File,

    /// <summary>A directory, whose entries follow as parts of their own.</summary>
    Directory,

    /// <summary>A symbolic link; the body is its target.</summary>
    Symlink,
}

/// <summary>One part of an upload (<c>spec/rest-api.md</c> section 9.2).</summary>
/// <param name="headers">Headers of the part.</param>
/// <param name="body">Its bytes; ends at the boundary.</param>
public sealed class MultipartPart(IReadOnlyDictionary<string, string> headers, Stream body)
{
    /// <summary>The bytes of the part, to be read before the next one is asked for.</summary>
    public Stream Body => body;

    /// <summary>Whether the part says what it is at all.</summary>
    public bool HasDisposition => headers.ContainsKey("Content-Disposition");

    /// <summary>By the content type.</summary>
    public PartKind Kind => MediaType(headers.GetValueOrDefault("Content-Type")) switch
    {
        "application/x-directory" or "multipart/form-data" => PartKind.Directory,
        "application/symlink" => PartKind.Symlink,
        _ => PartKind.File,
    };

    /// <summary>The clean path in the upload, without a slash in front: <c>d/sub/b.txt</c>; empty without a file name.</summary>
    public string Path
    {
        get
        {
            string name = FileName(headers.GetValueOrDefault("Content-Disposition") ?? "");
            if (GoQuery.TryUnescape(name, out string unescaped, out _)) name = unescaped;
            return Http.Redirects.CleanPath("/" + name)[1..];
        }
    }

    /// <summary>Where the content lies, as a path or URL, for <c>nocopy</c>; empty when not told.</summary>
    public string AbsolutePath
    {
        get
        {
            if (headers.TryGetValue("abspath-encoded", out string? encoded) && GoQuery.TryUnescape(encoded, out string path, out _)) return path;
            return headers.GetValueOrDefault("abspath") ?? "";
        }
    }

    private static string MediaType(string? contentType)
    {
        if (contentType is null) return "";
        int semicolon = contentType.IndexOf(';', StringComparison.Ordinal);
        return (semicolon < 0 ? contentType : contentType[..semicolon]).Trim().ToLowerInvariant();
    }

    /// <summary>The parameter <c>filename</c> of a disposition, in its plain or its extended (RFC 5987) form; empty without one, and for a
    /// header that cannot be read.</summary>
    internal static string FileName(string disposition)
    {
        int at = disposition.IndexOf(';', StringComparison.Ordinal);
        string? plain = null, extended = null;
        while (at >= 0 && at < disposition.Length)
        {
            int equals = disposition.IndexOf('=', at);
            if (equals < 0) break;
            string name = disposition[(at + 1)..equals].Trim();
            int from = equals + 1;
            while (from < disposition.Length && disposition[from] == ' ') from++;
            string value;
            if (from < disposition.Length && disposition[from] == '"')
            {
                if (!TryReadQuoted(disposition, from, out value, out at)) return "";
            }
            else
            {
                int stop = disposition.IndexOf(';', from);
                value = (stop < 0 ? disposition[from..] : disposition[from..stop]).Trim();
                at = stop;
            }

            if (name.Equals("filename", StringComparison.OrdinalIgnoreCase)) plain ??= value;
            else if (name.Equals("filename*", StringComparison.OrdinalIgnoreCase)) extended ??= Extended(value);
            if (at >= 0) at = disposition.IndexOf(';', at);
        }

        return plain ?? extended ?? "";
    }

    private static bool TryReadQuoted(string text, int quote, out string value, out int end)
    {
        var read = new StringBuilder();
        for (int i = quote + 1; i < text.Length; i++)
        {
            if (text[i] == '"')
            {
                value = read.ToString();
                end = i + 1;
                return true;
            }

            // Browsers send the backslashes of Windows paths as they are; only these are escapes.
            if (text[i] == '\\' && i + 1 < text.Length && "()<>@,;:\\\"/[]?=".Contains(text[i + 1], StringComparison.Ordinal)) i++;
            read.Append(text[i]);
        }

        value = "";
        end = -1;
        return false;
    }

    private static string? Extended(string value)
    {
        string[] pieces = value.Split('\'', 3);
        return pieces.Length == 3 && Http.RequestTarget.TryDecode(pieces[2], plusIsSpace: false, out string decoded) ? decoded : null;
    }
}
