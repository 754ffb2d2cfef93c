namespace Cluster.Model.Configuration;

/// <summary>The section <c>informer.disk</c> (spec/config.md 3.10).</summary>
public sealed record DiskSection : ISection<DiskSection>
{
    private static readonly Schema Keys = new("informer", "disk", "CLUSTER_DISK", "disk.jsonConfig",
        [new("metric_ttl", SettingKind.Text), new("metric_type", SettingKind.Text)]);

    static Schema ISection<DiskSection>.Schema => Keys;

    public GoDuration MetricTtl { get; init; } = GoDuration.FromSeconds(30);

    /// <summary><c>freespace</c> or <c>reposize</c>: the name of the metric.</summary>
    public string MetricType { get; init; } = "freespace";

    static DiskSection ISection<DiskSection>.CreateDefault(LoadingContext context) => new();

    DiskSection ISection<DiskSection>.Apply(RawSettings raw, LoadingContext context)
    {
        var (ttl, type) = (raw.DurationOrZero("metric_ttl"), raw.Text("metric_type"));
        if (type is not ("freespace" or "reposize"))
            throw new ConfigurationException("disk.metric_type is invalid");
        return ttl <= GoDuration.Zero
            ? throw new ConfigurationException("disk.metric_ttl is invalid")
            : this with { MetricTtl = ttl, MetricType = type };
    }

    RawSettings ISection<DiskSection>.ToRaw() => new() { ["metric_ttl"] = MetricTtl.ToString(), ["metric_type"] = MetricType };
}

/// <summary>The section <c>informer.pinqueue</c>.</summary>
public sealed record PinQueueSection : ISection<PinQueueSection>
{
    private static readonly Schema Keys = new("informer", "pinqueue", "CLUSTER_PINQUEUE", "pinqueue.jsonConfig",
        [new("metric_ttl", SettingKind.Text), new("weight_bucket_size", SettingKind.Integer)]);

    static Schema ISection<PinQueueSection>.Schema => Keys;

    public GoDuration MetricTtl { get; init; } = GoDuration.FromSeconds(30);

    /// <summary>The weight is the negative number of full buckets; 0 takes the queue's length itself.</summary>
    public int WeightBucketSize { get; init; } = 100_000;

    static PinQueueSection ISection<PinQueueSection>.CreateDefault(LoadingContext context) => new();

    PinQueueSection ISection<PinQueueSection>.Apply(RawSettings raw, LoadingContext context)
    {
        var (ttl, bucket) = (raw.DurationOrZero("metric_ttl"), raw.Int("weight_bucket_size"));
        if (ttl <= GoDuration.Zero)
            throw new ConfigurationException("pinqueue.metric_ttl is invalid");
        return bucket < 0
            ? throw new ConfigurationException("pinqueue.WeightBucketSize is invalid")
            : this with { MetricTtl = ttl, WeightBucketSize = bucket };
    }

    RawSettings ISection<PinQueueSection>.ToRaw() =>
        new() { ["metric_ttl"] = MetricTtl.ToString(), ["weight_bucket_size"] = (long)WeightBucketSize };
}

/// <summary>The section <c>informer.tags</c>.</summary>
public sealed record TagsSection : ISection<TagsSection>
{
    private static readonly Schema Keys = new("informer", "tags", "CLUSTER_TAGS", "tags.jsonConfig",
        [new("metric_ttl", SettingKind.Text), new("tags", SettingKind.Map)]);

    static Schema ISection<TagsSection>.Schema => Keys;

    public GoDuration MetricTtl { get; init; } = GoDuration.FromSeconds(30);

    /// <summary>Each is published as the metric <c>tag:&lt;key&gt;</c>; null when the file leaves them out.</summary>
    public IReadOnlyDictionary<string, string>? Tags { get; init; } = new Dictionary<string, string> { ["group"] = "default" };

    static TagsSection ISection<TagsSection>.CreateDefault(LoadingContext context) => new();

    TagsSection ISection<TagsSection>.Apply(RawSettings raw, LoadingContext context)
    {
        var section = this with { MetricTtl = raw.Duration("metric_ttl", "tags", MetricTtl), Tags = raw.Map("tags") };
        return section.MetricTtl <= GoDuration.Zero ? throw new ConfigurationException("tags.metric_ttl is invalid") : section;
    }

    RawSettings ISection<TagsSection>.ToRaw() => new() { ["metric_ttl"] = MetricTtl.ToString(), ["tags"] = Tags };
}
