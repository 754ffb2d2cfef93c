using System.Text.Json;

namespace Cluster.Model.Configuration;

/// <summary>
/// A section of <c>datastore</c> (spec/config.md 3.12). The store of this program is another one: the options of the original's engines are
/// read, checked, merged over their defaults and written back, so that a file can go back and forth, and have no other effect.
/// </summary>
public abstract record DatastoreSection
{
    private RawSettings _raw = new();

    /// <summary><c>pebble</c>, <c>badger</c>, <c>badger3</c> or <c>leveldb</c>.</summary>
    public abstract string Component { get; }

    /// <summary>As written in the file; empty for the default.</summary>
    public string Folder => _raw.Text("folder");

    /// <summary>Full name of the folder.</summary>
    public string FolderPath { get; private init; } = string.Empty;

    internal abstract Schema KeysOfSection { get; }

    internal static Schema CreateSchema(string component, string options, IReadOnlyList<(string Key, object? Default)> defaults, params Setting[] before) =>
        new("datastore", component, "CLUSTER_" + component.ToUpperInvariant(), component + ".jsonConfig",
        [
            new("folder", SettingKind.Text, Hidden.WhenEmpty),
            .. before,
            new(options, SettingKind.Group)
            {
                GoType = options,
                Members = [.. defaults.Select(option => new Setting(option.Key, KindOf(option.Key, option.Default)))],
            },
        ]);

    internal static RawSettings CreateRaw(string options, IReadOnlyList<(string Key, object? Default)> defaults)
    {
        var raw = new RawSettings { [options] = true };
        foreach (var (key, value) in defaults)
            raw[options + "." + key] = value;
        return raw;
    }

    internal DatastoreSection With(RawSettings raw, LoadingContext context) => this with
    {
        _raw = raw,
        FolderPath = context.InFolder(raw.TextOr("folder", Component)),
    };

    internal RawSettings Copy() => Merge(new RawSettings(), _raw, always: true);

    /// <summary>What is not zero, false or empty goes over what was there; so the original merges.</summary>
    internal RawSettings Merge(RawSettings target, RawSettings source, bool always = false)
    {
        foreach (var setting in KeysOfSection.Settings)
        {
            if (setting.Kind != SettingKind.Group)
            {
                Put(setting.Key);
                continue;
            }

            target[setting.Key] = true;
            foreach (var member in setting.Members)
                Put(setting.Key + "." + member.Key);
        }

        return target;

        void Put(string path)
        {
            var value = source[path];
            // The loading modes of badger are the exception: their 0 counts.
            var counts = path.EndsWith("_loading_mode", StringComparison.Ordinal) && source.Has(path);
            if (always || counts || value is not (null or "" or false or 0L or 0UL or 0d))
                target[path] = value;
        }
    }

    private static SettingKind KindOf(string key, object? value) => value switch
    {
        bool => SettingKind.Boolean,
        string => SettingKind.Text,
        double => SettingKind.Float,
        long => SettingKind.Integer,
        JsonElement => SettingKind.Json,
        _ => key == "levels" ? SettingKind.Json : SettingKind.Floats,
    };
}

/// <summary>The section <c>datastore.pebble</c>.</summary>
public sealed record PebbleSection : DatastoreSection, ISection<PebbleSection>
{
    private const int LevelCount = 7;
    private const string Levels = "pebble_options.levels";

    private static readonly (string Key, object? Default)[] Defaults =
    [
        ("cache_size_bytes", 1_073_741_824L),
        ("bytes_per_sync", 1_048_576L),
        ("disable_wal", false),
        ("flush_delay_delete_range", 0L),
        ("flush_delay_range_key", 0L),
        ("flush_split_bytes", 4_194_304L),
        ("format_major_version", 24L),
        ("l0_compaction_file_threshold", 750L),
        ("l0_compaction_threshold", 4L),
        ("l0_stop_writes_threshold", 12L),
        ("l_base_max_bytes", 134_217_728L),
        ("max_open_files", 1000L),
        ("mem_table_size", 67_108_864L),
        ("mem_table_stop_writes_threshold", 20L),
        ("read_only", false),
        ("wal_bytes_per_sync", 0L),
        ("levels", null),
    ];

    private static readonly Schema Keys = CreateSchema("pebble", "pebble_options", Defaults);

    private static readonly Lazy<JsonElement> DefaultLevels = new(() =>
        Json(Enumerable.Range(0, LevelCount).Select(i => Level(16, 4096, 90, 10, 4096, 4_194_304L << i))));

