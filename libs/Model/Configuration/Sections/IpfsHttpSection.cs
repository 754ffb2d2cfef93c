using Libp2p;

namespace Cluster.Model.Configuration;

/// <summary>The section <c>ipfs_connector.ipfshttp</c> (spec/config.md 3.6).</summary>
public sealed record IpfsHttpSection : ISection<IpfsHttpSection>
{
    private const string Component = "ipfshttp";

    private static readonly Schema Keys = new("ipfs_connector", Component, "CLUSTER_IPFSHTTP", "ipfshttp.jsonConfig",
    [
        new("node_multiaddress", SettingKind.Text),
        new("connect_swarms_delay", SettingKind.Text),
        new("ipfs_request_timeout", SettingKind.Text),
        new("pin_timeout", SettingKind.Text),
        new("unpin_timeout", SettingKind.Text),
        new("repogc_timeout", SettingKind.Text),
        new("informer_trigger_interval", SettingKind.Integer),
        new("unpin_disable", SettingKind.Boolean, Hidden.WhenEmpty),
    ]);

    static Schema ISection<IpfsHttpSection>.Schema => Keys;

    /// <summary>The daemon's RPC API.</summary>
    public Multiaddr NodeAddress { get; init; } = Multiaddr.Empty;

    /// <summary>0 does not connect daemons at the start.</summary>
    public GoDuration ConnectSwarmsDelay { get; init; } = GoDuration.FromSeconds(30);

    public GoDuration IpfsRequestTimeout { get; init; } = GoDuration.FromMinutes(5);

    /// <summary>Counted from the last progress.</summary>
    public GoDuration PinTimeout { get; init; } = GoDuration.FromMinutes(2);

    public GoDuration UnpinTimeout { get; init; } = GoDuration.FromHours(3);

    public GoDuration RepoGcTimeout { get; init; } = GoDuration.FromHours(24);

    /// <summary>After so many changed pins the informers are asked; 0 never.</summary>
    public int InformerTriggerInterval { get; init; }

    public bool UnpinDisable { get; init; }

    static IpfsHttpSection ISection<IpfsHttpSection>.CreateDefault(LoadingContext context) =>
        new() { NodeAddress = Multiaddr.Parse("/ip4/127.0.0.1/tcp/5001") };

    IpfsHttpSection ISection<IpfsHttpSection>.Apply(RawSettings raw, LoadingContext context)
    {
        var section = this with
        {
            NodeAddress = Addresses.Parse(raw.Text("node_multiaddress"), "error parsing ipfs_node_multiaddress"),
            UnpinDisable = raw.Boolean("unpin_disable"),
            InformerTriggerInterval = raw.Int("informer_trigger_interval"),
            ConnectSwarmsDelay = raw.Duration("connect_swarms_delay", Component, ConnectSwarmsDelay),
            IpfsRequestTimeout = raw.Duration("ipfs_request_timeout", Component, IpfsRequestTimeout),
            PinTimeout = raw.Duration("pin_timeout", Component, PinTimeout),
            UnpinTimeout = raw.Duration("unpin_timeout", Component, UnpinTimeout),
            RepoGcTimeout = raw.Duration("repogc_timeout", Component, RepoGcTimeout),
        };
        return section.Complaint() is { } wrong ? throw new ConfigurationException(wrong) : section;
    }

    RawSettings ISection<IpfsHttpSection>.ToRaw() => new()
    {
        ["node_multiaddress"] = NodeAddress.ToString(),
        ["connect_swarms_delay"] = ConnectSwarmsDelay.ToString(),
        ["ipfs_request_timeout"] = IpfsRequestTimeout.ToString(),
        ["pin_timeout"] = PinTimeout.ToString(),
        ["unpin_timeout"] = UnpinTimeout.ToString(),
        ["repogc_timeout"] = RepoGcTimeout.ToString(),
        ["informer_trigger_interval"] = (long)InformerTriggerInterval,
        ["unpin_disable"] = UnpinDisable,
    };

    private string? Complaint()
    {
        string? wrong = null;
        if (ConnectSwarmsDelay < GoDuration.Zero)
            wrong = "ipfshttp.connect_swarms_delay is invalid";
        if (IpfsRequestTimeout < GoDuration.Zero)
            wrong = "ipfshttp.ipfs_request_timeout invalid";
        if (PinTimeout < GoDuration.Zero)
            wrong = "ipfshttp.pin_timeout invalid";
        if (UnpinTimeout < GoDuration.Zero)
            wrong = "ipfshttp.unpin_timeout invalid";
        if (RepoGcTimeout < GoDuration.Zero)
            wrong = "ipfshttp.repogc_timeout invalid";
        if (InformerTriggerInterval < 0)
            wrong = "ipfshttp.informer_trigger_interval";
        return wrong;
    }
}
