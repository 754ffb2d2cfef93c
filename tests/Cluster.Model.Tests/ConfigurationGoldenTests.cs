using System.Text.Json.Nodes;
using Cluster.Model.Configuration;
using Libp2p;

namespace Cluster.Model.Tests;

[Trait("Category", "Golden")]
public class ConfigurationGoldenTests
{
    private const string File = "cli/config.json";
    private const string Host = "the-host";
    private const string Folder = "/nowhere/config";

    [Fact]
    public void Every_row_of_the_table_resolves_as_recorded()
    {
        if (!Golden.Has(File))
            return;
        var table = Golden.Read(File).AsObject();
        Golden.All(table["rows"]!.AsArray().Select(row => row!.AsObject()), row => Golden.Of(row, "name")!, row => Check(table, row));
    }

    [Fact]
    public void Every_base_resolves_as_recorded()
    {
        if (!Golden.Has(File))
            return;
        var table = Golden.Read(File).AsObject();
        Golden.All(table["bases"]!.AsObject(), item => item.Key, item =>
        {
            var loaded = ConfigurationLoader.Load(item.Value!.ToJsonString(), Surroundings([]));
            return Resolved(loaded, table["resolvedBases"]![item.Key]!.AsObject(), new JsonObject());
        });
    }

    [Fact]
    public void A_generated_file_is_written_again_as_it_was() => Golden.All(
        new[] { "crdt", "raft", "badger", "badger3", "leveldb" }.Select(name => $"files/service.{name}.json").Where(Golden.Has), file => file, file =>
        {
            var text = Golden.Text(file);
            return Golden.Compare(text, ConfigurationLoader.Load(text, Surroundings([])).ToJson());
        });

    [Fact]
    public void A_new_configuration_is_the_one_that_the_original_generates() => Golden.All(
        new[] { ("crdt", "crdt", "pebble"), ("raft", "raft", "pebble"), ("badger", "crdt", "badger"), ("badger3", "crdt", "badger3"), ("leveldb", "crdt", "leveldb") }
            .Where(item => Golden.Has($"files/service.{item.Item1}.json")),
        item => item.Item1,
        item =>
        {
            var environment = new Dictionary<string, string>
            {
                ["CLUSTER_SECRET"] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", ["CLUSTER_PEERNAME"] = "node",
            };
            var created = ConfigurationTemplate.Create(item.Item2, item.Item3, new byte[32], Surroundings(environment));
            return Golden.Compare(Golden.Text($"files/service.{item.Item1}.json"), created.ToJson());
        });

    private static string? Check(JsonObject table, JsonObject row)
    {
        var text = Golden.Of(row, "text") ?? Patched(table["bases"]![Golden.Of(row, "base")!]!, row["patch"]?.AsObject()).ToJsonString();
        var environment = (row["env"]?.AsObject() ?? []).ToDictionary(e => e.Key, e => e.Value!.GetValue<string>());
        var expectedError = Golden.Of(row, "error")?.Replace("<dir>", Folder);
        ClusterConfiguration loaded;
        Identity identity;
        try
        {
            loaded = ConfigurationLoader.SourceOf(text) is { } source
                ? throw new ConfigurationException("could not fetch configuration from source: " + source)
                : ConfigurationLoader.Load(text, Surroundings(environment));
            identity = row.ContainsKey("identity") && row["identity"] is null
                ? ClusterIdentity.ApplyEnvironment(ClusterIdentity.Extract(text), environment)
                : ClusterIdentity.Load(table["identity"]!.ToJsonString(), "identity.json", environment);
        }
        catch (ConfigurationException e)
        {
            return Golden.Compare(expectedError, e.Message, "error") ?? Golden.Compare(Log(row), string.Join("\n", e.Log.Where(Shown).Select(Line)), "log");
        }

        if (expectedError is not null)
            return "accepted, expected " + expectedError;
        if (Golden.Of(row, "id") is { } id && identity.Id.ToString() != id)
            return "identity " + identity.Id;
        if (row["identityWritten"] is { } written && !JsonNode.DeepEquals(written, JsonNode.Parse(identity.ToJson())))
            return "identity " + identity.ToJson();
        return Resolved(loaded, table["resolvedBases"]![Golden.Of(row, "base") ?? "crdt"]!.AsObject(), row)
            ?? Golden.Compare(Log(row), string.Join("\n", loaded.Log.Where(Shown).Select(Line)), "log");
    }

    // The table holds what shows at the default level of the facility, which for raft is ERROR.
    private static bool Shown(ConfigurationLogLine line) => line.Level == "ERROR" || line.Facility != "raft";

    private static string Line(ConfigurationLogLine line) => $"{line.Level} {line.Facility}: {line.Message}";

    private static string Log(JsonObject row) =>
        string.Join("\n", (row["log"]?.AsArray() ?? []).Select(line => line!.GetValue<string>().Replace("<dir>", Folder)));

