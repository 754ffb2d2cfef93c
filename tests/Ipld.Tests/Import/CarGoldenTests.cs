using System.Text.Json.Nodes;

namespace Ipld.Tests.Import;

[Trait("Category", "Golden")]
public sealed class CarGoldenTests
{
    [Fact]
    public async Task Every_recorded_car_gives_the_recorded_objects_or_error()
    {
        var failures = new List<string>();
        foreach (var c in Golden.Cases("kubo/cars.json", "cases"))
        {
            if (Content(c) is not { } car)
            {
                continue;
            }

            foreach (var (answer, wrap, shard) in new[] { ("cluster_add", false, false), ("cluster_add_wrap", true, false), ("cluster_add_shard", false, true) })
            {
                if (c[answer] is JsonObject expected)
                {
                    var actual = await AddAsync(car, wrap, shard, oneByteReads: false);
                    if (!AsRecorded(expected, actual))
                    {
                        failures.Add($"{c["seq"]} {c["name"]} {answer}: expected {expected.ToJsonString()}, was {actual.ToJsonString()}");
                    }

                    var again = await AddAsync(car, wrap, shard, oneByteReads: true);
                    if (!JsonNode.DeepEquals(actual, again))
                    {
                        failures.Add($"{c["seq"]} {c["name"]} {answer}: byte by byte it was {again.ToJsonString()}");
                    }
                }
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    [Fact]
    public async Task A_car_that_was_read_is_written_again_byte_by_byte()
    {
        foreach (var c in Golden.Cases("kubo/cars.json", "cases"))
        {
            if (Content(c) is not { } car || c["cluster_add"]?["x_stream_error"] is not null || c["cluster_add"]?["status"] is null)
            {
                continue;
            }

            using var reader = await CarReader.OpenAsync(new MemoryStream(car), acceptVersion2: true, CancellationToken.None);
            var written = new MemoryStream();
            await CarWriter.WriteHeaderAsync(written, reader.Roots, CancellationToken.None);
            while (await reader.ReadBlockAsync(CancellationToken.None) is var (cid, data))
            {
                await CarWriter.WriteBlockAsync(written, cid, data, CancellationToken.None);
            }

            // Padding after the last block is not read.
            Assert.Equal(car[..(int)written.Length], written.ToArray());
            Assert.True(car.AsSpan((int)written.Length).IndexOfAnyExcept((byte)0) < 0);
        }
    }

    // Long ones are recorded by their hash only.
    private static byte[]? Content(JsonObject c) => c["base64"] is JsonValue text ? Convert.FromBase64String((string)text!) : null;

    private static bool AsRecorded(JsonObject expected, JsonObject actual) =>
        expected["status"] is null
            ? actual["x_stream_error"] is not null // where the original crashed, an error is right
            : JsonNode.DeepEquals(new JsonObject { ["outputs"] = expected["outputs"]!.DeepClone(), ["x_stream_error"] = expected["x_stream_error"]?.DeepClone() }, actual);

    private static async Task<JsonObject> AddAsync(byte[] car, bool wrap, bool shard, bool oneByteReads)
    {
        var collector = new Collector();
        var store = new ShardCollector(collector);
        // The recorded requests ask for shards large enough for one.
        var sink = new ShardingSink(1 << 20, store);
        var options = new ImportOptions { Car = true, WrapWithDirectory = wrap };
        var outputs = new JsonArray();
        string? error = null;
        try
        {
            var content = oneByteReads ? new SlowStream(car) : (Stream)new MemoryStream(car);
            await new Importer(options, shard ? sink : collector, collector).RunAsync(Single(content), CancellationToken.None);
            if (shard)
            {
                var dag = await sink.FinishAsync(CancellationToken.None);
                collector.Outputs.Add(new ImportOutput("-clusterDAG", dag.Root, 0, dag.Size));
            }
        }
        catch (Exception e) when (e is CarException or ImportException or CidFormatException or IpldDecodeException)
        {
            error = e.Message;
        }

        foreach (var output in collector.Outputs)
        {
            var o = new JsonObject { ["name"] = output.Name, ["cid"] = output.Cid.ToString() };
            if (output.Bytes > 0)
            {
                o["bytes"] = output.Bytes;
            }

            if (output.Size > 0)
            {
                o["size"] = output.Size;
            }

            outputs.Add((JsonNode)o);
        }

        // Numbers from JSON and from code compare equal only after a round trip.
        return JsonNode.Parse(new JsonObject { ["outputs"] = outputs, ["x_stream_error"] = error }.ToJsonString())!.AsObject();
    }

    private static async IAsyncEnumerable<ImportPart> Single(Stream content)
    {
        yield return new ImportPart("/x.car", ImportPartKind.File, content);
        await Task.CompletedTask;
    }
}
