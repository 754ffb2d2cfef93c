using Libp2p;

namespace Cluster.Model;

/// <summary>The IPFS daemon of a peer, as the peer describes it. Ids and addresses stay in the daemon's text form.</summary>
public sealed record IpfsId
{
    /// <summary>Empty when the daemon could not be asked; left out then.</summary>
    public string Id { get; init; } = string.Empty;

    public IReadOnlyList<string>? Addresses { get; init; }

    public string Error { get; init; } = string.Empty;
}

/// <summary>A cluster peer as it describes itself: the "ID" of the REST API (spec/rest-api.md 6.3).</summary>
public sealed record PeerInfo
{
    public PeerId Id { get; init; }

    /// <summary>Each ends with <c>/p2p/&lt;id&gt;</c>.</summary>
    public IReadOnlyList<Multiaddr>? Addresses { get; init; }

    /// <summary>Includes the peer itself.</summary>
    public IReadOnlyList<PeerId>? ClusterPeers { get; init; }

    public IReadOnlyList<Multiaddr>? ClusterPeersAddresses { get; init; }

    public string Version { get; init; } = string.Empty;

    public string Commit { get; init; } = string.Empty;

    public string RpcProtocolVersion { get; init; } = string.Empty;

    /// <summary>Why the peer could not be asked; then only <see cref="Id"/> carries data beside it.</summary>
    public string Error { get; init; } = string.Empty;

    public IpfsId Ipfs { get; init; } = new();

    public string PeerName { get; init; } = string.Empty;
}

/// <summary>Who sees whom (spec/rest-api.md 6.4). Maps are printed by key.</summary>
public sealed record ConnectGraph
{
    public PeerId ClusterId { get; init; }

    public IReadOnlyDictionary<string, string>? IdToPeerName { get; init; }

    /// <summary>Daemon to daemons.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? IpfsLinks { get; init; }

    public IReadOnlyDictionary<string, IReadOnlyList<string>>? ClusterLinks { get; init; }

    public IReadOnlyDictionary<string, bool>? ClusterTrustLinks { get; init; }

    public IReadOnlyDictionary<string, string>? ClusterToIpfs { get; init; }
}

/// <summary>Traffic of one libp2p protocol: bytes, and bytes per second.</summary>
public readonly record struct BandwidthStats(long TotalIn, long TotalOut, double RateIn, double RateOut);