    private static string? Resolved(ClusterConfiguration loaded, JsonObject resolvedBase, JsonObject row)
    {
        var expected = resolvedBase["config"]!.DeepClone();
        foreach (var (path, value) in row["changed"]?.AsObject() ?? [])
        {
            var at = expected;
            var parts = path.Split('.');
            foreach (var part in parts[..^1])
                at = at[part] ??= new JsonObject();
            at[parts[^1]] = value?.DeepClone();
        }

        var actual = JsonNode.Parse(loaded.ToCompleteJson());
        var hidden = Hidden(loaded);
        var expectedHidden = resolvedBase["hidden"]!.DeepClone();
        foreach (var (key, value) in row["changedHidden"]?.AsObject() ?? [])
            expectedHidden[key] = value?.DeepClone();
        // Leveldb etc. are named by their folders in there.
        return Difference(Normal(expected), actual, string.Empty)
            ?? Difference(Normal(expectedHidden), hidden, "hidden")
            ?? Golden.Compare(Texts(row["runs"] ?? resolvedBase["runs"]), string.Join(",", Runs(loaded)), "runs")
            ?? Golden.Compare(Golden.Of(row, "consensus") ?? Golden.Of(resolvedBase, "consensus"), loaded.Consensus, "consensus")
            ?? Golden.Compare(Golden.Of(row, "datastore") ?? Golden.Of(resolvedBase, "datastore"), loaded.Datastore, "datastore");
    }

    private static IEnumerable<string> Runs(ClusterConfiguration loaded) => loaded.Present
        .Where(c => c.Split('.')[0] is "allocator" or "api" or "consensus" or "datastore" or "informer").Order(StringComparer.Ordinal);

    private static string Texts(JsonNode? list) => string.Join(",", list!.AsArray().Select(item => item!.GetValue<string>()));

    private static JsonNode Normal(JsonNode node) => JsonNode.Parse(node.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })
        .Replace("<hostname>", Host).Replace("<dir>", Folder))!;

    private static JsonObject Hidden(ClusterConfiguration c) => new()
    {
        ["badger.folder"] = c.Badger.FolderPath,
        ["badger3.folder"] = c.Badger3.FolderPath,
        ["cluster.follower_mode"] = c.Cluster.FollowerMode,
        ["cluster.peerstore_file"] = c.Cluster.PeerstorePath,
        ["crdt.batching.max_queue_size"] = c.Crdt.Batching.MaxQueueSize,
        ["crdt.cluster_name"] = c.Crdt.ClusterName,
        ["crdt.datastore_namespace"] = c.Crdt.DatastoreNamespace,
        ["crdt.peerset_metric"] = c.Crdt.PeersetMetric,
        ["crdt.rebroadcast_interval"] = c.Crdt.RebroadcastInterval.ToString(),
        ["crdt.trust_all"] = c.Crdt.TrustAll,
        ["ipfsproxy.extract_headers_path"] = c.IpfsProxy.ExtractHeadersPath,
        ["ipfsproxy.extract_headers_ttl"] = c.IpfsProxy.ExtractHeadersTtl.ToString(),
        ["ipfsproxy.node_https"] = c.IpfsProxy.NodeHttps,
        ["leveldb.folder"] = c.LevelDb.FolderPath,
        ["pebble.folder"] = c.Pebble.FolderPath,
        ["pubsub.seen_messages_ttl"] = c.Cluster.Pubsub.SeenMessagesTtl.ToString(),
        ["raft.data_folder"] = c.Raft.DataPath,
        ["raft.datastore_namespace"] = c.Raft.DatastoreNamespace,
        ["restapi.tls"] = c.RestApi.Tls is not null,
        ["stateless.max_pin_queue_size"] = c.Stateless.MaxPinQueueSize,
    };

    private static string? Difference(JsonNode? expected, JsonNode? actual, string path)
    {
        if (expected is JsonObject e && actual is JsonObject a)
        {
            foreach (var key in e.Select(m => m.Key).Union(a.Select(m => m.Key)))
            {
                if (!e.ContainsKey(key) || !a.ContainsKey(key))
                    return $"{path}.{key}: {(e.ContainsKey(key) ? "missing" : "too much")} {e[key]?.ToJsonString()}{a[key]?.ToJsonString()}";
                if (Difference(e[key], a[key], path + "." + key) is { } wrong)
                    return wrong;
            }

            return null;
        }

        return expected?.ToJsonString() == actual?.ToJsonString() || JsonNode.DeepEquals(expected, actual)
            ? null
            : $"{path}: expected {expected?.ToJsonString() ?? "null"}, actual {actual?.ToJsonString() ?? "null"}";
    }

    private static JsonNode Patched(JsonNode source, JsonObject? patch)
    {
        var patched = source.DeepClone();
        foreach (var (path, value) in patch ?? [])
        {
            var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
            var at = patched;
            foreach (var part in parts[..^1])
                at = at[part] ??= new JsonObject();
            if (value is JsonValue text && text.TryGetValue<string>(out var word) && word == "<delete>")
                at.AsObject().Remove(parts[^1]);
            else
                at[parts[^1]] = value?.DeepClone();
        }

        return patched;
    }

    private static ConfigurationSurroundings Surroundings(Dictionary<string, string> environment) => new()
    {
        Folder = Folder, Environment = environment, HostName = Host, ReadFile = System.IO.File.ReadAllBytes,
    };
}
