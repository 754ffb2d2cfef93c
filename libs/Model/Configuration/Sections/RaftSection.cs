using Libp2p;

namespace Cluster.Model.Configuration;

/// <summary>The section <c>consensus.raft</c> (spec/config.md 3.3).</summary>
public sealed record RaftSection : ISection<RaftSection>
{
    private static readonly Schema Keys = new("consensus", "raft", "CLUSTER_RAFT", "raft.jsonConfig",
    [
        new("data_folder", SettingKind.Text, Hidden.WhenEmpty),
        new("init_peerset", SettingKind.List),
        new("wait_for_leader_timeout", SettingKind.Text),
        new("network_timeout", SettingKind.Text),
        new("commit_retries", SettingKind.Integer),
        new("commit_retry_delay", SettingKind.Text),
        new("backups_rotate", SettingKind.Integer),
        new("datastore_namespace", SettingKind.Text, Hidden.Always),
        new("heartbeat_timeout", SettingKind.Text),
        new("election_timeout", SettingKind.Text),
        new("commit_timeout", SettingKind.Text),
        new("max_append_entries", SettingKind.Integer),
        new("trailing_logs", SettingKind.Unsigned),
        new("snapshot_interval", SettingKind.Text),
        new("snapshot_threshold", SettingKind.Unsigned),
        new("leader_lease_timeout", SettingKind.Text),
    ]);

    static Schema ISection<RaftSection>.Schema => Keys;

    /// <summary>As written in the file; empty for <c>raft</c> in the configuration folder. Relative to the working directory.</summary>
    public string DataFolder { get; init; } = string.Empty;

    /// <summary>The folder to use.</summary>
    public string DataPath { get; init; } = string.Empty;

    /// <summary>First voters of a peer without data.</summary>
    public IReadOnlyList<PeerId> InitPeerset { get; init; } = [];

    public GoDuration WaitForLeaderTimeout { get; init; } = GoDuration.FromSeconds(15);

    public GoDuration NetworkTimeout { get; init; } = GoDuration.FromSeconds(10);

    public int CommitRetries { get; init; } = 1;

    public GoDuration CommitRetryDelay { get; init; } = GoDuration.FromMilliseconds(200);

    /// <summary>Copies kept of wiped data.</summary>
    public int BackupsRotate { get; init; } = 6;

    public GoDuration HeartbeatTimeout { get; init; } = GoDuration.FromSeconds(1);

    public GoDuration ElectionTimeout { get; init; } = GoDuration.FromSeconds(1);

    public GoDuration CommitTimeout { get; init; } = GoDuration.FromMilliseconds(50);

    public int MaxAppendEntries { get; init; } = 64;

    public ulong TrailingLogs { get; init; } = 10_240;

    public GoDuration SnapshotInterval { get; init; } = GoDuration.FromMinutes(2);

    public ulong SnapshotThreshold { get; init; } = 8192;

    public GoDuration LeaderLeaseTimeout { get; init; } = GoDuration.FromMilliseconds(500);

    /// <summary>Key prefix; the file cannot change it.</summary>
    public string DatastoreNamespace { get; init; } = "/r";

    static RaftSection ISection<RaftSection>.CreateDefault(LoadingContext context) => new() { DataPath = context.InFolder("raft") };

