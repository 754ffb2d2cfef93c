namespace Cluster.Model.Configuration;

/// <summary>The section <c>pin_tracker.stateless</c> (spec/config.md 3.7).</summary>
public sealed record StatelessSection : ISection<StatelessSection>
{
    private static readonly Schema Keys = new("pin_tracker", "stateless", "CLUSTER_STATELESS", "stateless.jsonConfig",
    [
        new("max_pin_queue_size", SettingKind.Integer, Hidden.WhenDefault),
        new("concurrent_pins", SettingKind.Integer),
        new("priority_pin_max_age", SettingKind.Text),
        new("priority_pin_max_retries", SettingKind.Integer),
    ]);

    static Schema ISection<StatelessSection>.Schema => Keys;

    public int MaxPinQueueSize { get; init; } = 1_000_000;

    public int ConcurrentPins { get; init; } = 10;

    /// <summary>Younger pins go before others.</summary>
    public GoDuration PriorityPinMaxAge { get; init; } = GoDuration.FromHours(24);

    /// <summary>With more attempts a pin loses its priority.</summary>
    public int PriorityPinMaxRetries { get; init; } = 5;

    static StatelessSection ISection<StatelessSection>.CreateDefault(LoadingContext context) => new();

    StatelessSection ISection<StatelessSection>.Apply(RawSettings raw, LoadingContext context)
    {
        var section = this with
        {
            MaxPinQueueSize = raw.IntOr("max_pin_queue_size", MaxPinQueueSize),
            ConcurrentPins = raw.IntOr("concurrent_pins", ConcurrentPins),
            PriorityPinMaxAge = raw.Duration("priority_pin_max_age", "stateless", PriorityPinMaxAge),
            PriorityPinMaxRetries = raw.IntOr("priority_pin_max_retries", PriorityPinMaxRetries),
        };
        var wrong = section switch
        {
            { MaxPinQueueSize: <= 0 } => "statelesstracker.max_pin_queue_size too low",
            { ConcurrentPins: <= 0 } => "statelesstracker.concurrent_pins is too low",
            { PriorityPinMaxAge.Nanoseconds: <= 0 } => "statelesstracker.priority_pin_max_age is too low",
            { PriorityPinMaxRetries: <= 0 } => "statelesstracker.priority_pin_max_retries is too low",
            _ => null,
        };
        return wrong is null ? section : throw new ConfigurationException(wrong);
    }

    RawSettings ISection<StatelessSection>.ToRaw() => new()
    {
        ["max_pin_queue_size"] = (long)MaxPinQueueSize,
        ["concurrent_pins"] = (long)ConcurrentPins,
        ["priority_pin_max_age"] = PriorityPinMaxAge.ToString(),
        ["priority_pin_max_retries"] = (long)PriorityPinMaxRetries,
    };
}

/// <summary>The section <c>monitor.pubsubmon</c> (spec/config.md 3.8).</summary>
public sealed record PubsubMonSection : ISection<PubsubMonSection>
{
    private static readonly Schema Keys = new("monitor", "pubsubmon", "CLUSTER_PUBSUBMON", "pubsubmon.jsonConfig",
        [new("check_interval", SettingKind.Text)]);

    static Schema ISection<PubsubMonSection>.Schema => Keys;

    /// <summary>How often metrics are looked through for expired ones.</summary>
    public GoDuration CheckInterval { get; init; } = GoDuration.FromSeconds(15);

    static PubsubMonSection ISection<PubsubMonSection>.CreateDefault(LoadingContext context) => new();

    PubsubMonSection ISection<PubsubMonSection>.Apply(RawSettings raw, LoadingContext context)
    {
        var interval = raw.DurationOrZero("check_interval");
        return interval <= GoDuration.Zero
            ? throw new ConfigurationException("pubsubmon.check_interval too low")
            : this with { CheckInterval = interval };
    }

    RawSettings ISection<PubsubMonSection>.ToRaw() => new() { ["check_interval"] = CheckInterval.ToString() };
}

/// <summary>The section <c>allocator.balanced</c> (spec/config.md 3.9).</summary>
public sealed record BalancedSection : ISection<BalancedSection>
{
    private static readonly Schema Keys = new("allocator", "balanced", "CLUSTER_BALANCED", "balanced.jsonConfig",
        [new("allocate_by", SettingKind.List)]);

    static Schema ISection<BalancedSection>.Schema => Keys;

    /// <summary>Names of metrics, the first one splits first.</summary>
    public IReadOnlyList<string> AllocateBy { get; init; } = ["tag:group", "freespace"];

    static BalancedSection ISection<BalancedSection>.CreateDefault(LoadingContext context) => new();

    BalancedSection ISection<BalancedSection>.Apply(RawSettings raw, LoadingContext context) =>
        raw.List("allocate_by") is { Count: > 0 } metrics ? this with { AllocateBy = metrics } : this;

    RawSettings ISection<BalancedSection>.ToRaw() => new() { ["allocate_by"] = AllocateBy };
}
