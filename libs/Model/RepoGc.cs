using Ipld;
using Libp2p;

namespace Cluster.Model;

/// <summary>A block that a daemon removed, or why it could not.</summary>
public readonly record struct RepoGcKey(Cid Key, string Error = "");

/// <summary>Garbage collection on one peer's daemon (spec/rest-api.md 6.4).</summary>
public sealed record RepoGc
{
    public PeerId Peer { get; init; }

    public string PeerName { get; init; } = string.Empty;

    public IReadOnlyList<RepoGcKey>? Keys { get; init; }

    /// <summary>Left out when empty.</summary>
    public string Error { get; init; } = string.Empty;
}

/// <summary>Garbage collection on all peers; printed by peer id.</summary>
public sealed record GlobalRepoGc(IReadOnlyList<KeyValuePair<PeerId, RepoGc>>? PeerMap);
