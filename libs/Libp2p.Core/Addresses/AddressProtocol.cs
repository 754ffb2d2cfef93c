using System.Collections.Frozen;

namespace Libp2p;

/// <summary>One protocol a multiaddress may name: its number, the size of its value, and how the value is written.</summary>
public sealed class AddressProtocol
{
    /// <summary>Size of a value that carries its own length.</summary>
    public const int Variable = -1;

    private AddressProtocol(string name, int code, int sizeBits, IAddressValue? value = null)
    {
        Name = name;
        Code = code;
        SizeBits = sizeBits;
        Value = value;
    }

    /// <summary>Name in text.</summary>
    public string Name { get; }

    /// <summary>Number in binary.</summary>
    public int Code { get; }

    /// <summary>Bits of the value; 0 for none, <see cref="Variable"/> for one with a length prefix.</summary>
    public int SizeBits { get; }

    /// <summary>Whether the value is a path, which swallows the rest of the text.</summary>
    public bool IsPath => Value is UnixPathValue;

    internal IAddressValue? Value { get; }

#pragma warning disable CS1591 // The names are those of the multiaddr table.
    public static readonly AddressProtocol Ip4 = new("ip4", 4, 32, new Ip4Value());
    public static readonly AddressProtocol Tcp = new("tcp", 6, 16, new PortValue());
    public static readonly AddressProtocol Dns = new("dns", 53, Variable, new NameValue("DNS name"));
    public static readonly AddressProtocol Dns4 = new("dns4", 54, Variable, new NameValue("DNS name"));
    public static readonly AddressProtocol Dns6 = new("dns6", 55, Variable, new NameValue("DNS name"));
    public static readonly AddressProtocol DnsAddr = new("dnsaddr", 56, Variable, new NameValue("DNS name"));
    public static readonly AddressProtocol Udp = new("udp", 273, 16, new PortValue());
    public static readonly AddressProtocol Ip6 = new("ip6", 41, 128, new Ip6Value());
    public static readonly AddressProtocol Ip6Zone = new("ip6zone", 42, Variable, new NameValue("zone"));
    public static readonly AddressProtocol IpCidr = new("ipcidr", 43, 8, new CidrValue());
    public static readonly AddressProtocol P2pCircuit = new("p2p-circuit", 290, 0);
    public static readonly AddressProtocol P2p = new("p2p", 421, Variable, new PeerIdValue());
    public static readonly AddressProtocol Unix = new("unix", 400, Variable, new UnixPathValue());
    public static readonly AddressProtocol Ws = new("ws", 477, 0);
    public static readonly AddressProtocol Wss = new("wss", 478, 0);
    public static readonly AddressProtocol Tls = new("tls", 448, 0);
    public static readonly AddressProtocol Sni = new("sni", 449, Variable, new NameValue("server name"));
    public static readonly AddressProtocol QuicV1 = new("quic-v1", 461, 0);
    public static readonly AddressProtocol Memory = new("memory", 777, 64, new NumberValue());
#pragma warning restore CS1591

    /// <summary>All protocols, in the order of the table.</summary>
    public static IReadOnlyList<AddressProtocol> All { get; } =
    [
        Ip4, Tcp, Dns, Dns4, Dns6, DnsAddr, Udp,
        new("dccp", 33, 16, new PortValue()), Ip6, Ip6Zone, IpCidr,
        new("sctp", 132, 16, new PortValue()), P2pCircuit,
        new("onion", 444, 96, new OnionValue(10)), new("onion3", 445, 296, new OnionValue(35)),
        new("garlic64", 446, Variable, new Garlic64Value()), new("garlic32", 447, Variable, new Garlic32Value()),
        new("utp", 302, 0), new("udt", 301, 0), new("quic", 460, 0), QuicV1, new("webtransport", 465, 0),
        new("certhash", 466, Variable, new CertHashValue()), new("http", 480, 0),
        new("http-path", 481, Variable, new HttpPathValue()), new("https", 443, 0), P2p, Unix,
        new("p2p-webrtc-direct", 276, 0), Tls, Sni, new("noise", 454, 0), Ws, Wss, new("plaintextv2", 7367777, 0),
        new("webrtc-direct", 280, 0), new("webrtc", 281, 0), Memory,
    ];

    private static readonly FrozenDictionary<string, AddressProtocol> ByName =
        // "ipfs" is the old name of p2p, accepted on input only.
        All.Append(new AddressProtocol("ipfs", P2p.Code, Variable, P2p.Value)).ToFrozenDictionary(p => p.Name, p => p.Name == "ipfs" ? P2p : p);

    private static readonly FrozenDictionary<ulong, AddressProtocol> ByCode = All.ToFrozenDictionary(p => (ulong)p.Code);

    internal static bool TryFind(string name, out AddressProtocol? protocol) => ByName.TryGetValue(name, out protocol);

    internal static bool TryFind(ulong code, out AddressProtocol? protocol) => ByCode.TryGetValue(code, out protocol);

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
