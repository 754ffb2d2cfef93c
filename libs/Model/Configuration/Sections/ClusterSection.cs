using Libp2p;

namespace Cluster.Model.Configuration;

/// <summary>Watermarks of libp2p connections.</summary>
public sealed record ConnectionManagerSettings(int HighWater, int LowWater, GoDuration GracePeriod);

/// <summary>Limits of libp2p; 0 takes a share of the machine.</summary>
public sealed record ResourceManagerSettings(bool Enabled, ulong MemoryLimitBytes, ulong FileDescriptorsLimit);

/// <summary>Gossipsub.</summary>
public sealed record PubsubSettings(
    GoDuration SeenMessagesTtl, GoDuration HeartbeatInterval, int DFactor, int HistoryGossip, int HistoryLength, bool FloodPublish);

/// <summary>The section <c>cluster</c> (spec/config.md 3.1).</summary>
public sealed record ClusterSection : ISection<ClusterSection>
{
    private static readonly Schema Keys = new("cluster", "cluster", "CLUSTER", "cluster.configJSON",
    [
        new("id", SettingKind.Text, Hidden.Always),
        new("peername", SettingKind.Text),
        new("private_key", SettingKind.Text, Hidden.Always) { Secret = true },
        new("secret", SettingKind.Text) { Secret = true },
        new("leave_on_shutdown", SettingKind.Boolean),
        new("listen_multiaddress", SettingKind.TextOrList),
        new("announce_multiaddress", SettingKind.TextOrList),
        new("no_announce_multiaddress", SettingKind.TextOrList),
        new("enable_relay_hop", SettingKind.Boolean),
        new("connection_manager", SettingKind.Group)
        {
            GoType = "connMgrConfigJSON",
            Members =
            [
                new("high_water", SettingKind.Integer), new("low_water", SettingKind.Integer), new("grace_period", SettingKind.Text),
            ],
        },
        new("resource_manager", SettingKind.Group)
        {
            GoType = "resourceMgrConfigJSON",
            Members =
            [
                new("enabled", SettingKind.Boolean), new("memory_limit_bytes", SettingKind.Unsigned),
                new("file_descriptors_limit", SettingKind.Unsigned),
            ],
        },
        new("pubsub", SettingKind.Group)
        {
            GoType = "pubsubConfigJSON",
            Members =
            [
                new("seen_messages_ttl", SettingKind.Text), new("heartbeat_interval", SettingKind.Text), new("d_factor", SettingKind.Integer),
                new("history_gossip", SettingKind.Integer), new("history_length", SettingKind.Integer),
                new("flood_publish", SettingKind.Boolean),
            ],
        },
        new("dial_peer_timeout", SettingKind.Text),
        new("state_sync_interval", SettingKind.Text),
        new("pin_recover_interval", SettingKind.Text),
        new("replication_factor_min", SettingKind.Integer),
        new("replication_factor_max", SettingKind.Integer),
        new("monitor_ping_interval", SettingKind.Text),
        new("peer_watch_interval", SettingKind.Text),
        new("mdns_interval", SettingKind.Text),
        new("pin_only_on_trusted_peers", SettingKind.Boolean),
        new("pin_only_on_untrusted_peers", SettingKind.Boolean),
        new("disable_repinning", SettingKind.Boolean),
        new("follower_mode", SettingKind.Boolean, Hidden.WhenEmpty),
        new("peerstore_file", SettingKind.Text, Hidden.WhenEmpty),
        new("peer_addresses", SettingKind.List),
    ]);

    static Schema ISection<ClusterSection>.Schema => Keys;

    public string PeerName { get; init; } = string.Empty;

    /// <summary>32 bytes: the key of the private network; empty leaves the network unprotected.</summary>
    public ReadOnlyMemory<byte> Secret { get; init; }

    public bool LeaveOnShutdown { get; init; }

    public IReadOnlyList<Multiaddr> ListenAddresses { get; init; } = [];

    /// <summary>Replace the announced addresses when not empty.</summary>
    public IReadOnlyList<Multiaddr> AnnounceAddresses { get; init; } = [];

