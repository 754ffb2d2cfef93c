using Libp2p;

namespace Cluster.Model.Configuration;

/// <summary>The section <c>observations.metrics</c> (spec/config.md 3.11).</summary>
public sealed record MetricsSection : ISection<MetricsSection>
{
    private static readonly Schema Keys = new("observations", "metrics", "CLUSTER_METRICS", "observations.jsonMetricsConfig",
    [
        new("enable_stats", SettingKind.Boolean), new("prometheus_endpoint", SettingKind.Text), new("reporting_interval", SettingKind.Text),
    ]);

    static Schema ISection<MetricsSection>.Schema => Keys;

    public bool EnableStats { get; init; }

    public Multiaddr PrometheusEndpoint { get; init; } = Multiaddr.Empty;

    public GoDuration ReportingInterval { get; init; } = GoDuration.FromSeconds(30);

    static MetricsSection ISection<MetricsSection>.CreateDefault(LoadingContext context) =>
        new() { PrometheusEndpoint = Multiaddr.Parse("/ip4/127.0.0.1/tcp/8888") };

    MetricsSection ISection<MetricsSection>.Apply(RawSettings raw, LoadingContext context)
    {
        var section = this with
        {
            EnableStats = raw.Boolean("enable_stats"),
            PrometheusEndpoint = Addresses.Parse(raw.Text("prometheus_endpoint"), "loadMetricsOptions: PrometheusEndpoint multiaddr"),
            ReportingInterval = raw.Duration("reporting_interval", "metrics", ReportingInterval, "metrics.reporting_interval"),
        };
        return section.EnableStats && section.ReportingInterval < GoDuration.Zero
            ? throw new ConfigurationException("metrics.reporting_interval is invalid")
            : section;
    }

    RawSettings ISection<MetricsSection>.ToRaw() => new()
    {
        ["enable_stats"] = EnableStats,
        ["prometheus_endpoint"] = PrometheusEndpoint.ToString(),
        ["reporting_interval"] = ReportingInterval.ToString(),
    };
}

/// <summary>The section <c>observations.tracing</c>.</summary>
public sealed record TracingSection : ISection<TracingSection>
{
    private static readonly Schema Keys = new("observations", "tracing", "CLUSTER_TRACING", "observations.jsonTracingConfig",
    [
        new("enable_tracing", SettingKind.Boolean), new("jaeger_agent_endpoint", SettingKind.Text),
        new("sampling_prob", SettingKind.Float), new("service_name", SettingKind.Text),
    ]);

    static Schema ISection<TracingSection>.Schema => Keys;

    public bool EnableTracing { get; init; }

    public Multiaddr JaegerAgentEndpoint { get; init; } = Multiaddr.Empty;

    /// <summary>Part of the traces that is kept, 0 to 1.</summary>
    public double SamplingProbability { get; init; } = 0.3;

    public string ServiceName { get; init; } = "cluster-daemon";

    static TracingSection ISection<TracingSection>.CreateDefault(LoadingContext context) =>
        new() { JaegerAgentEndpoint = Multiaddr.Parse("/ip4/0.0.0.0/udp/6831") };

    TracingSection ISection<TracingSection>.Apply(RawSettings raw, LoadingContext context)
    {
        var section = this with
        {
            EnableTracing = raw.Boolean("enable_tracing"),
            JaegerAgentEndpoint = Addresses.Parse(raw.Text("jaeger_agent_endpoint"), "loadTracingOptions: JaegerAgentEndpoint multiaddr"),
            SamplingProbability = raw.Float("sampling_prob"),
            ServiceName = raw.Text("service_name"),
        };
        return section.EnableTracing && section.SamplingProbability < 0
            ? throw new ConfigurationException("tracing.sampling_prob is invalid")
            : section;
    }

    RawSettings ISection<TracingSection>.ToRaw() => new()
    {
        ["enable_tracing"] = EnableTracing,
        ["jaeger_agent_endpoint"] = JaegerAgentEndpoint.ToString(),
        ["sampling_prob"] = SamplingProbability,
        ["service_name"] = ServiceName,
    };
}
