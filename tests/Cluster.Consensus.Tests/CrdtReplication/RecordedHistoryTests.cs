using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cluster.CrdtState;
using Cluster.Model;
using Crdt;
using Ipld;

namespace Cluster.Consensus.Tests.CrdtReplication;

/// <summary>What replicas of the original wrote, fetched and merged by a peer: the pinset is the one that they ended in.</summary>
[Trait("Category", "Golden")]
public sealed class RecordedHistoryTests
{
    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Path.Combine(Folder, "crdt-histories"), "*.jsonl.gz").Select(file => Path.GetFileName(file)).Order()];

    private static string Folder
    {
        get
        {
            if (Environment.GetEnvironmentVariable("GOLDEN") is { Length: > 0 } golden)
                return Path.Combine(golden, "bytes");
            var at = new DirectoryInfo(AppContext.BaseDirectory);
            while (at is not null && !File.Exists(Path.Combine(at.FullName, "Cluster.Micro.sln")))
                at = at.Parent;
            return Path.Combine(at?.FullName ?? throw new DirectoryNotFoundException("no Cluster.Micro.sln above the tests"), "tests", "golden", "bytes");
        }
    }

    [Theory, MemberData(nameof(Files))]
    public async Task A_peer_that_fetches_a_history_ends_in_its_pinset(string file)
    {
        var events = Read(file);
        var network = new MemoryNetwork();
        var foreign = new ServedBlocks();
        network.Join(Peer.Id(9), foreign);
        var blocks = events.Where(e => Kind(e) == "block").Select(e => Convert.FromHexString(e["hex"]!.GetValue<string>())).ToArray();
        var ids = blocks.Select(foreign.Add).ToArray();
        var linked = blocks.SelectMany(block => DagNode.Parse(block).Links).ToHashSet();
        var random = new Random(file.Sum(c => c));

        await using var peer = new CrdtPeer(1, network);
        foreach (var id in ids.OrderBy(_ => random.Next()).Take(ids.Length / 3))
            peer.Consensus.HeadsAnnounced(Peer.Id(9), HeadsMessage.Encode([id]));
        await peer.RestartAsync();
        peer.Consensus.HeadsAnnounced(Peer.Id(9), HeadsMessage.Encode([.. ids.Where(id => !linked.Contains(id)).OrderBy(_ => random.Next())]));
        await peer.UntilAsync(() => peer.Missing == 0 && peer.Heads.Keys.SequenceEqual(ids.Where(id => !linked.Contains(id)).Order()));

        var keys = events[0]["keys"]!.AsArray().Select(key => Cid.Parse(key!["cid"]!.GetValue<string>())).ToArray();
        var values = events.Where(e => e["value"] is not null)
            .ToDictionary(e => e["v"]!.GetValue<int>(), e => e["value"]!.GetValue<string>());
        var expected = events.Last(e => Kind(e) == "end")["expected"]!.AsObject()
            .ToDictionary(p => keys[int.Parse(p.Key, null)], p => values[p.Value!.GetValue<int>()]);
        Assert.Equal((ulong)expected.Count, peer.State.Totals.Count);
        Assert.All(expected, entry => Assert.Equal(
            entry.Value, Convert.ToHexStringLower(PinProtobuf.ToBytes(peer.State.Find(entry.Key)!))));
        Assert.Equal(peer.ExportOfTheSet(), peer.Export());
    }

    [Fact]
    public async Task A_peer_that_fetches_the_store_of_an_original_one_exports_what_that_exported()
    {
        var store = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, "crdt-store.json")))!;
        var network = new MemoryNetwork();
        var foreign = new ServedBlocks();
        network.Join(Peer.Id(9), foreign);
        foreach (var block in store["blocks"]!.AsArray())
            Assert.Equal(block!["cid"]!.GetValue<string>(), foreign.Add(Convert.FromHexString(block["hex"]!.GetValue<string>())).ToCid().ToString());
        var heads = store["entries"]!.AsArray().Select(e => e![0]!.GetValue<string>())
            .Where(key => key.StartsWith("/c/h/", StringComparison.Ordinal))
            .Select(key => BlockId.TryFromElementId(key["/c/h".Length..], out var id) ? id : throw new FormatException(key)).ToArray();
        Assert.NotEmpty(heads);

        await using var peer = new CrdtPeer(1, network);
        peer.Consensus.HeadsAnnounced(Peer.Id(9), HeadsMessage.Encode(heads));
        await peer.UntilAsync(() => peer.Missing == 0 && peer.Heads.Keys.SequenceEqual(heads.Order()));

        var exported = store["state_export"]!.AsArray().Select(line => Canonical(line!.GetValue<string>())).Order(StringComparer.Ordinal);
        var ours = peer.Export().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Canonical).Order(StringComparer.Ordinal);
        Assert.Equal(exported, ours);

        // Values and priorities of the keys, as the original stored them.
        foreach (var entry in store["entries"]!.AsArray())
        {
            var path = entry![0]!.GetValue<string>();
            if (!path.StartsWith("/c/s/k/", StringComparison.Ordinal))
                continue;
            var key = path["/c/s/k".Length..^2];
            if (path.EndsWith("/v", StringComparison.Ordinal))
                Assert.Equal(entry[1]!.GetValue<string>(), Convert.ToHexStringLower(MerkleCrdt.Get(peer.Set, key)!));
            else
                Assert.Equal(entry[1]!.GetValue<string>(), Convert.ToHexStringLower([(byte)(MerkleCrdt.GetPriority(peer.Set, key) + 1)]));
        }
    }

    private static string Kind(JsonNode e) => e["t"]!.GetValue<string>();

    private static string Canonical(string line) => JsonNode.Parse(line)!.ToJsonString(JsonSerializerOptions.Default);

    private static JsonNode[] Read(string file)
    {
        using var gzip = new GZipStream(File.OpenRead(Path.Combine(Folder, "crdt-histories", file)), CompressionMode.Decompress);
        using var text = new StreamReader(gzip, Encoding.UTF8);
        return [.. text.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }
}