    /// <summary>Exact addresses, or masks with <c>/ipcidr</c>, that are not announced.</summary>
    public IReadOnlyList<Multiaddr> NoAnnounceAddresses { get; init; } = [];

    public bool EnableRelayHop { get; init; } = true;

    public ConnectionManagerSettings ConnectionManager { get; init; } = new(400, 100, GoDuration.FromMinutes(2));

    public ResourceManagerSettings ResourceManager { get; init; } = new(true, 0, 0);

    public PubsubSettings Pubsub { get; init; } = new(GoDuration.FromMinutes(30), GoDuration.FromSeconds(10), 4, 2, 6, false);

    public GoDuration DialPeerTimeout { get; init; } = GoDuration.FromSeconds(3);

    public GoDuration StateSyncInterval { get; init; } = GoDuration.FromMinutes(5);

    public GoDuration PinRecoverInterval { get; init; } = GoDuration.FromMinutes(12);

    public ReplicationFactors Replication { get; init; } = ReplicationFactors.Everywhere;

    /// <summary>The ping metric lives twice as long.</summary>
    public GoDuration MonitorPingInterval { get; init; } = GoDuration.FromSeconds(15);

    public GoDuration PeerWatchInterval { get; init; } = GoDuration.FromSeconds(5);

    /// <summary>0 or less switches mDNS off.</summary>
    public GoDuration MdnsInterval { get; init; } = GoDuration.FromSeconds(10);

    public bool PinOnlyOnTrustedPeers { get; init; }

    public bool PinOnlyOnUntrustedPeers { get; init; }

    public bool DisableRepinning { get; init; } = true;

    public bool FollowerMode { get; init; }

    /// <summary>As written in the file; empty for the default name. See <see cref="PeerstorePath"/>.</summary>
    public string PeerstoreFile { get; init; } = string.Empty;

    /// <summary>Full name of the peerstore file, always inside of the configuration folder.</summary>
    public string PeerstorePath { get; init; } = string.Empty;

    /// <summary>Permanent bootstrap addresses of the highest priority.</summary>
    public IReadOnlyList<Multiaddr> PeerAddresses { get; init; } = [];

    static ClusterSection ISection<ClusterSection>.CreateDefault(LoadingContext context) => new ClusterSection
    {
        PeerName = context.Surroundings.HostName,
        ListenAddresses = [Multiaddr.Parse("/ip4/0.0.0.0/tcp/9096"), Multiaddr.Parse("/ip4/0.0.0.0/udp/9096/quic")],
    }.WithPeerstore(context);

