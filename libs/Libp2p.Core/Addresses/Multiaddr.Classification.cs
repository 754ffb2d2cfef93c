using System.Net;
using System.Net.Sockets;

namespace Libp2p;

public sealed partial class Multiaddr
{
    // Loopback, RFC 1918, shared (RFC 6598), link-local; unique local (RFC 4193).
    private static readonly IPNetwork[] PrivateNetworks =
        Networks("127.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10");

    // Special-purpose registries of IANA (RFC 6890), multicast and documentation.
    private static readonly IPNetwork[] UnroutableNetworks =
        Networks("0.0.0.0/8", "192.0.0.0/26", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "2001:db8::/32");

    private static readonly IPNetwork GlobalIp6 = IPNetwork.Parse("2000::/3");

    // RFC 6052 and RFC 8215: addresses that carry an IPv4 one.
    private static readonly IPNetwork[] Nat64 = Networks("64:ff9b::/96", "64:ff9b:1::/48");

    // RFC 6761, RFC 8375, RFC 6762 and the reverse zones.
    private static readonly string[] UnpublicDomains = [".localhost", ".in-addr.arpa", ".ip6.arpa", ".invalid", ".home.arpa", ".local", ".test"];

    /// <summary>Whether the address can be reached from the internet, as far as it tells.</summary>
    public bool IsPublic => Head switch
    {
        { Ip: { } ip } => IsPublicIp(ip),
        { Name: { } name } => !Array.Exists(UnpublicDomains, domain => IsUnder(name, domain)),
        _ => false,
    };

    /// <summary>Whether the address is of a private, shared, link-local or loopback network.</summary>
    public bool IsPrivate => Head switch
    {
        { Ip: { } ip } => In(PrivateNetworks, ip),
        { Name: { } name } => IsUnder(name, ".localhost"),
        _ => false,
    };

    /// <summary>Whether the address begins with a loopback IP.</summary>
    public bool IsLoopback => Head.Ip is { } ip && IPAddress.IsLoopback(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip);

    /// <summary>Whether the address begins with <c>0.0.0.0</c> or <c>::</c>.</summary>
    public bool IsUnspecified => Head.Ip is { } ip && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any));

    /// <summary>Whether the address begins with a link-local IPv6 address, which needs a zone.</summary>
    public bool IsIp6LinkLocal =>
        Head.Ip is { AddressFamily: AddressFamily.InterNetworkV6 } ip
        && (ip.IsIPv6LinkLocal || ip.IsIPv6Multicast && (ip.GetAddressBytes()[1] & 0x0f) == 2);

    /// <summary>Whether the address is IP, alone or with IP, TCP or UDP on it.</summary>
    public bool IsThinWaist
    {
        get
        {
            int at = Zoneless;
            if (components.Length == at || IpOf(components[at]) is null) return false;
            if (components.Length == at + 1) return true;
            var next = components[at + 1].Protocol;
            return next == AddressProtocol.Tcp || next == AddressProtocol.Udp || next == AddressProtocol.Ip4 || next == AddressProtocol.Ip6;
        }
    }

    /// <summary>The IP the address begins with, a zone before it passed over.</summary>
    public IPAddress? Ip => Head.Ip;

    private int Zoneless => components.Length > 0 && components[0].Protocol == AddressProtocol.Ip6Zone ? 1 : 0;

    private (IPAddress? Ip, string? Name) Head
    {
        get
        {
            int at = Zoneless;
            if (components.Length == at) return default;
            var first = components[at];
            if (IpOf(first) is { } ip) return (ip, null);
            bool dns = first.Protocol == AddressProtocol.Dns || first.Protocol == AddressProtocol.Dns4
                || first.Protocol == AddressProtocol.Dns6 || first.Protocol == AddressProtocol.DnsAddr;
            return dns ? (null, first.Value) : default;
        }
    }

    private static bool IsPublicIp(IPAddress ip)
    {
        if (In(PrivateNetworks, ip) || In(UnroutableNetworks, ip)) return false;
        if (ip.AddressFamily == AddressFamily.InterNetwork) return true;
        if (In(Nat64, ip)) return IsPublicIp(new IPAddress(ip.GetAddressBytes().AsSpan(12)));
        return !ip.IsIPv4MappedToIPv6 && GlobalIp6.Contains(ip);
    }

    // IPNetwork would look through IPv4-mapped addresses; they are neither public nor private, since no network routes them.
    private static bool In(IPNetwork[] networks, IPAddress ip) =>
        Array.Exists(networks, network => network.BaseAddress.AddressFamily == ip.AddressFamily && network.Contains(ip));

    private static bool IsUnder(string name, string domain)
    {
        string bare = name.TrimEnd('.');
        return bare.EndsWith(domain, StringComparison.OrdinalIgnoreCase) || bare.Equals(domain[1..], StringComparison.OrdinalIgnoreCase);
    }

    private static IPNetwork[] Networks(params string[] texts) => Array.ConvertAll(texts, IPNetwork.Parse);
}
