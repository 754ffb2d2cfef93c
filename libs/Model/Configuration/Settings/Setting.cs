namespace Cluster.Model.Configuration;

/// <summary>How a setting is written in JSON and in the environment.</summary>
internal enum SettingKind
{
    Text,
    Boolean,
    Integer,
    Unsigned,
    Float,

    /// <summary>An array of texts.</summary>
    List,

    /// <summary>One text or an array of them.</summary>
    TextOrList,

    /// <summary>An object of texts.</summary>
    Map,

    /// <summary>An object of arrays of texts.</summary>
    ListMap,

    /// <summary>An array of numbers.</summary>
    Floats,

    /// <summary>An object with settings of its own.</summary>
    Group,

    /// <summary>Any JSON, kept as it is.</summary>
    Json,
}

/// <summary>When a setting is left out of the written file.</summary>
internal enum Hidden
{
    Never,

    /// <summary>While it is empty, zero or false.</summary>
    WhenEmpty,

    /// <summary>While it has its default.</summary>
    WhenDefault,

    /// <summary>Read, but never written.</summary>
    Always,
}

/// <summary>A key of a section of <c>service.json</c>.</summary>
internal sealed record Setting(string Key, SettingKind Kind, Hidden Hidden = Hidden.Never)
{
    /// <summary>The keys inside of a <see cref="SettingKind.Group"/>.</summary>
    public IReadOnlyList<Setting> Members { get; init; } = [];

    /// <summary>The name that a group's type has in Go, for error texts.</summary>
    public string GoType { get; init; } = string.Empty;

    /// <summary>Replaced by <c>XXX_hidden_XXX</c> where the configuration is displayed.</summary>
    public bool Secret { get; init; }

    /// <summary>The name of the field in Go, for error texts of environment variables.</summary>
    public string GoField => string.Concat(Key.Split('_').Select(Word));

    /// <summary>The last part of its environment variable.</summary>
    public string EnvironmentName => Key.Replace("_", string.Empty, StringComparison.Ordinal).ToUpperInvariant();

    private static string Word(string word) => word switch
    {
        "id" => "ID",
        "http" or "https" or "ssl" or "cors" or "ipfs" or "mdns" or "ttl" or "gc" or "wal" or "l0" => word.ToUpperInvariant(),
        "" => string.Empty,
        _ => char.ToUpperInvariant(word[0]) + word[1..],
    };
}

/// <summary>The keys of a section, in the order in which they are written.</summary>
internal sealed record Schema(string Section, string Name, string EnvironmentPrefix, string GoType, IReadOnlyList<Setting> Settings);
