using System.Net;
using System.Text.Json.Nodes;

namespace Cluster.EndToEnd.Tests.Clusters;

/// <summary>What any peer answers for all: lists, the graph, garbage collection, adds to every daemon.</summary>
[Collection(ThreePeersCollection.Name)]
[Trait("Category", "Slow")]
public sealed class ClusterCallsTests(ThreePeers three)
{
    private static readonly TimeSpan soon = TimeSpan.FromMinutes(3);

    private LocalCluster Cluster => three.Cluster;

    private string[] Ids => [.. Cluster.Members.Select(m => m.Id).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Every_peer_lists_the_statuses_of_all_peers_with_filters_and_for_chosen_cids()
    {
        string[] cids = [.. Enumerable.Range(0, 300).Select(n => InlineCids.Create(3500, n))];
        await Task.WhenAll(cids.Select(cid => three.First.Peer.PinAsync(cid, "replication-min=-1&replication-max=-1")));
        foreach (var member in Cluster.Members)
        {
            await Eventually.HoldsAsync(
                soon,
                async () =>
                {
                    var listed = (await member.Peer.LinesAsync("pins?filter=pinned")).ToDictionary(pin => pin["cid"]!.GetValue<string>());
                    var missing = cids.Count(cid => !listed.TryGetValue(cid, out var pin) || !PeersWith(pin, "pinned").SequenceEqual(Ids));
                    return missing == 0 ? null : $"{member} does not list {missing} of {cids.Length} as pinned on all peers";
                },
                Cluster.Logs);
            Assert.DoesNotContain(await member.Peer.LinesAsync("pins?filter=error"), pin => cids.Contains(pin["cid"]!.GetValue<string>()));
            var chosen = await member.Peer.LinesAsync($"pins?cids={string.Join(',', cids[..5])}");
            Assert.Equal(cids[..5].Order(), chosen.Select(pin => pin["cid"]!.GetValue<string>()).Order());
            Assert.All(chosen, pin => Assert.Equal(Ids, PeersWith(pin, "pinned")));
            Assert.All(await member.Peer.LinesAsync("pins?local=true"), pin => Assert.Equal(member.Id, Assert.Single(pin["peer_map"]!.AsObject()).Key));
        }

        using var answer = await three.Second.Peer.Http.PostAsync(new Uri("pins/recover", UriKind.Relative), null);
        Assert.DoesNotContain(cids[0], await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var one = await three.Third.Peer.Http.PostAsync(new Uri($"pins/{cids[0]}/recover", UriKind.Relative), null);
        Assert.Equal(Ids, PeersWith(JsonNode.Parse(await one.Content.ReadAsStringAsync())!, "pinned"));
    }

    [Fact]
    public async Task Every_peer_draws_the_same_graph()
    {
        // Tests that ran before may have cut connections, and a daemon may close those that it has no use for.
        await Cluster.ConnectDaemonsAsync();
        await Cluster.WaitUntilCompleteAsync();
        foreach (var member in Cluster.Members)
        {
            var graph = (await member.Peer.JsonAsync("health/graph"))!;
            Assert.Equal(member.Id, graph["cluster_id"]!.GetValue<string>());
            Assert.Equal(Ids, Keys(graph, "cluster_links"));
            Assert.Equal(Ids, Keys(graph, "cluster_trust_links"));
            Assert.Equal(["peer1", "peer2", "peer3"], graph["id_to_peername"]!.AsObject().Select(p => p.Value!.GetValue<string>()).Order(StringComparer.Ordinal));
            var daemons = graph["cluster_to_ipfs"]!.AsObject().Select(d => d.Value!.GetValue<string>()).Order(StringComparer.Ordinal).ToArray();
            Assert.Equal(3, daemons.Distinct().Count());
            Assert.Equal(daemons, Keys(graph, "ipfs_links"));
            foreach (var id in Ids)
            {
                Assert.Equal(Ids.Where(other => other != id), graph["cluster_links"]![id]!.AsArray().Select(l => l!.GetValue<string>()).Order(StringComparer.Ordinal));
                Assert.True(graph["cluster_trust_links"]![id]!.GetValue<bool>());
            }

            // The daemons of the test are connected to each other.
            foreach (var daemon in daemons)
                Assert.Equal(daemons.Where(d => d != daemon), graph["ipfs_links"]![daemon]!.AsArray().Select(l => l!.GetValue<string>()).Intersect(daemons).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task Garbage_is_collected_on_every_daemon()
    {
        using var answer = await three.Second.Peer.Http.PostAsync(new Uri("ipfs/gc", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var collected = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["peer_map"]!.AsObject();
        Assert.Equal(Ids, collected.Select(p => p.Key).Order(StringComparer.Ordinal));
        Assert.All(collected, p => Assert.Null(p.Value!["error"]));
        Assert.Equal(["peer1", "peer2", "peer3"], collected.Select(p => p.Value!["peername"]!.GetValue<string>()).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("replication-min=-1&replication-max=-1", 3)]
    [InlineData("replication-min=-1&replication-max=-1&local=true&no-pin=true", 1)]
    public async Task An_add_puts_its_blocks_into_the_daemons_itself(string options, int daemons)
    {
        // Not pinned, or not yet: that the blocks are there is the add's own doing. Larger than the window of a stream between peers.
        var bytes = new byte[3_000_000];
        new Random(daemons).NextBytes(bytes);
        using var form = new MultipartFormDataContent { { new ByteArrayContent(bytes), "file", "file.bin" } };
        using var answer = await three.Second.Peer.Http.PostAsync(new Uri($"add?no-pin=true&cid-version=1&chunker=size-1048576&{options}", UriKind.Relative), form);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        var root = JsonNode.Parse(text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1])!["cid"]!.GetValue<string>();
        var holding = 0;
        foreach (var member in Cluster.Members)
        {
            // A daemon lists its blocks by their hashes, whatever the codec: the text of a CID differs in its first letters only.
            using var blocks = await member.Peer.Http.PostAsync(new Uri(member.Ipfs.ApiUri, "refs/local"), null);
            if ((await blocks.Content.ReadAsStringAsync()).Contains(root[8..], StringComparison.Ordinal))
                holding++;
        }

        Assert.Equal(daemons, holding);
    }

    private static string[] PeersWith(JsonNode pin, string status) =>
        [.. pin["peer_map"]!.AsObject().Where(p => p.Value!["status"]!.GetValue<string>() == status).Select(p => p.Key).Order(StringComparer.Ordinal)];

    private static string[] Keys(JsonNode graph, string map) => [.. graph[map]!.AsObject().Select(p => p.Key).Order(StringComparer.Ordinal)];
}
