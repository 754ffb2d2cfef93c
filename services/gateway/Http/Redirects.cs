using System.Net;

namespace Cluster.Gateway.Http;

/// <summary>The two redirects that come before routing (<c>spec/rest-api.md</c> section 2).</summary>
public static class Redirects
{
    /// <summary>Where a path with a slash at its end leads: the same without the last slash. Null when there is nothing to strip; the
    /// root, which the original redirects to itself for ever, is left to the router.</summary>
    public static string? WithoutTrailingSlash(in RequestTarget target)
    {
        if (target.Path.Length < 2 || target.Path[^1] != '/') return null;
        string path = target.RawPath[^1] == '/' ? target.RawPath[..^1] : RequestTarget.EscapePath(target.Path[..^1]);
        bool slash = path.EndsWith('/');
        path = CleanPath(path);
        if (slash && path.Length > 1) path += "/";
        return WithQuery(path, target.Query);
    }

    /// <summary>Where a path with empty, <c>.</c> or <c>..</c> segments leads; null for a clean one.</summary>
    public static string? ToCleanPath(in RequestTarget target)
    {
        string path = target.Path;
        if (path.Length == 0 || path[0] != '/') return null;
        if (!path.Contains("//", StringComparison.Ordinal) && !path.Contains("/.", StringComparison.Ordinal)) return null;
        string clean = CleanPath(path);
        return clean == path ? null : WithQuery(RequestTarget.EscapePath(clean), target.Query);
    }

    /// <summary>The HTML that goes with a redirect of a GET, as Go writes it.</summary>
    public static string Body(string location, string reason) => $"<a href=\"{WebUtility.HtmlEncode(location).Replace("&quot;", "&#34;", StringComparison.Ordinal)}\">{reason}</a>.\n\n";

    /// <summary>Drops empty and <c>.</c> segments and resolves <c>..</c>; never leaves the root.</summary>
    public static string CleanPath(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var kept = new List<string>();
        foreach (string segment in path.Split('/'))
        {
            if (segment is "" or ".") continue;
            if (segment == "..")
            {
                if (kept.Count > 0) kept.RemoveAt(kept.Count - 1);
            }
            else kept.Add(segment);
        }

        return "/" + string.Join('/', kept);
    }

    private static string WithQuery(string path, string query) => query.Length == 0 ? path : $"{path}?{query}";
}
