using System.Text.Json.Nodes;

namespace Ipld.Tests.Multiformats;

[Trait("Category", "Golden")]
public sealed class CidGoldenTests
{
    [Fact]
    public void Every_recorded_cid_is_read_as_the_original_reads_it()
    {
        var failures = new List<string>();
        foreach (var c in Golden.Cases("kubo/cids.json", "cases"))
        {
            var input = (string)c["input"]!;
            void Expect(string what, string? expected, string? actual)
            {
                if (expected != actual)
                {
                    failures.Add($"{c["seq"]} {c["name"]}: {what} expected <{expected}>, was <{actual}>");
                }
            }

            var ok = Cid.TryParse(input, out var cid, out var error);
            Expect("error", (string?)c["error"] ?? "", error);
            if (!ok)
            {
                continue;
            }

            Expect("text", (string?)c["string"], cid.ToString());
            Expect("bytes", (string?)c["bytes_hex"], Convert.ToHexStringLower(cid.Bytes));
            Expect("version", c["version"]?.ToString(), cid.Version.ToString());
            Expect("codec", c["codec"]?.ToString(), cid.Codec.ToString());
            Expect("codec name", (string?)c["codec_name"], Multicodec.NameOf(cid.Codec));
            Expect("hash", c["mh_code"]?.ToString(), cid.Multihash.Code.ToString());
            Expect("hash name", (string?)c["mh_name"], cid.Multihash.Name);
            Expect("digest length", c["mh_length"]?.ToString(), cid.Multihash.Digest.Length.ToString());
            if (c["multibase"] is { } multibase && Multibase.TryGetEncoding(input, out var encoding))
            {
                Expect("multibase", (string?)multibase, Multibase.NameOf(encoding));
                if (c["kubo_cid_format"]?["formatted"] is JsonValue formatted && (string?)formatted == input)
                {
                    Expect("text in its own base", input, cid.ToString(encoding));
                }
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    [Fact]
    public void Every_recorded_cid_of_a_pin_has_the_recorded_bytes_and_datastore_key()
    {
        var failures = new List<string>();
        foreach (var c in Golden.Cases("bytes/pin.json", "cids"))
        {
            var input = (string)c["in"]!;
            Cid.TryParse(input, out var cid, out var error);
            var actual = error.Length > 0
                ? new JsonObject { ["in"] = input, ["error"] = error }
                : new JsonObject { ["in"] = input, ["string"] = cid.ToString(), ["bytes_hex"] = Convert.ToHexStringLower(cid.Bytes), ["ds_key"] = cid.ToDatastoreKey() };
            if (!JsonNode.DeepEquals(c, actual))
            {
                failures.Add($"{input}: expected {c.ToJsonString()}, was {actual.ToJsonString()}");
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }
}