    ClusterSection ISection<ClusterSection>.Apply(RawSettings raw, LoadingContext context)
    {
        var section = this with
        {
            PeerstoreFile = raw.TextOr("peerstore_file", PeerstoreFile),
            PeerName = raw.TextOr("peername", PeerName),
            Secret = ParseSecret(raw.Text("secret")),
            ListenAddresses = Addresses.Parse(raw.List("listen_multiaddress"), "error parsing listen_multiaddress"),
            AnnounceAddresses = Addresses.Parse(raw.List("announce_multiaddress"), "error parsing announce"),
            NoAnnounceAddresses = Addresses.Parse(raw.List("no_announce_multiaddress"), "error parsing no_announce"),
            EnableRelayHop = raw.Boolean("enable_relay_hop"),
        };
        section = section.WithPeerstore(context);
        if (raw.Has("connection_manager"))
        {
            var grace = raw.Duration("connection_manager.grace_period", "cluster", GoDuration.Zero);
            section = section with { ConnectionManager = new(raw.Int("connection_manager.high_water"), raw.Int("connection_manager.low_water"), grace) };
        }

        if (raw.Has("resource_manager"))
        {
            section = section with
            {
                ResourceManager = new(
                    raw.Boolean("resource_manager.enabled"),
                    raw.Unsigned("resource_manager.memory_limit_bytes"),
                    raw.Unsigned("resource_manager.file_descriptors_limit")),
            };
        }

        if (raw.Has("pubsub"))
        {
            section = section with
            {
                Pubsub = new(
                    raw.Duration("pubsub.seen_messages_ttl", "cluster", Pubsub.SeenMessagesTtl),
                    raw.Duration("pubsub.heartbeat_interval", "cluster", Pubsub.HeartbeatInterval),
                    raw.Int("pubsub.d_factor"),
                    raw.Int("pubsub.history_gossip"),
                    raw.Int("pubsub.history_length"),
                    raw.Boolean("pubsub.flood_publish")),
            };
        }

        section = section with
        {
            Replication = new ReplicationFactors(raw.Int("replication_factor_min"), raw.Int("replication_factor_max")).OrDefault(Replication),
            DialPeerTimeout = raw.Duration("dial_peer_timeout", "cluster", DialPeerTimeout),
            StateSyncInterval = raw.Duration("state_sync_interval", "cluster", StateSyncInterval),
            PinRecoverInterval = raw.Duration("pin_recover_interval", "cluster", PinRecoverInterval),
            MonitorPingInterval = raw.Duration("monitor_ping_interval", "cluster", MonitorPingInterval),
            PeerWatchInterval = raw.Duration("peer_watch_interval", "cluster", PeerWatchInterval),
            MdnsInterval = raw.Duration("mdns_interval", "cluster", MdnsInterval),
            PeerAddresses = Addresses.Parse(raw.List("peer_addresses"), "error parsing peer_addresses"),
            LeaveOnShutdown = raw.Boolean("leave_on_shutdown"),
            PinOnlyOnTrustedPeers = raw.Boolean("pin_only_on_trusted_peers"),
            PinOnlyOnUntrustedPeers = raw.Boolean("pin_only_on_untrusted_peers"),
            DisableRepinning = raw.Boolean("disable_repinning"),
            FollowerMode = raw.Boolean("follower_mode"),
        };
        return section.Complaint() is { } wrong ? throw new ConfigurationException(wrong) : section;
    }

    RawSettings ISection<ClusterSection>.ToRaw() => new()
    {
        ["peername"] = PeerName,
        ["secret"] = Convert.ToHexStringLower(Secret.Span),
        ["leave_on_shutdown"] = LeaveOnShutdown,
        ["listen_multiaddress"] = Addresses.ToTexts(ListenAddresses),
        ["announce_multiaddress"] = Addresses.ToTexts(AnnounceAddresses),
        ["no_announce_multiaddress"] = Addresses.ToTexts(NoAnnounceAddresses),
        ["enable_relay_hop"] = EnableRelayHop,
        ["connection_manager"] = true,
        ["connection_manager.high_water"] = (long)ConnectionManager.HighWater,
        ["connection_manager.low_water"] = (long)ConnectionManager.LowWater,
        ["connection_manager.grace_period"] = ConnectionManager.GracePeriod.ToString(),
        ["resource_manager"] = true,
        ["resource_manager.enabled"] = ResourceManager.Enabled,
        ["resource_manager.memory_limit_bytes"] = ResourceManager.MemoryLimitBytes,
        ["resource_manager.file_descriptors_limit"] = ResourceManager.FileDescriptorsLimit,
        ["pubsub"] = true,
        ["pubsub.seen_messages_ttl"] = Pubsub.SeenMessagesTtl.ToString(),
        ["pubsub.heartbeat_interval"] = Pubsub.HeartbeatInterval.ToString(),
        ["pubsub.d_factor"] = (long)Pubsub.DFactor,
        ["pubsub.history_gossip"] = (long)Pubsub.HistoryGossip,
        ["pubsub.history_length"] = (long)Pubsub.HistoryLength,
        ["pubsub.flood_publish"] = Pubsub.FloodPublish,
        ["dial_peer_timeout"] = DialPeerTimeout.ToString(),
        ["state_sync_interval"] = StateSyncInterval.ToString(),
        ["pin_recover_interval"] = PinRecoverInterval.ToString(),
        ["replication_factor_min"] = (long)Replication.Minimum,
        ["replication_factor_max"] = (long)Replication.Maximum,
        ["monitor_ping_interval"] = MonitorPingInterval.ToString(),
        ["peer_watch_interval"] = PeerWatchInterval.ToString(),
        ["mdns_interval"] = MdnsInterval.ToString(),
        ["pin_only_on_trusted_peers"] = PinOnlyOnTrustedPeers,
        ["pin_only_on_untrusted_peers"] = PinOnlyOnUntrustedPeers,
        ["disable_repinning"] = DisableRepinning,
        ["follower_mode"] = FollowerMode,
        ["peerstore_file"] = PeerstoreFile,
        ["peer_addresses"] = Addresses.ToTexts(PeerAddresses),
    };

