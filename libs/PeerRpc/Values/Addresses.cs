using Libp2p;

namespace Cluster.PeerRpc.Values;

/// <summary>Daemons' addresses are texts in the model, since daemons may know protocols that we do not; binary on the wire.</summary>
internal static class Addresses
{
    /// <summary>The binary forms of those that have one.</summary>
    public static IReadOnlyList<Multiaddr>? FromTexts(IReadOnlyList<string>? texts)
    {
        if (texts is null) return null;
        var addresses = new List<Multiaddr>(texts.Count);
        foreach (var text in texts)
            if (Multiaddr.TryParse(text, out var address, out _)) addresses.Add(address);
        return addresses;
    }

    public static IReadOnlyList<string>? ToTexts(IReadOnlyList<Multiaddr>? addresses) => addresses?.Select(address => address.ToString()).ToArray();
}
