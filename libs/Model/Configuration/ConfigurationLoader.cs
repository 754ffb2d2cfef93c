using System.Text;
using System.Text.Json;

namespace Cluster.Model.Configuration;

/// <summary>
/// Loads <c>service.json</c> in the original's order (spec/config.md 2): the file must be valid by itself, then environment variables are
/// put over every section, which is checked again.
/// </summary>
public static class ConfigurationLoader
{
    private static readonly string[] Sections =
    [
        "consensus", "api", "ipfs_connector", "state", "pin_tracker", "monitor", "allocator", "informer", "observations", "datastore",
    ];

    /// <summary>
    /// The URL from which the configuration is to be fetched instead, when the file names one; else null. A caller fetches it and hands
    /// the text to <see cref="LoadFetched"/>.
    /// </summary>
    /// <exception cref="ConfigurationException">The text is no JSON object.</exception>
    public static string? SourceOf(string json)
    {
        using var document = Parse(json);
        return SourceOf(document.RootElement);
    }

    /// <summary>Loads the text of the file, with the environment.</summary>
    /// <exception cref="ConfigurationException">The text that follows <c>error loading configurations: </c>.</exception>
    public static ClusterConfiguration Load(string json, ConfigurationSurroundings surroundings)
    {
        ArgumentNullException.ThrowIfNull(surroundings);
        using var document = Parse(json);
        return LoadRoot(document.RootElement, surroundings, source: null);
    }

    /// <summary>Loads a text that was fetched from <paramref name="source"/>; relative names still resolve against the local folder.</summary>
    public static ClusterConfiguration LoadFetched(string json, string source, ConfigurationSurroundings surroundings)
    {
        ArgumentNullException.ThrowIfNull(surroundings);
        using var document = Parse(json);
        if (SourceOf(document.RootElement) is not null)
            throw new ConfigurationException("a sourced configuration cannot point to another source");
        return LoadRoot(document.RootElement, surroundings, source);
    }

    /// <summary>All defaults, nothing present, no environment.</summary>
    public static ClusterConfiguration Defaults(ConfigurationSurroundings surroundings)
    {
        var context = new LoadingContext(surroundings);
        return Build(context, _ => null, []);
    }

