using System.Net.Sockets;

namespace Libp2p.Hosting;

/// <summary>Order and delays of a peer's addresses (spec/libp2p.md, section 13): private and public ones side by side, IPv6 a little ahead.</summary>
internal static class AddressRanking
{
    private static readonly TimeSpan PublicDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PrivateDelay = TimeSpan.FromMilliseconds(30);

    public static List<(Multiaddr Address, TimeSpan Delay)> Rank(IEnumerable<Multiaddr> addresses)
    {
        var ranked = new List<(Multiaddr, TimeSpan)>();
        foreach (var group in addresses.Distinct().GroupBy(a => a.IsPrivate || a.Ip is null))
        {
            var step = group.Key ? PrivateDelay : PublicDelay;
            var sorted = group.OrderBy(a => a.Ip?.AddressFamily == AddressFamily.InterNetworkV6 ? 0 : 1)
                .ThenBy(a => a.TryGetTcpEndPoint(out var endPoint) ? endPoint.Port : 0).ToList();
            bool mixed = sorted.Any(a => a.Ip?.AddressFamily == AddressFamily.InterNetworkV6);
            int seen = 0;
            foreach (var address in sorted)
            {
                // The first at once; the first of the other family a step later; the rest another step after that.
                bool isFirstV4 = mixed && address.Ip?.AddressFamily == AddressFamily.InterNetwork
                    && !ranked.Any(r => group.Contains(r.Item1) && r.Item1.Ip?.AddressFamily == AddressFamily.InterNetwork);
                ranked.Add((address, seen == 0 ? TimeSpan.Zero : isFirstV4 ? step : step * 2));
                seen++;
            }
        }
        return [.. ranked.OrderBy(r => r.Item2)];
    }
}
