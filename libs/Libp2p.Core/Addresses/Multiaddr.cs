using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Libp2p;

/// <summary>
/// A self-describing network address, such as <c>/ip4/192.0.2.1/tcp/9096/p2p/12D3…</c>. Immutable; two are equal when
/// their bytes are.
/// </summary>
public sealed partial class Multiaddr : IEquatable<Multiaddr>, IComparable<Multiaddr>
{
    private readonly MultiaddrComponent[] components;
    private readonly byte[] bytes;
    private string? text;

    private Multiaddr(MultiaddrComponent[] components)
    {
        this.components = components;
        bytes = new byte[components.Sum(c => c.EncodedLength)];
        int n = 0;
        foreach (var component in components) n += component.Write(bytes.AsSpan(n));
    }

    /// <summary>The address without components; only what is left of others, never parsed.</summary>
    public static Multiaddr Empty { get; } = new([]);

    /// <summary>The binary form.</summary>
    public ReadOnlySpan<byte> Bytes => bytes;

    /// <summary>A copy of the binary form.</summary>
    public byte[] ToBytes() => [.. bytes];

    /// <summary>The protocols and values, outermost first.</summary>
    public IReadOnlyList<MultiaddrComponent> Components => components;

    /// <summary>Whether there are no components.</summary>
    public bool IsEmpty => components.Length == 0;

    /// <summary>The peer that the address ends with, if it does.</summary>
    public PeerId? PeerId =>
        components.Length > 0 && components[^1].Protocol == AddressProtocol.P2p ? Libp2p.PeerId.FromBytes(components[^1].Bytes) : null;

    /// <summary>The text of the first value of a protocol, or null.</summary>
    public string? ValueOf(AddressProtocol protocol)
    {
        foreach (var component in components)
        {
            if (component.Protocol == protocol) return component.Value;
        }
        return null;
    }

    /// <summary>Whether the protocol occurs.</summary>
    public bool Has(AddressProtocol protocol) => Array.Exists(components, c => c.Protocol == protocol);

    /// <summary>This address with another one inside it, appended.</summary>
    public Multiaddr Encapsulate(Multiaddr inner) => new([.. components, .. inner.components]);

    /// <summary>This address up to the last place where <paramref name="inner"/> begins; unchanged if it does not occur.</summary>
    public Multiaddr Decapsulate(Multiaddr inner)
    {
        if (inner.IsEmpty) return this;
        for (int i = components.Length - inner.components.Length; i >= 0; i--)
        {
            if (components.AsSpan(i, inner.components.Length).SequenceEqual(inner.components)) return new Multiaddr(components[..i]);
        }
        return this;
    }

    /// <summary>This address, ending with the given peer: replaces another peer at the end.</summary>
    public Multiaddr WithPeer(PeerId peer) =>
        new([.. WithoutPeer().components, new MultiaddrComponent(AddressProtocol.P2p, peer.ToBytes())]);

    /// <summary>This address without the peer at its end.</summary>
    public Multiaddr WithoutPeer() => PeerId is null ? this : new Multiaddr(components[..^1]);

    /// <summary>The address made of components that come from other addresses.</summary>
    public static Multiaddr Join(IEnumerable<MultiaddrComponent> parts) => new([.. parts]);

    /// <summary>Whether this address ends with the components of another.</summary>
    public bool EndsWith(Multiaddr suffix) =>
        components.Length >= suffix.components.Length
        && components.AsSpan(components.Length - suffix.components.Length).SequenceEqual(suffix.components);

    /// <summary>The address of an IP without anything on it.</summary>
    public static Multiaddr FromIp(IPAddress ip) => new([.. FromEndPoint(new IPEndPoint(ip, 0)).components[..^1]]);

    /// <summary>The address of a TCP socket.</summary>
    public static Multiaddr FromEndPoint(IPEndPoint endPoint)
    {
        var ip = endPoint.Address.IsIPv4MappedToIPv6 ? endPoint.Address.MapToIPv4() : endPoint.Address;
        var port = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(port, (ushort)endPoint.Port);
        var tcp = new MultiaddrComponent(AddressProtocol.Tcp, port);
        if (ip.AddressFamily == AddressFamily.InterNetwork)
            return new Multiaddr([new MultiaddrComponent(AddressProtocol.Ip4, ip.GetAddressBytes()), tcp]);
        var ip6 = new MultiaddrComponent(AddressProtocol.Ip6, ip.GetAddressBytes());
        return ip.ScopeId == 0
            ? new Multiaddr([ip6, tcp])
            : new Multiaddr([new MultiaddrComponent(AddressProtocol.Ip6Zone, Encoding.UTF8.GetBytes($"{ip.ScopeId}")), ip6, tcp]);
    }

    /// <summary>The address of an in-memory listener.</summary>
    public static Multiaddr FromMemory(ulong number)
    {
        var value = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(value, number);
        return new Multiaddr([new MultiaddrComponent(AddressProtocol.Memory, value)]);
    }

    /// <summary>The socket of an address that is plain TCP: <c>/ip4|ip6/…/tcp/…</c>, with or without a peer behind it.</summary>
    public bool TryGetTcpEndPoint([NotNullWhen(true)] out IPEndPoint? endPoint)
    {
        endPoint = null;
        var rest = WithoutPeer().components.AsSpan();
        if (!rest.IsEmpty && rest[0].Protocol == AddressProtocol.Ip6Zone) rest = rest[1..];
        if (rest.Length != 2 || rest[1].Protocol != AddressProtocol.Tcp || IpOf(rest[0]) is not { } ip) return false;
        if (ValueOf(AddressProtocol.Ip6Zone) is { } zone && IPAddress.TryParse($"{ip}%{zone}", out IPAddress? zoned)) ip = zoned;
        endPoint = new IPEndPoint(ip, BinaryPrimitives.ReadUInt16BigEndian(rest[1].Bytes));
        return true;
    }

    private static IPAddress? IpOf(MultiaddrComponent component) =>
        component.Protocol == AddressProtocol.Ip4 || component.Protocol == AddressProtocol.Ip6 ? new IPAddress(component.Bytes) : null;

    /// <inheritdoc/>
    public bool Equals(Multiaddr? other) => other is not null && bytes.AsSpan().SequenceEqual(other.bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Multiaddr);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(bytes);
        return hash.ToHashCode();
    }

    /// <summary>Orders by bytes.</summary>
    public int CompareTo(Multiaddr? other) => other is null ? 1 : Bytes.SequenceCompareTo(other.Bytes);

    /// <summary>Same address.</summary>
    public static bool operator ==(Multiaddr? left, Multiaddr? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Another address.</summary>
    public static bool operator !=(Multiaddr? left, Multiaddr? right) => !(left == right);

    /// <summary>Order of bytes.</summary>
    public static bool operator <(Multiaddr left, Multiaddr right) => left.CompareTo(right) < 0;

    /// <summary>Order of bytes.</summary>
    public static bool operator >(Multiaddr left, Multiaddr right) => left.CompareTo(right) > 0;

    /// <summary>Order of bytes.</summary>
    public static bool operator <=(Multiaddr left, Multiaddr right) => left.CompareTo(right) <= 0;

    /// <summary>Order of bytes.</summary>
    public static bool operator >=(Multiaddr left, Multiaddr right) => left.CompareTo(right) >= 0;

    /// <summary>The canonical text.</summary>
    public override string ToString()
    {
        if (text is not null) return text;
        var builder = new StringBuilder();
        foreach (var component in components) component.AppendTo(builder);
        return text = builder.ToString();
    }
}
