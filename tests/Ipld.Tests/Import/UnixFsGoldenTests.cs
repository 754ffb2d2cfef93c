using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;

namespace Ipld.Tests.Import;

[Trait("Category", "Golden")]
[Trait("Category", "Slow")]
public sealed class UnixFsGoldenTests
{
    [Fact]
    public async Task Every_recorded_import_gives_the_recorded_root_blocks_and_objects()
    {
        var failures = new List<string>();
        foreach (var vector in Golden.Cases("kubo/unixfs.json", "vectors"))
        {
            // A refused request never reaches the importer.
            if (vector["error"]?["status"] is { } status && (int)status != 200)
            {
                continue;
            }

            try
            {
                await RunAsync(vector, fragment: null);
            }
            catch (Exception e)
            {
                failures.Add($"{vector["seq"]} {vector["name"]}: {e.GetType().Name} {e.Message}");
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    private static async Task RunAsync(JsonObject vector, Func<int, int>? fragment)
    {
        var collector = new Collector();
        string? error = null;
        Cid root = default;
        try
        {
            root = await new Importer(Options((string)vector["query"]!), collector, collector).RunAsync(Parts(vector["entries"]!.AsArray(), fragment), CancellationToken.None);
        }
        catch (Exception e) when (e is ImportException or CidFormatException or MultihashException)
        {
            error = e.Message;
        }

        if (vector["error"] is JsonObject expectedError)
        {
            // "failed to put block" is the daemon's doing: here the import itself goes well.
            var text = (string)expectedError["x_stream_error"]!;
            Assert.Equal(text.StartsWith("failed to put block", StringComparison.Ordinal) ? null : text, error);
            AssertOutputs([.. (vector["outputs"]?.AsArray() ?? []).Select(o => o!.AsObject())], collector.Outputs);
            return;
        }

        Assert.Null(error);
        AssertCid(vector["root"]!, root);
        if (vector["output"] is JsonObject single)
        {
            AssertOutputs([single], collector.Outputs);
        }
        else if (vector["outputs"] is JsonArray outputs)
        {
            AssertOutputs([.. outputs.Select(o => o!.AsObject())], collector.Outputs);
        }
        else
        {
            Assert.Equal((int)vector["outputs_count"]!, collector.Outputs.Count);
            AssertOutputs([.. vector["outputs_first"]!.AsArray().Select(o => o!.AsObject())], collector.Outputs.Take(3).ToList());
            AssertOutputs([.. vector["outputs_last"]!.AsArray().Select(o => o!.AsObject())], collector.Outputs.TakeLast(3).ToList());
            var lines = string.Concat(collector.Outputs.Select(o => $"{o.Name} {o.Cid} {o.Size}\n"));
            Assert.Equal((string)vector["outputs_sha256"]!, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines))));
        }

        if (vector["dag"]?["unique_blocks"] is { } count)
        {
            var (blocks, bytes) = collector.Measure(root);
            Assert.Equal((int)count, blocks);
            Assert.Equal((long)vector["dag"]!["unique_bytes"]!, bytes);
        }

        foreach (var block in vector["blocks"]?.AsArray() ?? [])
        {
            var (length, data, _) = collector.Blocks[Cid.Parse((string)block![0]!)];
            Assert.Equal((int)block[1]!, length);
            if (block.AsArray().Count > 2)
            {
                AssertText(block[2]!, Convert.ToHexStringLower(data!));
            }
        }
    }

    private static void AssertOutputs(List<JsonObject> expected, List<ImportOutput> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (e, a) in expected.Zip(actual))
        {
            Assert.Equal((string?)e["name"], a.Name);
            Assert.Equal((ulong?)e["size"] ?? 0, a.Size);
            Assert.Equal((ulong?)e["bytes"] ?? 0, a.Bytes);
            AssertCid(e["cid"], a.Cid);
        }
    }

    private static void AssertCid(JsonNode? expected, Cid actual)
    {
        if (expected is null)
        {
            Assert.False(actual.IsDefined);
            return;
        }

        AssertText(expected, actual.ToString());
    }

    // Texts of more than 600 characters are shortened to length, hash and head.
    private static void AssertText(JsonNode expected, string actual)
    {
        if (expected is JsonObject shortened)
        {
            Assert.Equal((int)shortened["length"]!, actual.Length);
            Assert.Equal((string)shortened["sha256"]!, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(actual))));
            return;
        }

        Assert.Equal((string)expected!, actual);
    }

    internal static ImportOptions Options(string query)
    {
        var parameters = HttpUtility.ParseQueryString(query);
        bool Flag(string name, bool otherwise) => parameters[name] is { Length: > 0 } value ? value is "1" or "t" or "T" or "TRUE" or "true" or "True" : otherwise;
        var version = parameters["cid-version"] is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        return new ImportOptions
        {
            CidVersion = version,
            RawLeaves = Flag("raw-leaves", version > 0),
            Trickle = parameters["layout"] == "trickle",
            Chunker = parameters["chunker"] ?? "",
            HashFunction = parameters["hash"] ?? "",
            WrapWithDirectory = Flag("wrap-with-directory", false),
            Progress = Flag("progress", false),
            NoCopy = Flag("nocopy", false),
            Car = parameters["format"] == "car",
        };
    }

    internal static async IAsyncEnumerable<ImportPart> Parts(JsonArray entries, Func<int, int>? fragment = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var entry in entries.Select(e => e!.AsObject()))
        {
            var path = (string)entry["path"]!;
            if (entry["repeat"] is { } repeat)
            {
                for (var i = 0; i < (int)repeat; i++)
                {
                    var number = i.ToString(CultureInfo.InvariantCulture).PadLeft((int)entry["pad"]!, '0');
                    yield return Part(path.Replace("%d", number, StringComparison.Ordinal), entry, fragment);
                }
            }
            else
            {
                yield return Part(path, entry, fragment);
            }

            await Task.CompletedTask;
        }
    }

    private static ImportPart Part(string path, JsonObject entry, Func<int, int>? fragment)
    {
        path = ImportPath.FromFileName(Uri.EscapeDataString(path));
        return (string?)entry["type"] switch
        {
            "dir" => new ImportPart(path, ImportPartKind.Directory, Stream.Null),
            "symlink" => new ImportPart(path, ImportPartKind.Symlink, new MemoryStream(Encoding.UTF8.GetBytes((string)entry["target"]!))),
            _ => new ImportPart(path, ImportPartKind.File, GeneratedContent.Of(entry["content"]!.AsObject(), fragment)),
        };
    }
}
