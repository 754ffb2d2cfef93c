using Ipld;
using Libp2p;

namespace Cluster.Model;

/// <summary>Status of one CID on one peer, as it stands inside a <see cref="GlobalPinInfo"/> (spec/rest-api.md 6.2).</summary>
public sealed record PinInfoShort
{
    /// <summary>Name of the cluster peer; empty while unknown.</summary>
    public string PeerName { get; init; } = string.Empty;

    /// <summary>Text form; empty when unknown, and then left out.</summary>
    public string IpfsPeerId { get; init; } = string.Empty;

    /// <summary>Public addresses of the daemon; left out when empty.</summary>
    public IReadOnlyList<string>? IpfsPeerAddresses { get; init; }

    public TrackerStatus Status { get; init; }

    public GoTime Timestamp { get; init; }

    /// <summary>Empty when there is none.</summary>
    public string Error { get; init; } = string.Empty;

    /// <summary>Attempts to pin or unpin; 0 when settled.</summary>
    public int AttemptCount { get; init; }

    public bool PriorityPin { get; init; }
}

/// <summary>Status of one CID on one peer together with what the pinset says about the CID.</summary>
public sealed record PinInfo
{
    public Cid Cid { get; init; }

    public string Name { get; init; } = string.Empty;

    public PeerId Peer { get; init; }

    public IReadOnlyList<PeerId>? Allocations { get; init; }

    public IReadOnlyList<Multiaddr>? Origins { get; init; }

    /// <summary>When the pin was submitted.</summary>
    public GoTime Created { get; init; }

    public Metadata? Metadata { get; init; }

    public PinInfoShort Info { get; init; } = new();

    public TrackerStatus Status => Info.Status;

    /// <summary>The status as seen from the pinset's entry.</summary>
    public static PinInfo FromPin(Pin pin, PeerId peer, PinInfoShort info)
    {
        ArgumentNullException.ThrowIfNull(pin);
        return new PinInfo
        {
            Cid = pin.Cid,
            Name = pin.Options.Name,
            Peer = peer,
            Allocations = pin.Allocations,
            Origins = pin.Options.Origins,
            Created = pin.Timestamp,
            Metadata = pin.Options.Metadata,
            Info = info,
        };
    }
}

/// <summary>Status of one CID on all peers that were asked (spec/rest-api.md 6.2).</summary>
public sealed record GlobalPinInfo
{
    public Cid Cid { get; init; }

    public string Name { get; init; } = string.Empty;

    public IReadOnlyList<PeerId>? Allocations { get; init; }

    public IReadOnlyList<Multiaddr>? Origins { get; init; }

    public GoTime Created { get; init; }

    public Metadata? Metadata { get; init; }

    /// <summary>In any order; printed by peer id. Null only when no peer was asked at all.</summary>
    public IReadOnlyList<KeyValuePair<PeerId, PinInfoShort>>? PeerMap { get; init; }

    /// <summary>A status of one peer only.</summary>
    public static GlobalPinInfo FromPinInfo(PinInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        return new GlobalPinInfo
        {
            Cid = info.Cid,
            Name = info.Name,
            Allocations = info.Allocations,
            Origins = info.Origins,
            Created = info.Created,
            Metadata = info.Metadata,
            PeerMap = [new(info.Peer, info.Info)],
        };
    }

    /// <summary>Whether any peer's status passes the filter.</summary>
    public bool Matches(TrackerStatus filter)
    {
        for (var i = 0; i < (PeerMap?.Count ?? 0); i++)
        {
            if (PeerMap![i].Value.Status.Matches(filter))
                return true;
        }

        return false;
    }
}
