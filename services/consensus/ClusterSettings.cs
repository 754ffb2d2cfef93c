using Cluster.Model;

namespace Cluster.Consensus;

/// <summary>The settings of <c>service.json</c> that the cluster logic goes by (spec/config.md 3.1, 3.9).</summary>
public sealed record ClusterSettings
{
    /// <summary>Shown in ids and statuses.</summary>
    public string PeerName { get; init; } = string.Empty;

    /// <summary>Taken for each factor that a request leaves at 0.</summary>
    public ReplicationFactors DefaultReplication { get; init; } = ReplicationFactors.Everywhere;

    /// <summary>No writes through this peer (spec/behaviour.md 11.1).</summary>
    public bool FollowerMode { get; init; }

    /// <summary>Dead peers' pins stay where they are.</summary>
    public bool DisableRepinning { get; init; } = true;

    /// <summary>The peer leaves its cluster when it stops, and begins anew with the next start.</summary>
    public bool LeaveOnShutdown { get; init; }

    /// <summary>Allocate to trusted peers only.</summary>
    public bool PinOnlyOnTrustedPeers { get; init; }

    /// <summary>Allocate to peers that are not trusted only.</summary>
    public bool PinOnlyOnUntrustedPeers { get; init; }

    /// <summary>Between two looks for expired pins.</summary>
    public TimeSpan StateSyncInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Metrics to allocate by, the first one first.</summary>
    public IReadOnlyList<string> AllocateBy { get; init; } = ["tag:group", "freespace"];
}