    /// <summary>Puts environment variables over a configuration, as at a start and at <c>init</c>.</summary>
    /// <exception cref="ConfigurationException">A variable cannot be used.</exception>
    public static ClusterConfiguration ApplyEnvironment(ClusterConfiguration configuration, ConfigurationSurroundings surroundings)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var context = new LoadingContext(surroundings);
        if (!surroundings.Environment.Keys.Any(key => key.StartsWith("CLUSTER_", StringComparison.Ordinal)))
            return configuration;
        return configuration with
        {
            Cluster = SectionLoading.ApplyEnvironment(configuration.Cluster, context),
            Crdt = SectionLoading.ApplyEnvironment(configuration.Crdt, context),
            Raft = SectionLoading.ApplyEnvironment(configuration.Raft, context),
            RestApi = SectionLoading.ApplyEnvironment(configuration.RestApi, context),
            PinSvcApi = SectionLoading.ApplyEnvironment(configuration.PinSvcApi, context),
            IpfsProxy = SectionLoading.ApplyEnvironment(configuration.IpfsProxy, context),
            IpfsHttp = SectionLoading.ApplyEnvironment(configuration.IpfsHttp, context),
            Stateless = SectionLoading.ApplyEnvironment(configuration.Stateless, context),
            PubsubMon = SectionLoading.ApplyEnvironment(configuration.PubsubMon, context),
            Balanced = SectionLoading.ApplyEnvironment(configuration.Balanced, context),
            Disk = SectionLoading.ApplyEnvironment(configuration.Disk, context),
            PinQueue = SectionLoading.ApplyEnvironment(configuration.PinQueue, context),
            Tags = SectionLoading.ApplyEnvironment(configuration.Tags, context),
            Metrics = SectionLoading.ApplyEnvironment(configuration.Metrics, context),
            Tracing = SectionLoading.ApplyEnvironment(configuration.Tracing, context),
            Pebble = SectionLoading.ApplyEnvironment(configuration.Pebble, context),
            Badger = SectionLoading.ApplyEnvironment(configuration.Badger, context),
            Badger3 = SectionLoading.ApplyEnvironment(configuration.Badger3, context),
            LevelDb = SectionLoading.ApplyEnvironment(configuration.LevelDb, context),
            Log = [.. configuration.Log, .. context.Log],
        };
    }

    internal static JsonDocument Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        JsonDocument document;
        try
        {
            document = GoJsonSyntax.Parse(Encoding.UTF8.GetBytes(json));
        }
        catch (FormatException e)
        {
            throw BadJson(e.Message);
        }

        if (document.RootElement.ValueKind is JsonValueKind.Object or JsonValueKind.Null)
            return document;
        var kind = GoJsonFields.KindOf(document.RootElement);
        document.Dispose();
        throw BadJson($"json: cannot unmarshal {kind} into Go value of type config.jsonConfig");

        static ConfigurationException BadJson(string reason) =>
            new(reason) { Log = [new("ERROR", "config", "error parsing JSON: " + reason)] };
    }

    /// <summary>A top-level member; names match without case, the last of equal ones wins.</summary>
    internal static JsonElement? Member(JsonElement root, string name)
    {
        JsonElement? found = null;
        if (root.ValueKind != JsonValueKind.Object)
            return null;
        foreach (var member in root.EnumerateObject())
        {
            if (GoJsonText.NameOf(member).Equals(name, StringComparison.OrdinalIgnoreCase))
                found = member.Value;
        }

        return found is { ValueKind: not JsonValueKind.Null } ? found : null;
    }

    private static string? SourceOf(JsonElement root) =>
        Member(root, "source") is { ValueKind: JsonValueKind.String } source && GoJsonText.Of(source) is { Length: > 0 } url ? url : null;

    private static ClusterConfiguration LoadRoot(JsonElement root, ConfigurationSurroundings surroundings, string? source)
    {
        var context = new LoadingContext(surroundings);
        var components = new Dictionary<(string, string), JsonElement>();
        var unknown = new List<(string, string, JsonElement)>();
        foreach (var section in Sections)
        {
            if (Member(root, section) is not { } json)
                continue;
            if (json.ValueKind != JsonValueKind.Object)
            {
                throw new ConfigurationException(
                    $"json: cannot unmarshal {GoJsonFields.KindOf(json)} into Go struct field jsonConfig.{section} of type config.jsonSection");
            }

            foreach (var component in json.EnumerateObject())
            {
                if (component.Value.ValueKind == JsonValueKind.Null)
                    components.Remove((section, component.Name));
                else
                    components[(section, component.Name)] = component.Value;
            }
        }

        if (Member(root, "cluster") is not { } cluster)
            throw new ConfigurationException("cluster section failed to validate: cluster.listen_multiaddress is undefined");

        var known = KnownComponents;
        foreach (var ((section, component), json) in components)
        {
            if (!known.Contains(section + "." + component))
                unknown.Add((section, component, json.Clone()));
        }

        var configuration = Build(
            context,
            schema => schema.Name == "cluster" ? cluster : components.TryGetValue((schema.Section, schema.Name), out var json) ? json : null,
            unknown) with
        {
            Source = source,
            Present = components.Keys.Select(key => $"{key.Item1}.{key.Item2}").Where(known.Contains).ToHashSet(StringComparer.Ordinal),
        };
        return ApplyEnvironment(configuration, surroundings);
    }

    private static readonly HashSet<string> KnownComponents =
    [
        "consensus.crdt", "consensus.raft", "api.restapi", "api.pinsvcapi", "api.ipfsproxy", "ipfs_connector.ipfshttp", "pin_tracker.stateless",
        "monitor.pubsubmon", "allocator.balanced", "informer.disk", "informer.pinqueue", "informer.tags", "observations.metrics",
        "observations.tracing", "datastore.pebble", "datastore.badger", "datastore.badger3", "datastore.leveldb",
    ];

    private static ClusterConfiguration Build(
        LoadingContext context, Func<Schema, JsonElement?> json, IReadOnlyList<(string, string, JsonElement)> unknown)
    {
        return new ClusterConfiguration
        {
            Folder = context.Surroundings.Folder,
            Cluster = Load<ClusterSection>(),
            Crdt = Load<CrdtSection>(),
            Raft = Load<RaftSection>(),
            RestApi = Load<RestApiSection>(),
            PinSvcApi = Load<PinSvcApiSection>(),
            IpfsProxy = Load<IpfsProxySection>(),
            IpfsHttp = Load<IpfsHttpSection>(),
            Stateless = Load<StatelessSection>(),
            PubsubMon = Load<PubsubMonSection>(),
            Balanced = Load<BalancedSection>(),
            Disk = Load<DiskSection>(),
            PinQueue = Load<PinQueueSection>(),
            Tags = Load<TagsSection>(),
            Metrics = Load<MetricsSection>(),
            Tracing = Load<TracingSection>(),
            Pebble = Load<PebbleSection>(),
            Badger = Load<BadgerSection>(),
            Badger3 = Load<Badger3Section>(),
            LevelDb = Load<LevelDbSection>(),
            Unknown = unknown,
            Log = context.Log,
        };

        T Load<T>()
            where T : ISection<T>
        {
            try
            {
                return SectionLoading.Load<T>(json(T.Schema), context);
            }
            catch (ConfigurationException e)
            {
                throw new ConfigurationException(e.Message, e) { Log = [.. context.Log, .. Logged(T.Schema, e.Message)] };
            }
        }
    }

    // What the original says about a bad section before it gives up.
    private static IEnumerable<ConfigurationLogLine> Logged(Schema schema, string message)
    {
        var wrongKind = message.StartsWith("json: ", StringComparison.Ordinal);
        if (schema.Name == "cluster")
            return wrongKind ? [new("ERROR", "cluster", "Error unmarshaling cluster config")] : [];
        ConfigurationLogLine line = new("ERROR", "config", message.TrimEnd('\n'));
        return wrongKind && schema.GoType == "common.jsonConfig"
            ? [new("ERROR", schema.Name, schema.Name + ": error unmarshaling config"), line]
            : [line];
    }
}
