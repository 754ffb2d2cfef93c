using System.Net;
using System.Net.Sockets;

namespace Libp2p.Resolving;

/// <summary>Replaces names in addresses by what they stand for (spec/libp2p.md, section 8).</summary>
internal sealed class AddressResolver(IDnsResolver dns)
{
    private const int MaxDepth = 4;
    private const int MaxResults = 100;
    private const string DnsAddrPrefix = "dnsaddr=";

    /// <summary>The addresses behind an address; itself if it has no name in it.</summary>
    public async Task<IReadOnlyList<Multiaddr>> ResolveAsync(Multiaddr address, CancellationToken cancellationToken)
    {
        var results = new List<Multiaddr>();
        await ResolveAsync(address, 0, results, cancellationToken);
        return results;
    }

    private async Task ResolveAsync(Multiaddr address, int depth, List<Multiaddr> results, CancellationToken cancellationToken)
    {
        if (results.Count >= MaxResults) return;
        int at = 0;
        while (at < address.Components.Count && !IsName(address.Components[at].Protocol)) at++;
        if (at == address.Components.Count)
        {
            results.Add(address);
            return;
        }
        if (depth >= MaxDepth) return;
        var name = address.Components[at];
        if (name.Protocol == AddressProtocol.DnsAddr)
        {
            // What follows the name selects among the records.
            var suffix = Multiaddr.Join(address.Components.Skip(at + 1));
            var prefix = Multiaddr.Join(address.Components.Take(at));
            foreach (string text in await dns.ResolveTextAsync("_dnsaddr." + name.Value, cancellationToken))
            {
                if (!text.StartsWith(DnsAddrPrefix, StringComparison.Ordinal) || !Multiaddr.TryParse(text[DnsAddrPrefix.Length..], out var record, out _)) continue;
                if (!record.EndsWith(suffix)) continue;
                await ResolveAsync(prefix.Encapsulate(record), depth + 1, results, cancellationToken);
            }
            return;
        }
        foreach (var ip in await dns.ResolveAddressesAsync(name.Value, cancellationToken))
        {
            bool v4 = ip.AddressFamily == AddressFamily.InterNetwork;
            if (name.Protocol == AddressProtocol.Dns4 && !v4 || name.Protocol == AddressProtocol.Dns6 && v4) continue;
            var resolved = Multiaddr.Join([.. address.Components.Take(at), .. Multiaddr.FromIp(ip).Components, .. address.Components.Skip(at + 1)]);
            await ResolveAsync(resolved, depth + 1, results, cancellationToken);
        }
    }

    public static bool HasName(Multiaddr address) => address.Components.Any(c => IsName(c.Protocol));

    private static bool IsName(AddressProtocol protocol) =>
        protocol == AddressProtocol.Dns || protocol == AddressProtocol.Dns4 || protocol == AddressProtocol.Dns6 || protocol == AddressProtocol.DnsAddr;
}
