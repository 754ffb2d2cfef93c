using System.Text;

namespace Libp2p;

/// <summary>
/// The text form of known addresses, one a line, each ending with its peer (the file <c>peerstore</c> of a config folder;
/// spec/libp2p.md, section 13).
/// </summary>
public static class PeerstoreFile
{
    private const int MaxLines = 100_000;

    /// <summary>Reads the addresses in order. Lines that do not begin with a slash are comments; damaged ones are passed over.</summary>
    /// <param name="text">Content of the file.</param>
    /// <param name="damaged">Told each line that is no address, and why.</param>
    public static IReadOnlyList<Multiaddr> Parse(string text, Action<string, string>? damaged = null)
    {
        var addresses = new List<Multiaddr>();
        foreach (string raw in text.Split('\n').Take(MaxLines))
        {
            string line = raw.TrimEnd('\r');
            if (!line.StartsWith('/')) continue;
            if (Multiaddr.TryParse(line, out var address, out string error)) addresses.Add(address);
            else damaged?.Invoke(line, error);
        }
        return addresses;
    }

    /// <summary>
    /// What of the addresses is used: those with a peer, each once. Of a peer with names only the names are, because addresses
    /// behind a name change.
    /// </summary>
    public static IReadOnlyList<Multiaddr> Usable(IReadOnlyList<Multiaddr> addresses)
    {
        var named = addresses.Where(a => a.PeerId is not null && HasName(a)).Select(a => a.PeerId!.Value).ToHashSet();
        // The order of peers is that of their first address, which is their priority.
        return [.. addresses.Where(a => a.PeerId is { } peer && (!named.Contains(peer) || HasName(a))).Distinct().GroupBy(a => a.PeerId!.Value).SelectMany(g => g)];
    }

    /// <summary>Writes addresses, one a line.</summary>
    public static string Format(IEnumerable<Multiaddr> addresses)
    {
        var text = new StringBuilder();
        foreach (var address in addresses) text.Append(address).Append('\n');
        return text.ToString();
    }

    private static bool HasName(Multiaddr address) => Resolving.AddressResolver.HasName(address);
}