    RaftSection ISection<RaftSection>.Apply(RawSettings raw, LoadingContext context)
    {
        var folder = raw.TextOr("data_folder", DataFolder);
        var section = this with
        {
            DataFolder = folder,
            DataPath = folder.Length == 0 ? context.InFolder("raft") : folder,
            InitPeerset = [.. (raw.List("init_peerset") ?? []).SelectMany(PinOptionsQuery.ParsePeers)],
            WaitForLeaderTimeout = Duration("wait_for_leader_timeout", WaitForLeaderTimeout),
            NetworkTimeout = Duration("network_timeout", NetworkTimeout),
            CommitRetries = raw.Int("commit_retries"),
            CommitRetryDelay = Duration("commit_retry_delay", CommitRetryDelay),
            BackupsRotate = raw.IntOr("backups_rotate", BackupsRotate),
            HeartbeatTimeout = Duration("heartbeat_timeout", HeartbeatTimeout),
            ElectionTimeout = Duration("election_timeout", ElectionTimeout),
            CommitTimeout = Duration("commit_timeout", CommitTimeout),
            MaxAppendEntries = raw.IntOr("max_append_entries", MaxAppendEntries),
            TrailingLogs = raw.Unsigned("trailing_logs") is var logs && logs != 0 ? logs : TrailingLogs,
            SnapshotInterval = Duration("snapshot_interval", SnapshotInterval),
            SnapshotThreshold = raw.Unsigned("snapshot_threshold") is var threshold && threshold != 0 ? threshold : SnapshotThreshold,
            LeaderLeaseTimeout = Duration("leader_lease_timeout", LeaderLeaseTimeout),
        };
        return section.Complaint() is { } wrong ? throw new ConfigurationException(wrong) : section;

        // What cannot be read, and 0, takes the default.
        GoDuration Duration(string key, GoDuration otherwise)
        {
            var text = raw.Text(key);
            var duration = raw.DurationOrZero(key);
            if (duration != GoDuration.Zero)
                return duration;
            if (text.Length > 0)
                context.Log.Add(new("WARN", "raft", text + " is not a valid duration. Default will be used"));
            return otherwise;
        }
    }

    RawSettings ISection<RaftSection>.ToRaw() => new()
    {
        ["data_folder"] = DataFolder,
        ["init_peerset"] = InitPeerset.Select(peer => peer.ToString()).ToArray(),
        ["wait_for_leader_timeout"] = WaitForLeaderTimeout.ToString(),
        ["network_timeout"] = NetworkTimeout.ToString(),
        ["commit_retries"] = (long)CommitRetries,
        ["commit_retry_delay"] = CommitRetryDelay.ToString(),
        ["backups_rotate"] = (long)BackupsRotate,
        ["heartbeat_timeout"] = HeartbeatTimeout.ToString(),
        ["election_timeout"] = ElectionTimeout.ToString(),
        ["commit_timeout"] = CommitTimeout.ToString(),
        ["max_append_entries"] = (long)MaxAppendEntries,
        ["trailing_logs"] = TrailingLogs,
        ["snapshot_interval"] = SnapshotInterval.ToString(),
        ["snapshot_threshold"] = SnapshotThreshold,
        ["leader_lease_timeout"] = LeaderLeaseTimeout.ToString(),
    };

    private string? Complaint()
    {
        var fiveMilliseconds = GoDuration.FromMilliseconds(5);
        if (WaitForLeaderTimeout <= GoDuration.Zero)
            return "wait_for_leader_timeout <= 0";
        if (NetworkTimeout <= GoDuration.Zero)
            return "network_timeout <= 0";
        if (CommitRetries < 0)
            return "commit_retries is invalid";
        if (CommitRetryDelay <= GoDuration.Zero)
            return "commit_retry_delay is invalid";
        if (BackupsRotate <= 0)
            return "backups_rotate should be larger than 0";
        if (HeartbeatTimeout < fiveMilliseconds)
            return "HeartbeatTimeout is too low";
        if (ElectionTimeout < fiveMilliseconds)
            return "ElectionTimeout is too low";
        if (CommitTimeout < GoDuration.FromMilliseconds(1))
            return "CommitTimeout is too low";
        if (MaxAppendEntries <= 0)
            return "MaxAppendEntries must be positive";
        if (MaxAppendEntries > 1024)
            return "MaxAppendEntries is too large";
        if (SnapshotInterval < fiveMilliseconds)
            return "SnapshotInterval is too low";
        if (LeaderLeaseTimeout < fiveMilliseconds)
            return "LeaderLeaseTimeout is too low";
        if (LeaderLeaseTimeout > HeartbeatTimeout)
            return $"LeaderLeaseTimeout ({LeaderLeaseTimeout}) cannot be larger than heartbeat timeout ({HeartbeatTimeout})";
        return ElectionTimeout < HeartbeatTimeout
            ? $"ElectionTimeout ({ElectionTimeout}) must be equal or greater than Heartbeat Timeout ({HeartbeatTimeout})"
            : null;
    }
}
