using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Ipld;
using Libp2p;

namespace Cluster.Model;

/// <summary>
/// Reading of peer ids and multiaddresses with the original's complaints, which users see in HTTP answers and in refused configurations.
/// What is read, and what is refused, is decided by the libp2p library; only the words are chosen here.
/// </summary>
public static class GoAddresses
{
    /// <summary>Reads a peer id; the complaint is for example <c>failed to parse peer ID: invalid cid: cid too short</c>.</summary>
    public static bool TryParsePeerId(string text, out PeerId peer, out string error)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (PeerId.TryParse(text, out peer, out _))
        {
            error = string.Empty;
            return true;
        }

        var complaint = PeerComplaint(text);
        error = complaint.StartsWith("can't convert", StringComparison.Ordinal) ? complaint : "failed to parse peer ID: " + complaint;
        return false;
    }

    /// <summary>Reads a multiaddress; the complaint is for example <c>failed to parse multiaddr "x": must begin with /</c>.</summary>
    public static bool TryParseMultiaddr(string text, [NotNullWhen(true)] out Multiaddr? address, out string error)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Multiaddr.TryParse(text, out address, out var ours))
        {
            error = string.Empty;
            return true;
        }

        var trimmed = text.TrimEnd('/');
        error = $"failed to parse multiaddr {GoText.Quote(trimmed)}: {AddressComplaint(trimmed, ours)}";
        return false;
    }

    /// <summary>Reads a multiaddress's bytes; an unknown protocol is <c>no protocol with code N</c>.</summary>
    public static bool TryReadMultiaddr(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Multiaddr? address, out string error)
    {
        if (Multiaddr.TryFromBytes(bytes, out address, out error))
            return true;
        const string unknown = "unknown protocol number ";
        var at = error.IndexOf(unknown, StringComparison.Ordinal);
        if (at >= 0)
            error = "no protocol with code " + error[(at + unknown.Length)..].TrimEnd('.');
        return false;
    }

    /// <summary>Reads a peer id's bytes with the complaints of Go's multihash package.</summary>
    public static bool TryReadPeerId(ReadOnlySpan<byte> bytes, out PeerId peer, out string error)
    {
        if (PeerId.TryFromBytes(bytes, out peer, out error))
            return true;
        if (!Multihash.TryFromBytes(bytes, out _, out var complaint))
            error = complaint;
        return false;
    }

    private static string PeerComplaint(string text)
    {
        if (!text.StartsWith("Qm", StringComparison.Ordinal) && !text.StartsWith('1'))
        {
            return Cid.TryParse(text, out var cid, out var complaint)
                ? $"can't convert CID of type \"{Multicodec.NameOf(cid.Codec)}\" to a peer ID"
                : complaint;
        }

        var bytes = new byte[text.Length];
        if (!Base58.TryDecode(text, bytes, out var length))
            return "input isn't valid multihash";
        return Multihash.TryFromBytes(bytes.AsSpan(0, length), out _, out var error) ? "input isn't valid multihash" : error;
    }

    private static string AddressComplaint(string text, string ours)
    {
        if (text.Length == 0)
            return "empty multiaddr";
        if (text[0] != '/')
            return "must begin with /";

        var parts = text.Split('/');
        for (var i = 1; i < parts.Length; i++)
        {
            var name = parts[i];
            // A protocol's name alone tells by the complaint whether it is known and whether it takes a value.
            if (!Multiaddr.TryParse("/" + name, out _, out var alone))
            {
                if (name.Length == 0 || alone.Contains("unknown protocol", StringComparison.Ordinal))
                    return "unknown protocol " + name;
                if (++i >= parts.Length)
                    return "unexpected end of multiaddr";
                if (Multiaddr.TryParse($"/{name}/{parts[i]}", out _, out _))
                    continue;
                return $"invalid value {GoText.Quote(parts[i])} for protocol {name}: {ValueComplaint(name, parts[i], ours)}";
            }
        }

        return ours;
    }

    private static string ValueComplaint(string protocol, string value, string ours) => protocol switch
    {
        "ip4" => "failed to parse ip4 addr: " + value,
        "ip6" => "failed to parse ip6 addr: " + value,
        "tcp" or "udp" or "dccp" or "sctp" => "failed to parse port addr: " + NumberComplaint(value, ushort.MaxValue),
        "ipcidr" => NumberComplaint(value, byte.MaxValue),
        "memory" => NumberComplaint(value, ulong.MaxValue),
        "p2p" or "ipfs" when Cid.TryParse(value, out var cid, out _) && cid.Version > 0 =>
            $"failed to parse p2p addr: {value} has the invalid codec {cid.Codec}",
        "p2p" or "ipfs" => $"failed to parse p2p addr: {value} {PeerComplaint(value)}",
        _ => ours,
    };

    private static string NumberComplaint(string value, ulong most)
    {
        var digits = value.Length > 0 && value.All(char.IsAsciiDigit);
        var reason = digits && (!ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > most)
            ? "value out of range"
            : "invalid syntax";
        return $"strconv.ParseUint: parsing {GoText.Quote(value)}: {reason}";
    }
}
