using System.IO.Compression;
using System.Text.Json.Nodes;

namespace Crdt.Tests;

/// <summary>A recorded history of several replicas of the original (golden bytes/README, "CRDT histories").</summary>
internal sealed class History
{
    private History(JsonNode[] events)
    {
        Events = events;
        Meta = events[0];
        Keys = [.. Meta["keys"]!.AsArray().Select(key => key!["key"]!.GetValue<string>())];
        foreach (var block in events.Where(e => Kind(e) == "block").OrderBy(e => e["b"]!.GetValue<int>()))
            Blocks.Add(Convert.FromHexString(block["hex"]!.GetValue<string>()));
        Ids = [.. Blocks.Select(block => BlockId.Of(block))];
        foreach (var put in events.Where(e => e["value"] is not null))
            Values[put["v"]!.GetValue<int>()] = Convert.FromHexString(put["value"]!.GetValue<string>());
    }

    public JsonNode[] Events { get; }

    public JsonNode Meta { get; }

    public string[] Keys { get; }

    public List<byte[]> Blocks { get; } = [];

    public BlockId[] Ids { get; }

    public Dictionary<int, byte[]> Values { get; } = [];

    public static string Folder
    {
        get
        {
            var golden = Environment.GetEnvironmentVariable("GOLDEN");
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); golden is null && folder is not null; folder = folder.Parent)
                if (File.Exists(Path.Combine(folder.FullName, "Cluster.Micro.sln"))) golden = Path.Combine(folder.FullName, "tests", "golden");
            return Path.Combine(golden ?? throw new InvalidOperationException("No golden folder."), "bytes", "crdt-histories");
        }
    }

    public static IEnumerable<string> Files => Directory.EnumerateFiles(Folder, "*.jsonl.gz").Select(file => Path.GetFileName(file)).Order();

    public static string Kind(JsonNode e) => e["t"]!.GetValue<string>();

    public static History Read(string file)
    {
        using var gzip = new GZipStream(File.OpenRead(Path.Combine(Folder, file)), CompressionMode.Decompress);
        using var text = new StreamReader(gzip);
        return new History([.. text.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)]);
    }

    public static int[] Numbers(JsonNode e, string name) => e[name] is JsonArray list ? [.. list.Select(n => n!.GetValue<int>())] : [];
}
