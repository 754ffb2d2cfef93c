namespace Crdt.Tests;

/// <summary>Two replicas that do the same on the same heads make the very same node.</summary>
public sealed class SameNodeTests
{
    [Fact]
    public void A_node_that_a_walk_waits_for_and_this_replica_makes_itself_ends_the_walk()
    {
        var (a, b) = (new MemoryStore(), new MemoryStore());
        var (coreA, coreB) = (MerkleCrdt.Open(a), MerkleCrdt.Open(b));
        var first = Commit(coreA, a, writer => writer.Put("/K", new byte[] { 1 }));
        Deliver(coreB, b, a, first);

        // A removes and writes on; of that B gets the last node only, and then removes by itself.
        var removal = Commit(coreA, a, writer => writer.Remove("/K"));
        var last = Commit(coreA, a, writer => writer.Put("/L", new byte[] { 2 }));
        Deliver(coreB, b, a, last);
        Assert.Equal([removal], coreB.Missing);
        Assert.Equal([first, last], coreB.Announceable);
        Assert.Equal(removal, Commit(coreB, b, writer => writer.Remove("/K")));

        Assert.Equal([last], coreB.Heads.Keys);
        Assert.Equal(3UL, coreB.Heads[last]);
        Assert.Empty(coreB.Missing);
        Assert.Equal(coreB.Heads, MerkleCrdt.Open(b).Heads);
        Assert.Null(MerkleCrdt.Get(b, "/K"));
    }

    private static BlockId Commit(MerkleCrdt core, MemoryStore store, Action<NodeWriter> change)
    {
        var writer = new NodeWriter(core, store, new CrdtOutput());
        change(writer);
        writer.Flush();
        return Assert.Single(writer.Written);
    }

    private static void Deliver(MerkleCrdt core, MemoryStore store, MemoryStore from, BlockId id)
    {
        Assert.True(MerkleCrdt.TryGetBlock(from, id, out var bytes));
        core.HeadsReceived(store, [id], new CrdtOutput());
        core.BlockArrived(store, id, bytes, new CrdtOutput());
    }
}