    static Schema ISection<PebbleSection>.Schema => Keys;

    public override string Component => "pebble";

    internal override Schema KeysOfSection => Keys;

    static PebbleSection ISection<PebbleSection>.CreateDefault(LoadingContext context) =>
        (PebbleSection)new PebbleSection().With(CreateRaw("pebble_options", Defaults), context);

    PebbleSection ISection<PebbleSection>.Apply(RawSettings raw, LoadingContext context)
    {
        if (raw[Levels] is JsonElement levels)
            raw[Levels] = levels.ValueKind == JsonValueKind.Array && levels.GetArrayLength() > 0 ? Completed(levels) : null;
        var merged = Merge(Copy(), raw);
        var version = merged.Integer("pebble_options.format_major_version");
        return version is < 13 or > 24
            ? throw new ConfigurationException($"FormatMajorVersion ({version}) must be between 13 and 24\n")
            : (PebbleSection)With(merged, context);
    }

    RawSettings ISection<PebbleSection>.ToRaw()
    {
        var raw = Copy();
        raw[Levels] ??= DefaultLevels.Value;
        return raw;
    }

    // The levels that are not given take the block size and the filter of the library, nothing else.
    private static JsonElement Completed(JsonElement levels) => Json(Enumerable.Range(0, LevelCount).Select(i =>
    {
        if (i >= levels.GetArrayLength() || levels[i].ValueKind != JsonValueKind.Object)
            return Level(0, 4096, 0, 10, 0, 0);
        var level = levels[i];
        return Level(
            Of("block_restart_interval"), Of("block_size"), Of("block_size_threshold"), Of("filter_policy"), Of("index_block_size"),
            Of("target_file_size"));

        long Of(string key) => level.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetInt64(out var number) ? number : 0;
    }));

    private static string Level(long restart, long blockSize, long threshold, long filter, long indexBlock, long targetFile) =>
        $$"""
        {"block_restart_interval":{{restart}},"block_size":{{blockSize}},"block_size_threshold":{{threshold}},"compression":1,
        "filter_type":0,"filter_policy":{{filter}},"index_block_size":{{indexBlock}},"target_file_size":{{targetFile}}}
        """;

    private static JsonElement Json(IEnumerable<string> levels)
    {
        using var document = JsonDocument.Parse("[" + string.Join(',', levels) + "]");
        return document.RootElement.Clone();
    }
}

/// <summary>The section <c>datastore.leveldb</c>.</summary>
public sealed record LevelDbSection : DatastoreSection, ISection<LevelDbSection>
{
    private static readonly (string Key, object? Default)[] Defaults =
    [
        ("block_cache_capacity", 0L),
        ("block_cache_evict_removed", false),
        ("block_restart_interval", 0L),
        ("block_size", 0L),
        ("compaction_expand_limit_factor", 0L),
        ("compaction_gp_overlaps_factor", 0L),
        ("compaction_l0_trigger", 0L),
        ("compaction_source_limit_factor", 0L),
        ("compaction_table_size", 0L),
        ("compaction_table_size_multiplier", 0d),
        ("compaction_table_size_multiplier_per_level", null),
        ("compaction_total_size", 0L),
        ("compaction_total_size_multiplier", 0d),
        ("compaction_total_size_multiplier_per_level", null),
        ("compression", 0L),
        ("disable_buffer_pool", false),
        ("disable_block_cache", false),
        ("disable_compaction_backoff", false),
        ("disable_large_batch_transaction", false),
        ("iterator_sampling_rate", 0L),
        ("no_sync", false),
        ("no_write_merge", false),
        ("open_files_cache_capacity", 0L),
        ("read_only", false),
        ("strict", 0L),
        ("write_buffer", 0L),
        ("write_l0_pause_trigger", 0L),
        ("write_l0_slowdown_trigger", 0L),
    ];

    private static readonly Schema Keys = CreateSchema("leveldb", "leveldb_options", Defaults);

    static Schema ISection<LevelDbSection>.Schema => Keys;

    public override string Component => "leveldb";

    internal override Schema KeysOfSection => Keys;

    static LevelDbSection ISection<LevelDbSection>.CreateDefault(LoadingContext context) =>
        (LevelDbSection)new LevelDbSection().With(CreateRaw("leveldb_options", Defaults), context);

    LevelDbSection ISection<LevelDbSection>.Apply(RawSettings raw, LoadingContext context) =>
        (LevelDbSection)With(Merge(Copy(), raw), context);

    RawSettings ISection<LevelDbSection>.ToRaw() => Copy();
}
