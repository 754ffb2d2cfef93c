using Libp2p;

namespace Cluster.Model.Configuration;

/// <summary>Multiaddresses in settings.</summary>
internal static class Addresses
{
    /// <summary>Reads them all; <paramref name="complaint"/> stands before the reason of the first bad one.</summary>
    public static IReadOnlyList<Multiaddr> Parse(IReadOnlyList<string>? texts, string complaint)
    {
        if (texts is null)
            return [];
        var addresses = new Multiaddr[texts.Count];
        for (var i = 0; i < addresses.Length; i++)
            addresses[i] = Parse(texts[i], complaint);
        return addresses;
    }

    public static Multiaddr Parse(string text, string complaint) =>
        GoAddresses.TryParseMultiaddr(text, out var address, out var error)
            ? address
            : throw new ConfigurationException($"{complaint}: {error}");

    public static string[] ToTexts(IReadOnlyList<Multiaddr> addresses) => [.. addresses.Select(address => address.ToString())];
}
