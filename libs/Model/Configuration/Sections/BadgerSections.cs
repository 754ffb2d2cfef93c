namespace Cluster.Model.Configuration;

/// <summary>What both badger sections have in common: collecting of garbage in the store.</summary>
public abstract record BadgerSectionBase : DatastoreSection
{
    private protected static readonly Setting[] Collection =
    [
        new("gc_discard_ratio", SettingKind.Float), new("gc_interval", SettingKind.Text), new("gc_sleep", SettingKind.Text),
    ];

    private protected static RawSettings CreateRawWithCollection(IReadOnlyList<(string Key, object? Default)> defaults)
    {
        var raw = CreateRaw("badger_options", defaults);
        raw["gc_discard_ratio"] = 0.2;
        raw["gc_interval"] = GoDuration.FromMinutes(15).ToString();
        raw["gc_sleep"] = GoDuration.FromSeconds(10).ToString();
        return raw;
    }

    private protected DatastoreSection ApplyCollection(RawSettings raw, LoadingContext context)
    {
        var merged = Merge(Copy(), raw);
        foreach (var key in new[] { "gc_interval", "gc_sleep" })
            merged[key] = merged.Duration(key, Component, GoDuration.Zero).ToString();
        return merged.Float("gc_discard_ratio") is <= 0 or >= 1
            ? throw new ConfigurationException("gc_discard_ratio must be more than 0 and less than 1")
            : With(merged, context);
    }
}

/// <summary>The section <c>datastore.badger</c>.</summary>
public sealed record BadgerSection : BadgerSectionBase, ISection<BadgerSection>
{
    private static readonly (string Key, object? Default)[] Defaults =
    [
        ("dir", ""),
        ("value_dir", ""),
        ("sync_writes", true),
        ("table_loading_mode", 2L),
        ("value_log_loading_mode", 0L),
        ("num_versions_to_keep", 1L),
        ("max_table_size", 16_777_216L),
        ("level_size_multiplier", 10L),
        ("max_levels", 7L),
        ("value_threshold", 32L),
        ("num_memtables", 5L),
        ("num_level_zero_tables", 5L),
        ("num_level_zero_tables_stall", 10L),
        ("level_one_size", 268_435_456L),
        ("value_log_file_size", 1_073_741_823L),
        ("value_log_max_entries", 1_000_000L),
        ("num_compactors", 2L),
        ("compact_l_0_on_close", false),
        ("read_only", false),
        ("truncate", true),
    ];

    private static readonly Schema Keys = CreateSchema("badger", "badger_options", Defaults, Collection);

    static Schema ISection<BadgerSection>.Schema => Keys;

    public override string Component => "badger";

    internal override Schema KeysOfSection => Keys;

    static BadgerSection ISection<BadgerSection>.CreateDefault(LoadingContext context) =>
        (BadgerSection)new BadgerSection().With(CreateRawWithCollection(Defaults), context);

    BadgerSection ISection<BadgerSection>.Apply(RawSettings raw, LoadingContext context) => (BadgerSection)ApplyCollection(raw, context);

    RawSettings ISection<BadgerSection>.ToRaw() => Copy();
}

/// <summary>The section <c>datastore.badger3</c>.</summary>
public sealed record Badger3Section : BadgerSectionBase, ISection<Badger3Section>
{
    private static readonly (string Key, object? Default)[] Defaults =
    [
        ("dir", ""),
        ("value_dir", ""),
        ("sync_writes", false),
        ("num_versions_to_keep", 1L),
        ("read_only", false),
        ("compression", 0L),
        ("in_memory", false),
        ("metrics_enabled", true),
        ("num_goroutines", 8L),
        ("mem_table_size", 67_108_864L),
        ("base_table_size", 2_097_152L),
        ("base_level_size", 10_485_760L),
        ("level_size_multiplier", 10L),
        ("table_size_multiplier", 2L),
        ("max_levels", 7L),
        ("v_log_percentile", 0d),
        ("value_threshold", 100L),
        ("num_memtables", 5L),
        ("block_size", 4096L),
        ("bloom_false_positive", 0.01d),
        ("block_cache_size", 0L),
        ("index_cache_size", 0L),
        ("num_level_zero_tables", 5L),
        ("num_level_zero_tables_stall", 15L),
        ("value_log_file_size", 1_073_741_823L),
        ("value_log_max_entries", 1_000_000L),
        ("num_compactors", 4L),
        ("compact_l_0_on_close", false),
        ("lmax_compaction", false),
        ("zstd_compression_level", 1L),
        ("verify_value_checksum", false),
        ("checksum_verification_mode", 0L),
        ("detect_conflicts", false),
        ("namespace_offset", -1L),
    ];

    private static readonly Schema Keys = CreateSchema("badger3", "badger_options", Defaults, Collection);

    static Schema ISection<Badger3Section>.Schema => Keys;

    public override string Component => "badger3";

    internal override Schema KeysOfSection => Keys;

    static Badger3Section ISection<Badger3Section>.CreateDefault(LoadingContext context) =>
        (Badger3Section)new Badger3Section().With(CreateRawWithCollection(Defaults), context);

    Badger3Section ISection<Badger3Section>.Apply(RawSettings raw, LoadingContext context) => (Badger3Section)ApplyCollection(raw, context);

    RawSettings ISection<Badger3Section>.ToRaw() => Copy();
}
