using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Ctl.Tests;

/// <summary>
/// The graphs that the original drew, to the letter. What the peers had answered was not recorded with them, so it is read back from
/// the drawing. Peers and daemons get ids in the order of their numbers.
/// </summary>
[Trait("Category", "Golden")]
public sealed partial class RecordedGraphTests
{
    private static readonly string[] ids =
    [
        .. new[]
        {
            "12D3KooWRN8KRjpyg9rsW2w7StbBRGper65psTZm68cjud9KAkaW", "12D3KooWPpEzgq4DRuJ5Gj19T1y8ffv4BifnyCYyQZ7EGfwxduJw",
            "12D3KooWSH8L8inDKcSR1pgrwGwoQZbBHNbBZcx1DxJf9JMQ2sYa", "QmV4STRyo1dygxGhZcr877TQ1M9AZuXhfm6HrXjxW1TYNP",
            "QmRLgkLoSRyoLjkECGqdDhv2Uvxtv5tnVF2M8ZTigqwhxk", "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC",
        }.Order(StringComparer.Ordinal),
    ];

    public static TheoryData<string> Transcripts()
    {
        var files = new TheoryData<string>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Golden.Folder, "cli", "ctl"), "*.json").Order(StringComparer.Ordinal))
        {
            if (Drawings(file).Any())
                files.Add(Path.GetFileName(file));
        }

        return files;
    }

    [Theory]
    [MemberData(nameof(Transcripts))]
    public async Task A_graph_is_drawn_as_recorded(string file)
    {
        foreach (var drawing in Drawings(Path.Combine(Golden.Folder, "cli", "ctl", file)))
        {
            var expected = WithIds(drawing);
            await using var peer = new StubPeer(StubPeer.Json(AnswerOf(expected)));
            Assert.Equal(expected, (await CtlRun.OfAsync("--host", peer.Host, "health", "graph")).Output);
        }
    }

    private static IEnumerable<string> Drawings(string file) =>
        JsonNode.Parse(File.ReadAllText(file))!["steps"]!.AsArray()
            .Where(step => step!["args"] is JsonArray arguments && arguments.Select(a => a!.GetValue<string>()).TakeLast(2).SequenceEqual(["health", "graph"]))
            .Select(step => step!["stdout"]?.GetValue<string>())
            .Where(text => text?.StartsWith("digraph", StringComparison.Ordinal) == true)!;

    private static string WithIds(string drawing) => Placeholder().Replace(drawing, match =>
    {
        var id = ids[(match.Groups["kind"].Value == "peer" ? 0 : 3) + int.Parse(match.Groups["number"].Value) - 1];
        return match.Groups["short"].Success ? $"{id[..2]}*{id[^6..]}" : id;
    });

    private static string AnswerOf(string drawing)
    {
        var nodes = Node().Matches(drawing).ToDictionary(m => m.Groups["node"].Value, m => m.Groups["id"].Value);
        var (links, trust, names, daemons, swarm) = (new JsonObject(), new JsonObject(), new JsonObject(), new JsonObject(), new JsonObject());
        var self = "";
        foreach (Match node in Node().Matches(drawing))
        {
            var id = node.Groups["id"].Value;
            if (node.Groups["node"].Value[0] == 'I')
            {
                swarm[id] = new JsonArray();
                continue;
            }

            links[id] = new JsonArray();
            names[id] = node.Groups["name"].Value;
            trust[id] = node.Groups["node"].Value[0] == 'T';
            if (node.Groups["rest"].Value.Contains("peripheries", StringComparison.Ordinal))
                self = id;
        }

        foreach (Match edge in Edge().Matches(drawing))
        {
            var (from, to) = (edge.Groups["from"].Value, edge.Groups["to"].Value);
            if (from[0] == 'I')
                swarm[nodes[from]]!.AsArray().Add(nodes[to]);
            else if (to[0] == 'I')
                daemons[nodes[from]] = nodes[to];
            else
                links[nodes[from]]!.AsArray().Add(nodes[to]);
        }

        return new JsonObject
        {
            ["cluster_id"] = self,
            ["id_to_peername"] = names,
            ["ipfs_links"] = swarm,
            ["cluster_links"] = links,
            ["cluster_trust_links"] = trust,
            ["cluster_to_ipfs"] = daemons,
        }.ToJsonString();
    }

    [GeneratedRegex(@"<(?<kind>peer|ipfs)(?<number>[1-3])(?<short>\.short)?>")]
    private static partial Regex Placeholder();

    [GeneratedRegex("^(?<node>[CTI]\\d+) \\[label=< <B> (?<name>.*?) </B> <BR/> <B> .*? </B> > group=\"(?<id>[^\"]+)\"(?<rest>.*)$", RegexOptions.Multiline)]
    private static partial Regex Node();

    [GeneratedRegex(@"^(?<from>[CTI]\d+) -> (?<to>[CTI]\d+)$", RegexOptions.Multiline)]
    private static partial Regex Edge();
}
