using System.Text;

namespace FakeDaemon;

/// <summary>A request as it came over the wire.</summary>
public sealed record ReceivedRequest(string Method, string Target, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body)
{
    /// <summary>The first header of that name, or null.</summary>
    public string? Header(string name) =>
        Headers.Where(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).FirstOrDefault();

    /// <summary>What follows <c>/api/v0/</c>.</summary>
    public string Command => Target.StartsWith("/api/v0/", StringComparison.Ordinal) ? Target["/api/v0/".Length..] : Target;

    /// <summary>Method, path and decoded query pairs in an order of their own: requests that mean the same compare equal.</summary>
    public string Meaning => MeaningOf(Method, Target);

    /// <inheritdoc cref="Meaning"/>
    public static string MeaningOf(string method, string target)
    {
        var parts = target.Split('?', 2);
        var pairs = parts.Length < 2 ? [] : parts[1].Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => Uri.UnescapeDataString(pair.Replace('+', ' ')));
        // The order of equal keys counts (pin/update has two arguments), that of different ones does not.
        return $"{method} {Uri.UnescapeDataString(parts[0])}?{string.Join('&', pairs.OrderBy(pair => pair.Split('=')[0], StringComparer.Ordinal))}";
    }

    /// <summary>The parts of a multipart body: header lines and content.</summary>
    public IReadOnlyList<(string Headers, string Content)> Parts
    {
        get
        {
            var boundary = Header("Content-Type")?.Split("boundary=") is [_, var name] ? name.Trim('"') : null;
            if (boundary == null)
                return [];
            var parts = new List<(string, string)>();
            foreach (var piece in ("\r\n" + Encoding.Latin1.GetString(Body)).Split("\r\n--" + boundary)[1..])
            {
                if (piece.StartsWith("--", StringComparison.Ordinal))
                    break;
                var split = piece.IndexOf("\r\n\r\n", StringComparison.Ordinal);
                parts.Add((piece[2..split], piece[(split + 4)..]));
            }
            return parts;
        }
    }
}
