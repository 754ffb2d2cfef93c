using Cluster.Model;
using Ipld;

namespace Cluster.Gateway.Rest;

/// <summary>A content path of <c>/pins/{ipfs|ipns|ipld}/{path}</c>.</summary>
/// <param name="Text">The clean path, e.g. <c>/ipfs/Qm…/a.txt</c>.</param>
/// <param name="Plain">The CID when nothing has to be looked up.</param>
public readonly record struct ContentPath(string Text, Cid? Plain)
{
    /// <summary>Reads a path.</summary>
    /// <param name="name">ipfs, ipns or ipld.</param>
    /// <param name="rest">What follows it.</param>
    /// <param name="path">The path read.</param>
    /// <param name="error">Why it is none, in the original's words (<c>spec/rest-api.md</c> section 8.3).</param>
    public static bool TryParse(string name, string rest, out ContentPath path, out string error)
    {
        ArgumentNullException.ThrowIfNull(rest);
        path = default;
        error = "";
        string given = $"/{name}/{rest}";
        string[] segments = Http.Redirects.CleanPath(given).Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (segments.Length < 2)
        {
            error = $"invalid path {GoText.Quote(given)}: path does not have enough components";
            return false;
        }

        Cid? plain = null;
        if (segments[0] is "ipfs" or "ipld")
        {
            if (!Cid.TryParse(segments[1], out Cid root, out string complaint))
            {
                error = $"invalid path {GoText.Quote(given)}: {complaint}";
                return false;
            }

            if (segments.Length == 2) plain = root;
        }

        path = new ContentPath("/" + string.Join('/', segments), plain);
        return true;
    }
}
