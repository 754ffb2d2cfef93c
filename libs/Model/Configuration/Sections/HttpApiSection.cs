using Libp2p;

namespace Cluster.Model.Configuration;

/// <summary>What <c>api.restapi</c> and <c>api.pinsvcapi</c> have in common (spec/config.md 3.4).</summary>
public abstract record HttpApiSection
{
    private const int LeastHeaderBytes = 4096;

    /// <summary>The name of the component, as it stands in error texts.</summary>
    public abstract string Component { get; }

    public IReadOnlyList<Multiaddr> HttpListenAddresses { get; init; } = [];

    /// <summary>As written in the file; relative to the configuration folder. Empty without TLS.</summary>
    public string SslCertFile { get; init; } = string.Empty;

    public string SslKeyFile { get; init; } = string.Empty;

    /// <summary>Full names of certificate and key; null without TLS.</summary>
    public (string Certificate, string Key)? Tls { get; init; }

    /// <summary>0 for none.</summary>
    public GoDuration ReadTimeout { get; init; }

    public GoDuration ReadHeaderTimeout { get; init; } = GoDuration.FromSeconds(5);

    public GoDuration WriteTimeout { get; init; }

    public GoDuration IdleTimeout { get; init; } = GoDuration.FromMinutes(2);

    public int MaxHeaderBytes { get; init; } = LeastHeaderBytes;

    /// <summary>The API's own libp2p host exists when these three are set.</summary>
    public IReadOnlyList<Multiaddr> Libp2pListenAddresses { get; init; } = [];

    public PeerId? Id { get; init; }

    /// <summary>Protobuf form.</summary>
    public ReadOnlyMemory<byte> PrivateKey { get; init; }

    /// <summary>User to password; null leaves the API open.</summary>
    public IReadOnlyDictionary<string, string>? BasicAuthCredentials { get; init; }

    /// <summary>As written in the file; empty logs to the logger.</summary>
    public string HttpLogFile { get; init; } = string.Empty;

    /// <summary>Full name of the log file; empty logs to the logger.</summary>
    public string HttpLogPath { get; init; } = string.Empty;

    /// <summary>Added to responses.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Headers { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    public IReadOnlyList<string>? CorsAllowedOrigins { get; init; } = ["*"];

    public IReadOnlyList<string>? CorsAllowedMethods { get; init; } = ["GET"];

    public IReadOnlyList<string>? CorsAllowedHeaders { get; init; } = [];

    public IReadOnlyList<string>? CorsExposedHeaders { get; init; } = ["Content-Type", "X-Stream-Output", "X-Chunked-Output", "X-Content-Length"];

    public bool CorsAllowCredentials { get; init; } = true;

    /// <summary>Sent in whole seconds.</summary>
    public GoDuration CorsMaxAge { get; init; }

    internal static Schema CreateSchema(string component) => new("api", component, "CLUSTER_" + component.ToUpperInvariant(), "common.jsonConfig",
    [
        new("http_listen_multiaddress", SettingKind.TextOrList),
        new("ssl_cert_file", SettingKind.Text, Hidden.WhenEmpty),
        new("ssl_key_file", SettingKind.Text, Hidden.WhenEmpty),
        new("read_timeout", SettingKind.Text),
        new("read_header_timeout", SettingKind.Text),
        new("write_timeout", SettingKind.Text),
        new("idle_timeout", SettingKind.Text),
        new("max_header_bytes", SettingKind.Integer),
        new("libp2p_listen_multiaddress", SettingKind.TextOrList, Hidden.WhenEmpty),
        new("id", SettingKind.Text, Hidden.WhenEmpty),
        new("private_key", SettingKind.Text, Hidden.WhenEmpty) { Secret = true },
        new("basic_auth_credentials", SettingKind.Map) { Secret = true },
        new("http_log_file", SettingKind.Text),
        new("headers", SettingKind.ListMap),
        new("cors_allowed_origins", SettingKind.List),
        new("cors_allowed_methods", SettingKind.List),
        new("cors_allowed_headers", SettingKind.List),
        new("cors_exposed_headers", SettingKind.List),
        new("cors_allow_credentials", SettingKind.Boolean),
        new("cors_max_age", SettingKind.Text),
    ]);

