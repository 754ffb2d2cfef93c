using Libp2p;

namespace Cluster.Model.Configuration;

/// <summary>The section <c>api.ipfsproxy</c> (spec/config.md 3.5).</summary>
public sealed record IpfsProxySection : ISection<IpfsProxySection>
{
    private const string Component = "ipfsproxy";
    private const int LeastHeaderBytes = 4096;

    private static readonly Schema Keys = new("api", Component, "CLUSTER_IPFSPROXY", "ipfsproxy.jsonConfig",
    [
        new("listen_multiaddress", SettingKind.TextOrList),
        new("node_multiaddress", SettingKind.Text),
        new("node_https", SettingKind.Boolean, Hidden.WhenEmpty),
        new("log_file", SettingKind.Text),
        new("read_timeout", SettingKind.Text),
        new("read_header_timeout", SettingKind.Text),
        new("write_timeout", SettingKind.Text),
        new("idle_timeout", SettingKind.Text),
        new("max_header_bytes", SettingKind.Integer),
        new("extract_headers_extra", SettingKind.List, Hidden.WhenEmpty),
        new("extract_headers_path", SettingKind.Text, Hidden.WhenDefault),
        new("extract_headers_ttl", SettingKind.Text, Hidden.WhenDefault),
    ]);

    static Schema ISection<IpfsProxySection>.Schema => Keys;

    public IReadOnlyList<Multiaddr> ListenAddresses { get; init; } = [];

    /// <summary>The daemon's RPC API.</summary>
    public Multiaddr NodeAddress { get; init; } = Multiaddr.Empty;

    public bool NodeHttps { get; init; }

    public string LogFile { get; init; } = string.Empty;

    /// <summary>Full name of the access log; empty for none.</summary>
    public string LogPath { get; init; } = string.Empty;

    public GoDuration ReadTimeout { get; init; }

    public GoDuration ReadHeaderTimeout { get; init; } = GoDuration.FromSeconds(5);

    public GoDuration WriteTimeout { get; init; }

    public GoDuration IdleTimeout { get; init; } = GoDuration.FromMinutes(1);

    public int MaxHeaderBytes { get; init; } = LeastHeaderBytes;

    /// <summary>Further headers copied from the daemon's answers.</summary>
    public IReadOnlyList<string> ExtractHeadersExtra { get; init; } = [];

    public string ExtractHeadersPath { get; init; } = "/api/v0/version";

    public GoDuration ExtractHeadersTtl { get; init; } = GoDuration.FromMinutes(5);

    static IpfsProxySection ISection<IpfsProxySection>.CreateDefault(LoadingContext context) => new()
    {
        ListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/9095")],
        NodeAddress = Multiaddr.Parse("/ip4/127.0.0.1/tcp/5001"),
    };

    IpfsProxySection ISection<IpfsProxySection>.Apply(RawSettings raw, LoadingContext context)
    {
        var listen = Addresses.Parse(raw.List("listen_multiaddress"), "error parsing proxy listen_multiaddress");
        var node = raw.Text("node_multiaddress");
        var extra = raw.List("extract_headers_extra");
        var logFile = raw.TextOr("log_file", LogFile);
        var section = this with
        {
            ListenAddresses = listen.Count > 0 ? listen : ListenAddresses,
            NodeAddress = node.Length > 0 ? Addresses.Parse(node, "error parsing ipfs node_multiaddress") : NodeAddress,
            NodeHttps = raw.Boolean("node_https") || NodeHttps,
            LogFile = logFile,
            LogPath = logFile.Length == 0 ? string.Empty : context.InFolder(logFile),
            ReadTimeout = raw.Duration("read_timeout", Component, ReadTimeout),
            ReadHeaderTimeout = raw.Duration("read_header_timeout", Component, ReadHeaderTimeout),
            WriteTimeout = raw.Duration("write_timeout", Component, WriteTimeout),
            IdleTimeout = raw.Duration("idle_timeout", Component, IdleTimeout),
            ExtractHeadersTtl = raw.Duration("extract_headers_ttl", Component, ExtractHeadersTtl),
            MaxHeaderBytes = raw.IntOr("max_header_bytes", LeastHeaderBytes),
            ExtractHeadersExtra = extra is { Count: > 0 } ? extra : ExtractHeadersExtra,
            ExtractHeadersPath = raw.TextOr("extract_headers_path", ExtractHeadersPath),
        };
        return section.Complaint() is { } wrong ? throw new ConfigurationException(wrong) : section;
    }

    RawSettings ISection<IpfsProxySection>.ToRaw() => new()
    {
        ["listen_multiaddress"] = Addresses.ToTexts(ListenAddresses),
        ["node_multiaddress"] = NodeAddress.ToString(),
        ["node_https"] = NodeHttps,
        ["log_file"] = LogFile,
        ["read_timeout"] = ReadTimeout.ToString(),
        ["read_header_timeout"] = ReadHeaderTimeout.ToString(),
        ["write_timeout"] = WriteTimeout.ToString(),
        ["idle_timeout"] = IdleTimeout.ToString(),
        ["max_header_bytes"] = (long)MaxHeaderBytes,
        ["extract_headers_extra"] = ExtractHeadersExtra,
        ["extract_headers_path"] = ExtractHeadersPath,
        ["extract_headers_ttl"] = ExtractHeadersTtl.ToString(),
    };

    // Of several violations the last one is reported.
    private string? Complaint()
    {
        string? wrong = null;
        if (ReadTimeout < GoDuration.Zero)
            wrong = "ipfsproxy.read_timeout is invalid";
        if (ReadHeaderTimeout < GoDuration.Zero)
            wrong = "ipfsproxy.read_header_timeout is invalid";
        if (WriteTimeout < GoDuration.Zero)
            wrong = "ipfsproxy.write_timeout is invalid";
        if (IdleTimeout < GoDuration.Zero)
            wrong = "ipfsproxy.idle_timeout invalid";
        if (ExtractHeadersTtl < GoDuration.Zero)
            wrong = "ipfsproxy.extract_headers_ttl is invalid";
        if (MaxHeaderBytes < LeastHeaderBytes)
            wrong = $"ipfsproxy.max_header_size must be greater or equal to {LeastHeaderBytes}";
        return wrong;
    }
}
