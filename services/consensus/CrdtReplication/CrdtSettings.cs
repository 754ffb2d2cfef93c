using Cluster.Model.Configuration;
using Libp2p;

namespace Cluster.Consensus.CrdtReplication;

/// <summary>The settings of <c>consensus.crdt</c> that the replicated set goes by (spec/config.md 3.2).</summary>
public sealed record CrdtSettings
{
    /// <summary>Everybody's operations are accepted.</summary>
    public bool TrustAll { get; init; } = true;

    /// <summary>Peers whose operations are accepted otherwise, beside this one.</summary>
    public IReadOnlyList<PeerId> TrustedPeers { get; init; } = [];

    /// <summary>Collecting of operations before they are written; off by default.</summary>
    public BatchingSettings Batching { get; init; } = new CrdtSection().Batching;

    /// <summary>Between two attempts to get what is missing; 0 for none.</summary>
    public TimeSpan RepairInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Between two broadcasts of heads that nobody announces, 30 % more or less.</summary>
    public TimeSpan RebroadcastInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The metric whose publishers are the members.</summary>
    public string PeersetMetric { get; init; } = "ping";

    /// <summary>From the configuration.</summary>
    public static CrdtSettings From(CrdtSection section) => new()
    {
        TrustAll = section.TrustAll,
        TrustedPeers = section.TrustedPeers,
        Batching = section.Batching,
        RepairInterval = section.RepairInterval.ToTimeSpan(),
        RebroadcastInterval = section.RebroadcastInterval.ToTimeSpan(),
        PeersetMetric = section.PeersetMetric,
    };
}
