using Cluster.Consensus.CrdtReplication;
using Crdt;
using Libp2p.Bitswap;

namespace Cluster.Consensus.Tests.CrdtReplication;

public sealed class AncestorWalkTests
{
    private readonly InMemoryBlockStore _store = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task All_ancestors_come_once_and_each_after_all_that_link_to_it(int seed)
    {
        var random = new Random(seed);
        var nodes = new List<(BlockId Block, DagNode Node)>();
        for (var i = 0; i < 1_000; i++)
        {
            // Long branches beside short ones: links reach far back.
            BlockId[] links = i == 0 ? [] : [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => nodes[random.Next(Math.Max(0, i - 50), i)].Block).Distinct()];
            nodes.Add(Add(i, links, links.Length == 0 ? 1 : links.Max(link => nodes.First(n => n.Block == link).Node.Delta.Priority) + 1));
        }

        var told = await WalkAsync(nodes[^1].Block, nodes[^2].Block);
        var expected = new HashSet<BlockId> { nodes[^1].Block, nodes[^2].Block };
        foreach (var (block, node) in Enumerable.Reverse(nodes))
        {
            if (expected.Contains(block))
                expected.UnionWith(node.Links);
        }

        Assert.Equal(expected.Order(), told.Order());
        var place = told.Select((block, at) => (block, at)).ToDictionary(t => t.block, t => t.at);
        foreach (var (block, node) in nodes.Where(n => place.ContainsKey(n.Block)))
            Assert.All(node.Links, link => Assert.True(place[block] < place[link]));
    }

    [Fact]
    public async Task What_is_not_in_the_store_ends_its_branch_alone()
    {
        var lost = BlockId.Of("lost"u8);
        var one = Add(1, [lost], 2);
        var other = Add(2, [], 1);
        var top = Add(3, [one.Block, other.Block], 3);
        Assert.Equal([top.Block, one.Block, other.Block], await WalkAsync(top.Block));
        Assert.Empty(await WalkAsync(lost));
    }

    [Fact]
    public async Task A_link_that_is_no_lower_than_its_node_is_left_out_so_that_nothing_comes_twice()
    {
        // As an author may write them who wants others to walk for ever: each level doubles the ways down.
        var last = Add(0, [], 1_000);
        for (var level = 1; level <= 40; level++)
        {
            var left = Add(level, [last.Block], (ulong)(1_000 + level));
            last = Add(-level, [left.Block, last.Block], (ulong)(1_000 + level));
        }

        var told = await WalkAsync(last.Block);
        Assert.Equal(told.Distinct(), told);
    }

    [Fact]
    public async Task No_more_nodes_are_held_than_one_may_link_to()
    {
        BlockId[] wide = [.. Enumerable.Range(0, DagNode.MaxLinks).Select(i => Add(i, [], 1).Block)];
        BlockId[] others = [.. Enumerable.Range(0, 10).Select(i => Add(-1 - i, [], 1).Block)];
        var first = Add(0, wide, 2);
        var second = Add(1, others, 2);
        Assert.Equal(2 + AncestorWalk.MaxWaiting, (await WalkAsync(first.Block, second.Block)).Count);
    }

    private (BlockId Block, DagNode Node) Add(int number, IReadOnlyList<BlockId> links, ulong height)
    {
        var node = new DagNode { Links = links, Delta = new Delta { Elements = [new DeltaElement($"/{number}", default)], Priority = height } };
        var bytes = node.Encode();
        var block = BlockId.Of(bytes);
        _store.Add(new Block(block.ToCid(), bytes));
        return (block, node);
    }

    private async Task<List<BlockId>> WalkAsync(params BlockId[] from)
    {
        var walk = new AncestorWalk(_store);
        foreach (var block in from)
            await walk.BeginAsync(block, CancellationToken.None);
        var told = new List<BlockId>();
        while (await walk.NextAsync(CancellationToken.None) is { } bytes)
            told.Add(BlockId.Of(bytes.Span));
        return told;
    }
}