    internal HttpApiSection ApplyCommon(RawSettings raw, LoadingContext context)
    {
        var addresses = Addresses.Parse(raw.List("http_listen_multiaddress"), $"error parsing {Component}.http_listen_multiaddress");
        var (certificate, key) = (raw.Text("ssl_cert_file"), raw.Text("ssl_key_file"));
        (string, string)? tls = certificate.Length + key.Length == 0 ? null : (context.InFolder(certificate), context.InFolder(key));
        if (tls is not null)
            TlsFiles.Check(certificate, key, context);

        var section = this with
        {
            HttpListenAddresses = addresses.Count > 0 ? addresses : HttpListenAddresses,
            SslCertFile = certificate,
            SslKeyFile = key,
            Tls = tls,
            MaxHeaderBytes = raw.IntOr("max_header_bytes", LeastHeaderBytes),
            CorsAllowedOrigins = raw.List("cors_allowed_origins"),
            CorsAllowedMethods = raw.List("cors_allowed_methods"),
            CorsAllowedHeaders = raw.List("cors_allowed_headers"),
            CorsExposedHeaders = raw.List("cors_exposed_headers"),
            CorsAllowCredentials = raw.Boolean("cors_allow_credentials"),
            ReadTimeout = raw.Duration("read_timeout", Component, ReadTimeout),
            ReadHeaderTimeout = raw.Duration("read_header_timeout", Component, ReadHeaderTimeout),
            WriteTimeout = raw.Duration("write_timeout", Component, WriteTimeout),
            IdleTimeout = raw.Duration("idle_timeout", Component, IdleTimeout),
            CorsMaxAge = raw.Duration("cors_max_age", Component, CorsMaxAge),
        };
        section = section.WithLibp2p(raw) with
        {
            BasicAuthCredentials = raw.Map("basic_auth_credentials"),
            HttpLogFile = raw.Text("http_log_file"),
            HttpLogPath = raw.Text("http_log_file") is { Length: > 0 } log ? context.InFolder(log) : string.Empty,
            Headers = raw.ListMap("headers"),
        };
        return section.Complaint() is { } wrong ? throw new ConfigurationException(wrong) : section;
    }

    internal RawSettings ToRawCommon() => new()
    {
        ["http_listen_multiaddress"] = Addresses.ToTexts(HttpListenAddresses),
        ["ssl_cert_file"] = SslCertFile,
        ["ssl_key_file"] = SslKeyFile,
        ["read_timeout"] = ReadTimeout.ToString(),
        ["read_header_timeout"] = ReadHeaderTimeout.ToString(),
        ["write_timeout"] = WriteTimeout.ToString(),
        ["idle_timeout"] = IdleTimeout.ToString(),
        ["max_header_bytes"] = (long)MaxHeaderBytes,
        ["libp2p_listen_multiaddress"] = Addresses.ToTexts(Libp2pListenAddresses),
        ["id"] = Id?.ToString() ?? string.Empty,
        ["private_key"] = Convert.ToBase64String(PrivateKey.Span),
        ["basic_auth_credentials"] = BasicAuthCredentials,
        ["http_log_file"] = HttpLogFile,
        ["headers"] = Headers,
        ["cors_allowed_origins"] = CorsAllowedOrigins,
        ["cors_allowed_methods"] = CorsAllowedMethods,
        ["cors_allowed_headers"] = CorsAllowedHeaders,
        ["cors_exposed_headers"] = CorsExposedHeaders,
        ["cors_allow_credentials"] = CorsAllowCredentials,
        ["cors_max_age"] = CorsMaxAge.ToString(),
    };

