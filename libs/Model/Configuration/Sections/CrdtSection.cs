using Libp2p;

namespace Cluster.Model.Configuration;

/// <summary>Collecting of pins into one delta; 0 in size or age switches it off.</summary>
public sealed record BatchingSettings(int MaxBatchSize, GoDuration MaxBatchAge, int MaxQueueSize)
{
    public bool IsEnabled => MaxBatchSize > 0 && MaxBatchAge > GoDuration.Zero;
}

/// <summary>The section <c>consensus.crdt</c> (spec/config.md 3.2).</summary>
public sealed record CrdtSection : ISection<CrdtSection>
{
    private static readonly Schema Keys = new("consensus", "crdt", "CLUSTER_CRDT", "crdt.jsonConfig",
    [
        new("cluster_name", SettingKind.Text),
        new("trusted_peers", SettingKind.List),
        new("batching", SettingKind.Group)
        {
            GoType = "batchingConfigJSON",
            Members =
            [
                new("max_batch_size", SettingKind.Integer), new("max_batch_age", SettingKind.Text),
                new("max_queue_size", SettingKind.Integer, Hidden.WhenDefault),
            ],
        },
        new("repair_interval", SettingKind.Text),
        new("rebroadcast_interval", SettingKind.Text, Hidden.WhenDefault),
        new("peerset_metric", SettingKind.Text, Hidden.WhenDefault),
        new("datastore_namespace", SettingKind.Text, Hidden.WhenDefault),
    ]);

    static Schema ISection<CrdtSection>.Schema => Keys;

    /// <summary>The pubsub topic.</summary>
    public string ClusterName { get; init; } = "ipfs-cluster";

    /// <summary>Peers whose changes are accepted, beside the own ones; unused when <see cref="TrustAll"/>.</summary>
    public IReadOnlyList<PeerId> TrustedPeers { get; init; } = [];

    public bool TrustAll { get; init; } = true;

    public BatchingSettings Batching { get; init; } = new(0, GoDuration.Zero, 50_000);

    /// <summary>0 switches periodic repair off.</summary>
    public GoDuration RepairInterval { get; init; } = GoDuration.FromHours(1);

    public GoDuration RebroadcastInterval { get; init; } = GoDuration.FromMinutes(1);

    /// <summary>The metric whose publishers are the peerset.</summary>
    public string PeersetMetric { get; init; } = "ping";

    public string DatastoreNamespace { get; init; } = "/c";

    static CrdtSection ISection<CrdtSection>.CreateDefault(LoadingContext context) => new();

    CrdtSection ISection<CrdtSection>.Apply(RawSettings raw, LoadingContext context)
    {
        var trusted = new List<PeerId>();
        var trustAll = false;
        foreach (var text in raw.List("trusted_peers") ?? [])
        {
            if (text == "*")
            {
                trustAll = true;
                trusted.Clear();
                break;
            }

            trusted.Add(GoAddresses.TryParsePeerId(text, out var peer, out var error)
                ? peer
                : throw new ConfigurationException("error parsing trusted peers: " + error));
        }

        // An unreadable duration is passed over together with those after it.
        var (rebroadcast, batchAge, repair) = (RebroadcastInterval, Batching.MaxBatchAge, RepairInterval);
        _ = TryDuration("rebroadcast_interval", ref rebroadcast) && TryDuration("batching.max_batch_age", ref batchAge)
            && TryDuration("repair_interval", ref repair);

        var section = this with
        {
            ClusterName = raw.TextOr("cluster_name", ClusterName),
            TrustedPeers = trusted,
            TrustAll = trustAll,
            Batching = new(
                raw.IntOr("batching.max_batch_size", Batching.MaxBatchSize), batchAge, raw.IntOr("batching.max_queue_size", Batching.MaxQueueSize)),
            PeersetMetric = raw.TextOr("peerset_metric", PeersetMetric),
            DatastoreNamespace = raw.TextOr("datastore_namespace", DatastoreNamespace),
            RebroadcastInterval = rebroadcast,
            RepairInterval = repair,
        };
        if (section.RebroadcastInterval <= GoDuration.Zero)
            throw new ConfigurationException("crdt.rebroadcast_interval is invalid");
        if (section.Batching.MaxQueueSize <= 0)
            throw new ConfigurationException("crdt.batching.max_queue_size is invalid");
        return section.RepairInterval < GoDuration.Zero ? throw new ConfigurationException("crdt.repair_interval is invalid") : section;

        bool TryDuration(string path, ref GoDuration duration)
        {
            var text = raw.Text(path);
            if (text.Length == 0)
                return true;
            if (!GoDuration.TryParse(text, out var parsed, out _))
                return false;
            duration = parsed;
            return true;
        }
    }

    RawSettings ISection<CrdtSection>.ToRaw() => new()
    {
        ["cluster_name"] = ClusterName,
        ["trusted_peers"] = TrustAll ? ["*"] : TrustedPeers.Select(peer => peer.ToString()).ToArray(),
        ["batching"] = true,
        ["batching.max_batch_size"] = (long)Batching.MaxBatchSize,
        ["batching.max_batch_age"] = Batching.MaxBatchAge.ToString(),
        ["batching.max_queue_size"] = (long)Batching.MaxQueueSize,
        ["repair_interval"] = RepairInterval.ToString(),
        ["rebroadcast_interval"] = RebroadcastInterval.ToString(),
        ["peerset_metric"] = PeersetMetric,
        ["datastore_namespace"] = DatastoreNamespace,
    };
}
