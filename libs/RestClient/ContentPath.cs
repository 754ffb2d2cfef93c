using Ipld;

namespace Cluster.RestClient;

/// <summary>Content paths as the API takes them: <c>/ipfs/…</c>, <c>/ipns/…</c>, <c>/ipld/…</c>.</summary>
public static class ContentPath
{
    /// <summary>The path with its namespace; a bare CID, or a path that begins with one, is put under <c>/ipfs/</c>.</summary>
    /// <exception cref="RequestException">It is no path; the text is the original's.</exception>
    public static string Normalize(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Complaint(path) is null)
            return Cleaned(path);
        var below = "/ipfs/" + path;
        return Complaint(below) is { } wrong
            ? throw new RequestException($"invalid path {Cluster.Model.GoText.Quote(below)}: {wrong}")
            : Cleaned(below);
    }

    private static string? Complaint(string path)
    {
        var parts = Cleaned(path).Split('/');
        if (!path.StartsWith('/') || parts.Length < 3)
            return "path does not have enough components";
        return parts[1] switch
        {
            "ipns" => null,
            "ipfs" or "ipld" => Cid.TryParse(parts[2], out _, out var error) ? null : error,
            _ => "unknown namespace " + Cluster.Model.GoText.Quote(parts[1]),
        };
    }

    private static string Cleaned(string path)
    {
        var kept = new List<string>();
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            switch (part)
            {
                case ".":
                    break;
                case "..":
                    if (kept.Count > 0)
                        kept.RemoveAt(kept.Count - 1);
                    break;
                default:
                    kept.Add(part);
                    break;
            }
        }

        return "/" + string.Join('/', kept);
    }
}
