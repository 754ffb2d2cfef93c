using System.Text.Json.Nodes;

namespace Crdt.Tests;

/// <summary>Every recorded history of the original, lived through by our replicas.</summary>
[Trait("Category", "Golden")]
public sealed class HistoryTests
{
    public static TheoryData<string> Files => [.. History.Files];

    [Theory, MemberData(nameof(Files))]
    public void Recorded_blocks_are_read_and_written_byte_for_byte(string file)
    {
        foreach (var block in History.Read(file).Blocks)
            Assert.Equal(Convert.ToHexString(block), Convert.ToHexString(DagNode.Parse(block).Encode()));
    }

    [Theory, MemberData(nameof(Files))]
    public void Replicas_make_and_merge_what_the_original_made_and_merged(string file)
    {
        var history = History.Read(file);
        var replicas = Enumerable.Range(0, history.Meta["replicas"]!.GetValue<int>()).Select(_ => new HistoryReplica(history)).ToArray();
        Dictionary<int, int[]> messages = [];
        foreach (var e in history.Events)
        {
            HistoryReplica Replica() => replicas[e["r"]!.GetValue<int>()];
            switch (History.Kind(e))
            {
                case "send":
                    messages[e["m"]!.GetValue<int>()] = History.Numbers(e, "heads");
                    Assert.Equal(History.Numbers(e, "heads").Select(head => history.Ids[head]),
                        HeadsMessage.Parse(Convert.FromHexString(e["data"]!.GetValue<string>())));
                    Assert.Equal(e["data"]!.GetValue<string>(), Convert.ToHexStringLower(HeadsMessage.Encode(
                        [.. History.Numbers(e, "heads").Select(head => history.Ids[head])])));
                    break;
                case "put":
                    Replica().Put(e);
                    break;
                case "rm":
                    Replica().Remove(e);
                    break;
                case "commit":
                    Replica().Commit(e);
                    break;
                case "recv":
                    Replica().Receive(e, messages[e["m"]!.GetValue<int>()]);
                    break;
                case "repair":
                    Replica().Repair(e);
                    break;
                case "restart":
                    Replica().Restart();
                    break;
                case "check" or "final":
                    if (Replica().Departed && History.Kind(e) == "check") break;
                    var recorded = e["set"]!.AsObject().ToDictionary(p => int.Parse(p.Key, null), p => p.Value!.GetValue<int>());
                    Assert.Equal(recorded.OrderBy(p => p.Key), Replica().Set().OrderBy(p => p.Key));
                    Replica().CompareHeads(e);
                    break;
                default:
                    Assert.Contains(History.Kind(e), new[] { "meta", "net", "block", "rebroadcast", "end", "raw" });
                    break;
            }
        }
    }

    [Theory, MemberData(nameof(Files))]
    public void Any_order_of_the_same_blocks_gives_the_same_set(string file)
    {
        var history = History.Read(file);
        var expected = Expected(history);
        for (var seed = 0; seed < 3; seed++)
        {
            var random = new Random(seed);
            var store = new MemoryStore();
            var core = MerkleCrdt.Open(store);
            var output = new CrdtOutput();
            core.HeadsReceived(store, Shuffled(history.Ids, random), output);
            HashSet<BlockId> waiting = [.. output.Fetches];
            while (waiting.Count > 0)
            {
                var id = waiting.ElementAt(random.Next(waiting.Count));
                waiting.Remove(id);
                var step = new CrdtOutput();
                core.BlockArrived(store, id, history.Blocks[Array.IndexOf(history.Ids, id)], step);
                waiting.UnionWith(step.Fetches);
                if (random.Next(20) == 0) core = Reopened(core, store, waiting, history);
            }
            var actual = history.Keys.Select((key, i) => (i, Value: MerkleCrdt.Get(store, key))).Where(p => p.Value is not null)
                .ToDictionary(p => p.i, p => Convert.ToHexString(p.Value!));
            Assert.Equal(expected.OrderBy(p => p.Key), actual.OrderBy(p => p.Key));
            Assert.Empty(core.Missing);
            var linked = history.Blocks.SelectMany(block => DagNode.Parse(block).Links).ToHashSet();
            Assert.Equal(history.Ids.Where(id => !linked.Contains(id)).Order(), core.Heads.Keys);
        }
    }

    /// <summary>A restart in the middle of walks: what is on disk must lead to the same end; announcements repeat.</summary>
    private static MerkleCrdt Reopened(MerkleCrdt core, MemoryStore store, HashSet<BlockId> waiting, History history)
    {
        var reopened = MerkleCrdt.Open(store);
        Assert.Equal(core.Heads, reopened.Heads);
        Assert.Equal(core.Missing.Order(), reopened.Missing.Order());
        var output = new CrdtOutput();
        reopened.HeadsReceived(store, history.Ids, output);
        waiting.UnionWith(output.Fetches);
        return reopened;
    }

    private static Dictionary<int, string> Expected(History history)
    {
        var end = history.Events.Last(e => History.Kind(e) == "end");
        return end["expected"]!.AsObject().ToDictionary(p => int.Parse(p.Key, null), p => Convert.ToHexString(history.Values[p.Value!.GetValue<int>()]));
    }

    private static BlockId[] Shuffled(BlockId[] ids, Random random)
    {
        var copy = ids.ToArray();
        random.Shuffle(copy);
        return copy;
    }
}
