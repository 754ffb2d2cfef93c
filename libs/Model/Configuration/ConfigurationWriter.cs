namespace Cluster.Model.Configuration;

/// <summary>Writes a configuration in the original's order: sections as in spec/config.md 2.2, components by name.</summary>
internal static class ConfigurationWriter
{
    private static readonly string[] Sections =
    [
        "consensus", "api", "ipfs_connector", "state", "pin_tracker", "monitor", "allocator", "informer", "observations", "datastore",
    ];

    public static string Write(ClusterConfiguration configuration, bool everything, bool display)
    {
        var writer = new SettingsWriter(display);
        writer.Open('{');
        if (configuration.Source is { Length: > 0 } source && !everything)
        {
            writer.Name("source");
            writer.Text(source);
            writer.Close('}');
            return writer.ToString();
        }

        var defaults = ConfigurationLoader.Defaults(new ConfigurationSurroundings { Folder = configuration.Folder });
        writer.Name("cluster");
        Section(writer, configuration.Cluster, defaults.Cluster);
        foreach (var section in Sections)
        {
            var components = Components(configuration, defaults)
                .Where(c => c.Section == section && (everything || configuration.Runs($"{c.Section}.{c.Component}")))
                .Concat(configuration.Unknown.Where(u => u.Section == section)
                    .Select(u => (u.Section, u.Component, Write: (Action<SettingsWriter>)(w => w.Json(u.Json)))))
                .OrderBy(c => c.Component, StringComparer.Ordinal)
                .ToArray();
            if (components.Length == 0)
                continue;
            writer.Name(section);
            writer.Open('{');
            foreach (var (_, component, write) in components)
            {
                writer.Name(component);
                write(writer);
            }

            writer.Close('}');
        }

        writer.Close('}');
        return writer.ToString();
    }

    private static IEnumerable<(string Section, string Component, Action<SettingsWriter> Write)> Components(
        ClusterConfiguration configuration, ClusterConfiguration defaults)
    {
        yield return Of(configuration.Crdt, defaults.Crdt);
        yield return Of(configuration.Raft, defaults.Raft);
        yield return Of(configuration.RestApi, defaults.RestApi);
        yield return Of(configuration.PinSvcApi, defaults.PinSvcApi);
        yield return Of(configuration.IpfsProxy, defaults.IpfsProxy);
        yield return Of(configuration.IpfsHttp, defaults.IpfsHttp);
        yield return Of(configuration.Stateless, defaults.Stateless);
        yield return Of(configuration.PubsubMon, defaults.PubsubMon);
        yield return Of(configuration.Balanced, defaults.Balanced);
        yield return Of(configuration.Disk, defaults.Disk);
        yield return Of(configuration.PinQueue, defaults.PinQueue);
        yield return Of(configuration.Tags, defaults.Tags);
        yield return Of(configuration.Metrics, defaults.Metrics);
        yield return Of(configuration.Tracing, defaults.Tracing);
        yield return Of(configuration.Pebble, defaults.Pebble);
        yield return Of(configuration.Badger, defaults.Badger);
        yield return Of(configuration.Badger3, defaults.Badger3);
        yield return Of(configuration.LevelDb, defaults.LevelDb);
    }

    private static (string, string, Action<SettingsWriter>) Of<T>(T section, T defaults)
        where T : ISection<T> => (T.Schema.Section, T.Schema.Name, writer => Section(writer, section, defaults));

    private static void Section<T>(SettingsWriter writer, T section, T defaults)
        where T : ISection<T> => writer.Section(T.Schema, section.ToRaw(), defaults.ToRaw());
}
