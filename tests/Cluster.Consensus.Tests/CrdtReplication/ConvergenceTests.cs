using Cluster.Consensus.CrdtReplication;
using Cluster.Consensus.Replication;
using Crdt;

namespace Cluster.Consensus.Tests.CrdtReplication;

public sealed class ConvergenceTests : IAsyncLifetime
{
    private readonly MemoryNetwork _network = new();
    private readonly List<CrdtPeer> _peers = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var peer in _peers)
            await peer.DisposeAsync();
    }

    [Fact]
    public async Task A_pin_and_its_removal_are_seen_by_all_peers()
    {
        var (a, b) = (Add(1), Add(2));
        await a.PinAsync(7, "seven");
        await b.UntilAsync(() => b.State.Find(Peer.Cid(7)) is { Options.Name: "seven" });
        await b.UnpinAsync(7);
        await a.UntilAsync(() => a.State.Totals.Count == 0);
        await CrdtPeer.ConvergeAsync(a, b);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task Concurrent_pins_and_unpins_end_in_the_same_heads_and_the_same_pinset(int seed)
    {
        CrdtPeer[] peers = [Add(1), Add(2), Add(3)];
        var random = new Random(seed);
        var tasks = new List<Task>();
        for (var i = 0; i < 600; i++)
        {
            var (peer, key, name) = (peers[random.Next(3)], random.Next(40), $"{i}");
            tasks.Add(random.Next(3) == 0 ? peer.UnpinAsync(key) : peer.PinAsync(key, name));
            if (random.Next(20) == 0)
                await Task.WhenAll(tasks);
        }

        await Task.WhenAll(tasks);
        await CrdtPeer.ConvergeAsync(peers);
        Assert.NotEqual("", peers[0].Export());
    }

    [Fact]
    public async Task What_both_sides_of_a_partition_wrote_is_on_both_after_the_heal()
    {
        var settings = new CrdtSettings { RebroadcastInterval = TimeSpan.FromMilliseconds(50) };
        CrdtPeer[] peers = [Add(1, settings), Add(2, settings), Add(3, settings)];
        await peers[0].PinAsync(1, "before");
        await CrdtPeer.ConvergeAsync(peers);

        _network.Join(peers[2].Id, peers[2].Consensus, group: 1);
        await peers[0].PinAsync(2, "left");
        await peers[0].UnpinAsync(1);
        await peers[2].PinAsync(3, "right");
        await peers[2].PinAsync(1, "concurrent: an addition wins");
        await CrdtPeer.ConvergeAsync(peers[0], peers[1]);
        Assert.NotEqual(peers[0].Export(), peers[2].Export());

        _network.Join(peers[2].Id, peers[2].Consensus);
        await CrdtPeer.ConvergeAsync(peers);
        Assert.Equal(3UL, peers[0].State.Totals.Count);
        Assert.Equal("concurrent: an addition wins", peers[1].State.Find(Peer.Cid(1))!.Options.Name);
    }

    [Fact]
    public async Task A_lost_announcement_is_made_good_by_the_next_broadcast()
    {
        var settings = new CrdtSettings { RebroadcastInterval = TimeSpan.FromMilliseconds(50) };
        var (a, b) = (Add(1, settings), Add(2, settings));
        _network.Leave(b.Id);
        await a.PinAsync(1);

        // Back without a word: only the periodic announcement tells.
        _network.Join(b.Id, b.Consensus, quietly: true);
        await CrdtPeer.ConvergeAsync(a, b);
    }

    [Fact]
    public async Task Operations_that_wait_share_a_node_and_a_write()
    {
        var a = Add(1);

        // The writer is held where it announces the first node: the others wait together, of whatever speed the disk is.
        using var gate = new ManualResetEventSlim();
        _network.Join(Peer.Id(9), new Gate(gate));
        await a.PinAsync(500);
        var waiting = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => Task.Run(() => Task.FromResult(a.PinAsync(i)))));
        gate.Set();
        await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(501UL, a.State.Totals.Count);
        Assert.InRange(Assert.Single(a.Heads).Value, 2UL, 4UL);
        Assert.Equal(a.ExportOfTheSet(), a.Export());
    }

    [Fact]
    public async Task More_than_a_node_holds_becomes_several_and_of_one_key_the_last_word_counts()
    {
        var (a, b) = (Add(1), Add(2));
        var big = new string('x', 10_000);
        List<StateOperation> operations = [];
        for (var i = 0; i < 400; i++)
            operations.Add(StateOperation.Put(CrdtPeer.Pin(i % 300, big + i)));
        operations.Add(StateOperation.Remove(Peer.Cid(0)));
        operations.Add(StateOperation.Remove(Peer.Cid(299)));
        operations.Add(StateOperation.Put(CrdtPeer.Pin(299, "again")));
        await a.Consensus.CommitAsync(operations, CancellationToken.None);

        Assert.InRange(Assert.Single(a.Heads).Value, 3UL, 6UL);
        await CrdtPeer.ConvergeAsync(a, b);
        Assert.Equal(299UL, b.State.Totals.Count);
        Assert.Equal("again", b.State.Find(Peer.Cid(299))!.Options.Name);
        Assert.Equal(big + "301", b.State.Find(Peer.Cid(1))!.Options.Name);
    }

    [Fact]
    public async Task Removing_what_is_not_there_makes_no_node()
    {
        var a = Add(1);
        await a.UnpinAsync(1);
        Assert.Empty(a.Heads);
        await a.Consensus.CommitAsync([StateOperation.Put(CrdtPeer.Pin(2)), StateOperation.Remove(Peer.Cid(2))], CancellationToken.None);
        Assert.Empty(a.Heads);
        Assert.Equal(0UL, a.State.Totals.Count);
    }

    [Fact]
    public async Task Who_is_not_trusted_is_not_heard_until_he_is()
    {
        var a = Add(1, new CrdtSettings { TrustAll = false, TrustedPeers = [Peer.Id(3)] });
        var (b, c) = (Add(2), Add(3));
        Assert.True(a.Consensus.IsTrusted(a.Id));
        Assert.False(a.Consensus.IsTrusted(b.Id));
        _network.Join(b.Id, b.Consensus, group: 1);
        await b.PinAsync(1);
        await c.PinAsync(2);
        await a.UntilAsync(() => a.State.Contains(Peer.Cid(2)));

        _network.Join(b.Id, new Mute(b.Consensus)); // serves blocks, hears nothing
        a.Consensus.HeadsAnnounced(b.Id, b.Consensus.CurrentHeads());
        await c.PinAsync(3);
        await a.UntilAsync(() => a.State.Contains(Peer.Cid(3)));
        Assert.False(a.State.Contains(Peer.Cid(1)));

        a.Consensus.Trust(b.Id);
        a.Consensus.HeadsAnnounced(b.Id, b.Consensus.CurrentHeads());
        await a.UntilAsync(() => a.State.Contains(Peer.Cid(1)));
    }

    [Fact]
    public async Task A_walk_goes_on_after_a_restart_where_it_stopped()
    {
        var a = Add(1);
        for (var i = 0; i < 60; i++)
            await a.PinAsync(i);
        _network.FetchLimit = 20;
        var b = Add(2);
        await b.UntilAsync(() => _network.Fetches == 20 && b.State.Totals.Count == 20);
        Assert.Equal(1, b.Missing);

        await b.RestartAsync();
        Assert.Equal(20UL, b.State.Totals.Count);
        _network.FetchLimit = int.MaxValue;
        _network.Change();
        await CrdtPeer.ConvergeAsync(a, b);

        // Nothing was fetched twice.
        Assert.Equal(60, _network.Fetches);
    }

    [Fact]
    public async Task Two_that_missed_each_other_join_their_branches_with_the_next_write()
    {
        var (a, b) = (Add(1), Add(2));
        _network.Join(b.Id, b.Consensus, group: 1);
        await a.PinAsync(1);
        await b.PinAsync(2);
        _network.Join(b.Id, b.Consensus);
        await CrdtPeer.ConvergeAsync(a, b);
        Assert.Equal(2, a.Heads.Count);
        Assert.Equal(HeadsMessage.Encode([.. a.Heads.Keys]), a.Consensus.CurrentHeads().ToArray());
        await a.PinAsync(3);
        await CrdtPeer.ConvergeAsync(a, b);
        Assert.Single(b.Heads);
    }

    private CrdtPeer Add(int number, CrdtSettings? settings = null)
    {
        var peer = new CrdtPeer(number, _network, settings);
        _peers.Add(peer);
        return peer;
    }

    /// <summary>Holds whoever announces something to it, until it is opened.</summary>
    private sealed class Gate(ManualResetEventSlim open) : ICrdtReplica
    {
        public Libp2p.Bitswap.IBlockStore Blocks { get; } = new Libp2p.Bitswap.InMemoryBlockStore();

        public bool IsTrusted(Libp2p.PeerId author) => true;

        public void HeadsAnnounced(Libp2p.PeerId author, ReadOnlyMemory<byte> message)
        {
            if (!message.IsEmpty)
                open.Wait(TimeSpan.FromSeconds(60));
        }

        public ReadOnlyMemory<byte> CurrentHeads() => default;
    }

    /// <summary>A replica that serves its blocks, hears nothing and says nothing by itself.</summary>
    private sealed class Mute(ICrdtReplica replica) : ICrdtReplica
    {
        public Libp2p.Bitswap.IBlockStore Blocks => replica.Blocks;

        public bool IsTrusted(Libp2p.PeerId author) => replica.IsTrusted(author);

        public void HeadsAnnounced(Libp2p.PeerId author, ReadOnlyMemory<byte> message)
        {
        }

        public ReadOnlyMemory<byte> CurrentHeads() => default;
    }
}
