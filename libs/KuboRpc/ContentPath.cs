using Ipld;

namespace KuboRpc;

/// <summary>A path below <c>/ipfs</c>, <c>/ipld</c> or <c>/ipns</c>, with dots and doubled slashes taken out.</summary>
/// <param name="Text">The cleaned path.</param>
/// <param name="Root">The CID that it starts at; null below <c>/ipns</c>.</param>
/// <param name="HasRemainder">Whether anything follows the root.</param>
internal readonly record struct ContentPath(string Text, Cid? Root, bool HasRemainder)
{
    public static bool TryParse(string text, out ContentPath path, out string error)
    {
        path = default;
        error = "";
        var parts = Clean(text);
        if (!text.StartsWith('/') || parts.Count < 2)
        {
            error = "path does not have enough components";
            return false;
        }
        var cleaned = "/" + string.Join('/', parts) + (text.EndsWith('/') ? "/" : "");
        switch (parts[0])
        {
            case "ipfs" or "ipld":
                if (!Cid.TryParse(parts[1], out var cid, out var why))
                {
                    error = "invalid cid: " + why;
                    return false;
                }
                path = new ContentPath(cleaned, cid, parts.Count > 2);
                return true;
            case "ipns":
                path = new ContentPath(cleaned, null, parts.Count > 2);
                return true;
            default:
                error = $"unknown namespace \"{parts[0]}\"";
                return false;
        }
    }

    private static List<string> Clean(string text)
    {
        var parts = new List<string>();
        foreach (var part in text.Split('/'))
        {
            if (part is "" or ".")
                continue;
            if (part != "..")
                parts.Add(part);
            else if (parts.Count > 0)
                parts.RemoveAt(parts.Count - 1);
        }
        return parts;
    }
}
