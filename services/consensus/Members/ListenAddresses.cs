using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Libp2p;

namespace Cluster.Consensus.Members;

/// <summary>
/// The addresses under which a peer announces its listeners: unspecified ones are spelled out for each interface, as libp2p does, and
/// those it cannot serve (QUIC) are left out (spec/behaviour.md 2.1, spec/config.md 3.1).
/// </summary>
public static class ListenAddresses
{
    /// <summary>The addresses to tell, each ending with <c>/p2p/&lt;id&gt;</c>.</summary>
    /// <param name="settings">What is configured.</param>
    /// <param name="self">The peer.</param>
    /// <param name="interfaces">The machine's addresses; null to ask the system.</param>
    public static IReadOnlyList<Multiaddr> Resolve(ClusterSettings settings, PeerId self, IReadOnlyList<IPAddress>? interfaces = null)
    {
        var addresses = settings.AnnounceAddresses.Count > 0
            ? settings.AnnounceAddresses
            : [.. settings.ListenAddresses.Where(IsServed).SelectMany(a => Expand(a, interfaces ??= SystemInterfaces()))];
        return [.. addresses.Where(a => !settings.NoAnnounceAddresses.Any(mask => Covers(mask, a))).Distinct().Select(a => a.WithPeer(self))];
    }

    private static bool IsServed(Multiaddr address) => address.Has(AddressProtocol.Tcp);

    private static IEnumerable<Multiaddr> Expand(Multiaddr address, IReadOnlyList<IPAddress> interfaces)
    {
        var first = address.Components[0];
        if (first.Value is not ("0.0.0.0" or "::"))
            return [address];
        var family = first.Value == "::" ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        var name = family == AddressFamily.InterNetwork ? "ip4" : "ip6";
        var text = address.ToString();
        var rest = text[text.IndexOf(first.Value, StringComparison.Ordinal)..][first.Value.Length..];
        return interfaces.Where(i => i.AddressFamily == family).Select(i => Multiaddr.Parse($"/{name}/{i}{rest}"));
    }

    private static List<IPAddress> SystemInterfaces()
    {
        var found = new List<IPAddress>();
        foreach (var card in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (card.OperationalStatus is not (OperationalStatus.Up or OperationalStatus.Unknown))
                continue;
            foreach (var unicast in card.GetIPProperties().UnicastAddresses)
            {
                // Link-local addresses mean nothing without the interface they belong to.
                if (!unicast.Address.IsIPv6LinkLocal)
                    found.Add(unicast.Address);
            }
        }

        return found;
    }

    private static bool Covers(Multiaddr mask, Multiaddr address)
    {
        if (mask.Equals(address))
            return true;
        if (!mask.Has(AddressProtocol.IpCidr) || mask.Components.Count < 2)
            return false;
        var own = address.Components[0];
        return mask.Components[0].Protocol == own.Protocol
            && IPAddress.TryParse(own.Value, out var ip) && IPAddress.TryParse(mask.Components[0].Value, out var network)
            && int.TryParse(mask.ValueOf(AddressProtocol.IpCidr), out var bits)
            && SamePrefix(network.GetAddressBytes(), ip.GetAddressBytes(), bits);
    }

    private static bool SamePrefix(byte[] network, byte[] address, int bits)
    {
        for (var i = 0; i < network.Length && bits > 0; i++, bits -= 8)
        {
            var mask = bits >= 8 ? 0xFF : 0xFF << (8 - bits) & 0xFF;
            if ((network[i] & mask) != (address[i] & mask))
                return false;
        }

        return true;
    }
}
