using System.Text.Json;

namespace Cluster.Model.Configuration;

/// <summary>A section of <c>service.json</c>: a strongly typed record that can be made from raw settings and turned into them.</summary>
internal interface ISection<TSelf>
    where TSelf : ISection<TSelf>
{
    static abstract Schema Schema { get; }

    /// <summary>The values of a section that is not in the file.</summary>
    static abstract TSelf CreateDefault(LoadingContext context);

    /// <summary>The section with raw settings put over this one, checked.</summary>
    /// <exception cref="ConfigurationException">A setting is wrong.</exception>
    TSelf Apply(RawSettings raw, LoadingContext context);

    RawSettings ToRaw();
}

/// <summary>What sections need from outside while they load.</summary>
internal sealed class LoadingContext(ConfigurationSurroundings surroundings)
{
    public ConfigurationSurroundings Surroundings { get; } = surroundings;

    public List<ConfigurationLogLine> Log { get; } = [];

    /// <summary>A name of the file is relative to the configuration folder.</summary>
    public string InFolder(string name) =>
        name.StartsWith('/') ? name : Surroundings.Folder.TrimEnd('/') + (name.Length == 0 ? string.Empty : "/" + name);
}

/// <summary>Reading of sections.</summary>
internal static class SectionLoading
{
    /// <summary>The section as the file has it; defaults where it is absent or <c>null</c>.</summary>
    public static T Load<T>(JsonElement? json, LoadingContext context)
        where T : ISection<T>
    {
        var defaults = T.CreateDefault(context);
        if (json is not { ValueKind: not JsonValueKind.Null } present)
            return defaults;
        RawSettings raw;
        try
        {
            raw = SettingsReader.Read(T.Schema, present);
        }
        catch (ConfigurationException e)
        {
            throw T.Schema.Name switch
            {
                // The original drops the cause here.
                "crdt" => new ConfigurationException("error unmarshaling crdt config", e),
                _ => e,
            };
        }

        return defaults.Apply(raw, context);
    }

    /// <summary>The section with environment variables put over it.</summary>
    public static T ApplyEnvironment<T>(T section, LoadingContext context)
        where T : ISection<T>
    {
        var raw = section.ToRaw();
        return SettingsEnvironment.Overwrite(T.Schema, raw, context.Surroundings.Environment) ? section.Apply(raw, context) : section;
    }
}