    /// <summary>Reads a cluster secret: 64 hexadecimal digits, or nothing.</summary>
    /// <exception cref="ConfigurationException">With the original's text.</exception>
    public static ReadOnlyMemory<byte> ParseSecret(string text)
    {
        const string prefix = "error loading cluster secret from config: ";
        ArgumentNullException.ThrowIfNull(text);
        for (var i = 0; i < text.Length; i++)
        {
            // Digits are read in pairs: a lone one at the end is looked at before its missing partner is noticed.
            if (!char.IsAsciiHexDigit(text[i]))
                throw new ConfigurationException($"{prefix}encoding/hex: invalid byte: U+{(int)text[i]:X4} '{text[i]}'");
        }

        if (text.Length % 2 != 0)
            throw new ConfigurationException(prefix + "encoding/hex: odd length hex string");
        var secret = Convert.FromHexString(text);
        return secret.Length is 0 or 32
            ? secret
            : throw new ConfigurationException($"{prefix}input secret is {secret.Length} bytes, cluster secret should be 32");
    }

    private ClusterSection WithPeerstore(LoadingContext context) => this with
    {
        PeerstorePath = context.InFolder((PeerstoreFile.Length == 0 ? "peerstore" : PeerstoreFile).TrimStart('/')),
    };

    private string? Complaint()
    {
        if (ListenAddresses.Count == 0)
            return "cluster.listen_multiaddress is undefined";
        if (ConnectionManager.LowWater <= 0)
            return "cluster.connection_manager.low_water is invalid";
        if (ConnectionManager.HighWater <= 0)
            return "cluster.connection_manager.high_water is invalid";
        if (ConnectionManager.LowWater > ConnectionManager.HighWater)
            return "cluster.connection_manager.low_water is greater than high_water";
        if (ConnectionManager.GracePeriod == GoDuration.Zero)
            return "cluster.connection_manager.grace_period is invalid";
        if (Pubsub.SeenMessagesTtl <= GoDuration.Zero)
            return "cluster.pubsub.seen_message_ttl is invalid";
        if (Pubsub.HeartbeatInterval <= GoDuration.Zero)
            return "cluster.pubsub.heartbeat_interval is invalid";
        if (Pubsub.DFactor < 1)
            return "cluster.pubsub.d_factor is invalid";
        if (Pubsub.HistoryGossip <= 0)
            return "cluster.pubsub.history_gossip is invalid";
        if (Pubsub.HistoryLength <= 0)
            return "cluster.pubsub.history_length is invalid";
        if (DialPeerTimeout <= GoDuration.Zero)
            return "cluster.dial_peer_timeout is invalid";
        if (StateSyncInterval <= GoDuration.Zero)
            return "cluster.state_sync_interval is invalid";
        if (PinRecoverInterval <= GoDuration.Zero)
            return "cluster.pin_recover_interval is invalid";
        if (MonitorPingInterval <= GoDuration.Zero)
            return "cluster.monitoring_interval is invalid";
        if (PeerWatchInterval <= GoDuration.Zero)
            return "cluster.peer_watch_interval is invalid";
        if (PinOnlyOnTrustedPeers && PinOnlyOnUntrustedPeers)
            return "cluster.pin_only_on_trusted_peers and pin_only_on_untrusted_peers cannot both be true";
        return Replication.Validate();
    }
}
