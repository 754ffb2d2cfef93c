using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Web;

namespace Ipld.Tests.Import;

/// <summary>The uploads of the REST transcripts, as far as the importer decides the answer.</summary>
[Trait("Category", "Golden")]
public sealed partial class RestAddGoldenTests
{
    // Refusals by the cluster (allocation, pin options), which is not under test here.
    private static readonly string[] ClusterErrors = ["not enough peers to allocate", "cluster.replication_factor", "pin.ExpireAt"];

    [Fact]
    public async Task Every_recorded_upload_gives_the_recorded_objects_or_error()
    {
        var failures = new List<string>();
        var folder = Path.Combine("http", "rest");
        foreach (var file in Golden.Files(folder, "add-*.json"))
        {
            foreach (var step in Golden.Cases(Path.Combine("http", "rest", Path.GetFileName(file)), "steps"))
            {
                if (Expectation(step) is not { } expected)
                {
                    continue;
                }

                var actual = await AddAsync((string)step["request"]!["path"]!, step["request"]!["multipart"]!["parts"]!.AsArray());
                if (expected != actual)
                {
                    failures.Add($"{Path.GetFileName(file)} {step["name"]}: expected\n{expected}\nwas\n{actual}");
                }
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    private static string? Expectation(JsonObject step)
    {
        if (step["request"]?["multipart"]?["parts"] is not JsonArray || ((string)step["request"]!["path"]!).Split('?')[0] != "/add"
            || step["response"] is not JsonObject response || response["status"] is not { } status || (int)status is not (200 or 500) || response["aborted"] is not null)
        {
            return null;
        }

        var objects = response["ndjson"] as JsonArray ?? response["json"] as JsonArray ?? [];
        var error = (string?)(response["json"] as JsonObject)?["message"] ?? (string?)response["trailers"]?.AsArray().FirstOrDefault()?[1] ?? "";
        if (ClusterErrors.Any(e => error.Contains(e, StringComparison.Ordinal)) || error.Contains('<', StringComparison.Ordinal))
        {
            return null;
        }

        // Objects of a buffered answer that failed are not told.
        return (int)status == 500 ? "\n" + error : string.Join("\n", objects.Select(o => Line(o!["name"], o["cid"], o["bytes"], o["size"]))) + "\n" + error;
    }

    private static string Line(object? name, object? cid, object? bytes, object? size) =>
        $"{name} {(cid?.ToString() is { } text && text.StartsWith("{{", StringComparison.Ordinal) ? "*" : cid)} {bytes} {size}";

    private static async Task<string> AddAsync(string path, JsonArray parts)
    {
        var query = path.Contains('?', StringComparison.Ordinal) ? path[path.IndexOf('?', StringComparison.Ordinal)..] : "";
        var parameters = HttpUtility.ParseQueryString(query);
        var collector = new Collector();
        var sharding = parameters["shard"] == "true" ? new ShardingSink(ulong.Parse(parameters["shard-size"] ?? "0"), new ShardCollector(collector)) : null;
        var error = "";
        try
        {
            await new Importer(UnixFsGoldenTests.Options(query), (IBlockSink?)sharding ?? collector, collector).RunAsync(Parts(parts), CancellationToken.None);
            if (sharding is not null)
            {
                var dag = await sharding.FinishAsync(CancellationToken.None);
                collector.Outputs.Add(new ImportOutput(parameters["name"] + "-clusterDAG", dag.Root, 0, dag.Size));
            }
        }
        catch (Exception e) when (e is ImportException or CarException or CidFormatException or IpldDecodeException or MultihashException)
        {
            error = e.Message;
        }

        var named = parameters["name"] == "my file" ? "*" : null; // its CID is a variable of the transcript
        var lines = collector.Outputs.Select(o => Line(o.Name, o.Cid.IsDefined ? named ?? o.Cid.ToString() : null, o.Bytes == 0 ? null : o.Bytes, o.Size == 0 ? null : o.Size));
        return (error.Length > 0 && parameters["stream-channels"] == "false" ? "" : string.Join("\n", lines)) + "\n" + error;
    }

    private static async IAsyncEnumerable<ImportPart> Parts(JsonArray parts)
    {
        foreach (var part in parts)
        {
            var headers = Headers(part!["headers"]!);
            var name = FileName().Match(headers.GetValueOrDefault("Content-Disposition", "")) is { Success: true } match ? match.Groups[1].Value : "";
            var content = part["gen"] is { } gen ? Generate((uint)gen["seed"]!, (int)gen["size"]!)
                : part["bodyBase64"] is { } base64 ? Convert.FromBase64String((string)base64!)
                : Encoding.UTF8.GetBytes((string?)part["body"] ?? "");
            var kind = headers.GetValueOrDefault("Content-Type", "") switch
            {
                "application/x-directory" or "multipart/form-data" => ImportPartKind.Directory,
                "application/symlink" => ImportPartKind.Symlink,
                _ => ImportPartKind.File,
            };
            var absolute = headers.TryGetValue("Abspath-Encoded", out var encoded) ? HttpUtility.UrlDecode(encoded) : headers.GetValueOrDefault("Abspath");
            yield return new ImportPart(ImportPath.FromFileName(name), kind, new MemoryStream(content), absolute);
            await Task.CompletedTask;
        }
    }

    private static Dictionary<string, string> Headers(JsonNode node) => node is JsonObject map
        ? map.ToDictionary(pair => pair.Key, pair => (string)pair.Value!, StringComparer.OrdinalIgnoreCase)
        : node.AsArray().ToDictionary(pair => (string)pair![0]!, pair => (string)pair![1]!, StringComparer.OrdinalIgnoreCase);

    private static byte[] Generate(uint seed, int size)
    {
        var bytes = new byte[size + 3];
        var x = seed;
        for (var i = 0; i < size; i += 4)
        {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            BitConverter.TryWriteBytes(bytes.AsSpan(i), x);
        }

        return bytes[..size];
    }

    [GeneratedRegex("filename=\"?([^\";]*)")]
    private static partial Regex FileName();
}
