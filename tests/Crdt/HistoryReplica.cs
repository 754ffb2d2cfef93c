using System.Text.Json.Nodes;

namespace Crdt.Tests;

/// <summary>One of our replicas that lives through what a recorded one lived through.</summary>
internal sealed class HistoryReplica(History history)
{
    private readonly Dictionary<BlockId, int> numbers = history.Ids.Select((id, i) => (id, i)).ToDictionary(x => x.id, x => x.i);
    private DeltaBuilder? batch;

    public MemoryStore Store { get; } = new();

    public MerkleCrdt Core { get; private set; } = MerkleCrdt.Open(new MemoryStore());

    /// <summary>
    /// Set when the original knows more, less or other heights than we do because of a behaviour that is not copied (heights after a
    /// repair; walks that broke off): from there on only what must hold all the same is compared.
    /// </summary>
    public bool Departed { get; private set; }

    public void Restart() => Core = MerkleCrdt.Open(Store);

    public void Put(JsonNode e)
    {
        var key = history.Keys[e["k"]!.GetValue<int>()];
        if (e["batched"] is not null) (batch ??= NewBatch()).Put(key, history.Values[e["v"]!.GetValue<int>()]);
        else
        {
            var builder = NewBatch();
            builder.Put(key, history.Values[e["v"]!.GetValue<int>()]);
            Publish(e, builder);
        }
    }

    public void Remove(JsonNode e)
    {
        var key = history.Keys[e["k"]!.GetValue<int>()];
        if (e["batched"] is not null) (batch ??= NewBatch()).Remove(Store, key);
        else
        {
            var builder = NewBatch();
            if (builder.Remove(Store, key) || (Departed && e["block"] is not null)) Publish(e, builder);
            else Assert.True(Departed || e["block"] is null, "the original removed something");
        }
    }

    public void Commit(JsonNode e)
    {
        if (batch is null) Assert.Null(e["block"]);
        else Publish(e, batch);
        batch = null;
    }

    /// <summary>Takes announced heads, and delivers blocks in the order in which the original merged them.</summary>
    public void Receive(JsonNode e, int[] heads)
    {
        var output = new CrdtOutput();
        Core.HeadsReceived(Store, [.. heads.Select(head => history.Ids[head])], output);
        Deliver(e, output);
        CompareHeads(e);
    }

    public void Repair(JsonNode e)
    {
        var output = new CrdtOutput();
        Core.RetryMissing(output);
        Deliver(e, output);
        Departed = true; // the original may have recorded a head with another height (crdt §11)
    }

    public Dictionary<int, int> Set() => history.Keys
        .Select((key, i) => (Key: i, Value: MerkleCrdt.Get(Store, key)))
        .Where(entry => entry.Value is not null)
        .ToDictionary(entry => entry.Key, entry => history.Values.First(v => v.Value.AsSpan().SequenceEqual(entry.Value)).Key);

    public void CompareHeads(JsonNode e)
    {
        if (e["heads"] is not JsonArray recorded) return;
        var expected = recorded.Select(head => (head![0]!.GetValue<int>(), head[1]!.GetValue<ulong>())).ToArray();
        var actual = Core.Heads.Select(head => (numbers[head.Key], head.Value)).ToArray();
        if (Departed) return;
        // After a walk that broke off, the original may keep a head that a later head has among its ancestors; ours does not.
        var minimal = expected.Where(head => !expected.Any(other => other != head && IsAncestor(head.Item1, other.Item1))).ToArray();
        Departed = minimal.Length != expected.Length;
        Assert.Equal(minimal, actual);
    }

    private bool IsAncestor(int block, int of)
    {
        HashSet<BlockId> seen = [];
        Stack<BlockId> open = new([history.Ids[of]]);
        while (open.TryPop(out var id))
            foreach (var link in DagNode.Parse(history.Blocks[numbers[id]]).Links)
            {
                if (link == history.Ids[block]) return true;
                if (seen.Add(link)) open.Push(link);
            }
        return false;
    }

    private static DeltaBuilder NewBatch() => new(keepDuplicates: true);

    private void Publish(JsonNode e, DeltaBuilder builder)
    {
        if (Departed)
        {
            // Our own block would have another height or other tombstones: live on with the recorded one.
            if (e["block"] is null) return;
            var number = e["block"]!.GetValue<int>();
            var announced = new CrdtOutput();
            Core.HeadsReceived(Store, [history.Ids[number]], announced);
            Core.BlockArrived(Store, history.Ids[number], history.Blocks[number], announced);
            return;
        }
        var output = new CrdtOutput();
        var id = Core.Commit(Store, builder, output);
        Assert.True(e["block"] is not null, "the original published nothing");
        Assert.True(MerkleCrdt.TryGetBlock(Store, id, out var bytes));
        Assert.Equal(Convert.ToHexString(history.Blocks[e["block"]!.GetValue<int>()]), Convert.ToHexString(bytes!));
        Assert.Equal([id], output.Broadcast);
        CompareHooks(e, output);
        CompareHeads(e);
    }

    private void Deliver(JsonNode e, CrdtOutput output)
    {
        var waiting = new HashSet<BlockId>(output.Fetches);
        var all = new CrdtOutput();
        foreach (var number in History.Numbers(e, "merged").Distinct())
        {
            var id = history.Ids[number];
            if (!waiting.Remove(id))
            {
                Departed |= !all.Merged.Contains(id);
                continue;
            }
            var step = new CrdtOutput();
            Core.BlockArrived(Store, id, history.Blocks[number], step);
            waiting.UnionWith(step.Fetches);
            all.Changes.AddRange(step.Changes);
            all.Merged.AddRange(step.Merged);
        }
        foreach (var id in waiting) Core.BlockUnavailable(Store, id);
        if (!Departed) CompareHooks(e, all);
    }

    private void CompareHooks(JsonNode e, CrdtOutput output)
    {
        if (e["hooks"] is not JsonArray hooks || Departed) return;
        var expected = hooks.Select(hook => string.Join(' ', hook!.AsArray().Select(part => part!.ToString()))).Order();
        var actual = output.Changes.Where(change => !change.Restored).Select(change => change.Value is { } value
            ? $"+ {Array.IndexOf(history.Keys, change.Key)} {history.Values.First(v => v.Value.AsSpan().SequenceEqual(value.Span)).Key}"
            : $"- {Array.IndexOf(history.Keys, change.Key)}").Order();
        Assert.Equal(expected, actual);
    }
}