    private HttpApiSection WithLibp2p(RawSettings raw)
    {
        var section = this;
        var addresses = Addresses.Parse(raw.List("libp2p_listen_multiaddress"), $"error parsing {Component}.libp2p_listen_multiaddress");
        if (addresses.Count > 0)
            section = section with { Libp2pListenAddresses = addresses };
        if (raw.Text("private_key") is { Length: > 0 } keyText)
        {
            if (!GoBase64.TryDecode(keyText, out var key, out var badInput))
                throw new ConfigurationException($"error decoding {Component}.private_key: {badInput}");
            try
            {
                _ = Libp2p.PrivateKey.FromProtobuf(key);
            }
            catch (FormatException e)
            {
                throw new ConfigurationException($"error parsing {Component}.private_key ID: {e.Message}", e);
            }

            section = section with { PrivateKey = key };
        }

        if (raw.Text("id") is { Length: > 0 } idText)
        {
            section = section with
            {
                Id = GoAddresses.TryParsePeerId(idText, out var id, out var error)
                    ? id
                    : throw new ConfigurationException($"error parsing {Component}.ID: {error}"),
            };
        }

        return section;
    }

    private string? Complaint()
    {
        if (ReadTimeout < GoDuration.Zero)
            return Component + ".read_timeout is invalid";
        if (ReadHeaderTimeout < GoDuration.Zero)
            return Component + ".read_header_timeout is invalid";
        if (WriteTimeout < GoDuration.Zero)
            return Component + ".write_timeout is invalid";
        if (IdleTimeout < GoDuration.Zero)
            return Component + ".idle_timeout invalid";
        if (MaxHeaderBytes < LeastHeaderBytes)
            return $"{Component}.max_header_bytes must be not less then {LeastHeaderBytes}";
        if (BasicAuthCredentials is { Count: 0 })
            return Component + ".basic_auth_creds should be null or have at least one entry";
        if (CorsMaxAge < GoDuration.Zero)
            return Component + ".cors_max_age is invalid";
        if (Id is null && PrivateKey.IsEmpty && Libp2pListenAddresses.Count == 0)
            return null;
        if (Id is not { } id || PrivateKey.IsEmpty || Libp2pListenAddresses.Count == 0)
            return "all ID, private_key and libp2p_listen_multiaddress should be set";
        return Libp2p.PrivateKey.FromProtobuf(PrivateKey.Span).PeerId == id ? null : Component + ".ID does not match private_key";
    }
}

/// <summary>The section <c>api.restapi</c>.</summary>
public sealed record RestApiSection : HttpApiSection, ISection<RestApiSection>
{
    private static readonly Schema Keys = CreateSchema("restapi");

    static Schema ISection<RestApiSection>.Schema => Keys;

    public override string Component => "restapi";

    static RestApiSection ISection<RestApiSection>.CreateDefault(LoadingContext context) =>
        new() { HttpListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/9094")] };

    RestApiSection ISection<RestApiSection>.Apply(RawSettings raw, LoadingContext context) => (RestApiSection)ApplyCommon(raw, context);

    RawSettings ISection<RestApiSection>.ToRaw() => ToRawCommon();
}

/// <summary>The section <c>api.pinsvcapi</c>.</summary>
public sealed record PinSvcApiSection : HttpApiSection, ISection<PinSvcApiSection>
{
    private static readonly Schema Keys = CreateSchema("pinsvcapi");

    static Schema ISection<PinSvcApiSection>.Schema => Keys;

    public override string Component => "pinsvcapi";

    static PinSvcApiSection ISection<PinSvcApiSection>.CreateDefault(LoadingContext context) =>
        new() { HttpListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/9097")] };

    PinSvcApiSection ISection<PinSvcApiSection>.Apply(RawSettings raw, LoadingContext context) => (PinSvcApiSection)ApplyCommon(raw, context);

    RawSettings ISection<PinSvcApiSection>.ToRaw() => ToRawCommon();
}
