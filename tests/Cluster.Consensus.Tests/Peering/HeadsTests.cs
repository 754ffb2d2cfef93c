using Cluster.Consensus.Peering;
using Crdt;
using Libp2p.Bitswap;

namespace Cluster.Consensus.Tests.Peering;

/// <summary>Heads and nodes of the replicated set between peers (spec/crdt.md 3, 4, 13).</summary>
public sealed class HeadsTests
{
    private readonly CancellationToken _limit = new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token;

    [Fact]
    public async Task Announced_heads_reach_peers_two_hops_away_under_their_authors_name()
    {
        await using var a = await NetworkPeer.StartAsync(Hidden());
        await using var b = await NetworkPeer.StartAsync(Hidden());
        await using var c = await NetworkPeer.StartAsync(Hidden());
        await a.DialAsync(b, _limit);
        await b.DialAsync(c, _limit);
        await MeshAsync(a, b);
        await MeshAsync(b, c);

        a.Network.Announce(Message(7));

        Assert.Equal((a.Id, Hex(7)), await b.Replica.Announced.ReadAsync(_limit));
        Assert.Equal((a.Id, Hex(7)), await c.Replica.Announced.ReadAsync(_limit));
    }

    [Fact]
    public async Task Heads_of_an_author_that_is_not_trusted_are_neither_delivered_nor_passed_on()
    {
        await using var stranger = await NetworkPeer.StartAsync(Hidden());
        await using var between = await NetworkPeer.StartAsync(Hidden(), p => p.Replica.TrustAll = false);
        await using var behind = await NetworkPeer.StartAsync(Hidden());
        await stranger.DialAsync(between, _limit);
        await between.DialAsync(behind, _limit);
        await MeshAsync(stranger, between);
        await MeshAsync(between, behind);

        stranger.Network.Announce(Message(1));
        // What is announced after it by one who is trusted shows that the first one was there and was dropped.
        between.Replica.Trust(behind.Id);
        await ReceivedAsync(between, stranger);
        behind.Network.Announce(Message(2));

        Assert.Equal((behind.Id, Hex(2)), await between.Replica.Announced.ReadAsync(_limit));
        between.Network.Announce(Message(3));
        var told = new List<string>();
        while (told.Count < 2)
        {
            var (author, message) = await behind.Replica.Announced.ReadAsync(_limit);
            Assert.NotEqual(stranger.Id, author);
            told.Add(message);
        }

        Assert.Contains(Hex(3), told);
    }

    [Fact]
    public async Task A_peer_that_connects_is_told_the_heads_at_once()
    {
        await using var old = await NetworkPeer.StartAsync(prepare: p => p.Replica.Heads = [Block(5).Id]);
        await using var fresh = await NetworkPeer.StartAsync();
        await fresh.DialAsync(old, _limit);
        Assert.Equal((old.Id, Hex(5)), await fresh.Replica.Announced.ReadAsync(_limit));
    }

    [Fact]
    public async Task Heads_are_asked_of_trusted_peers_only()
    {
        await using var old = await NetworkPeer.StartAsync(prepare: p => (p.Replica.TrustAll, p.Replica.Heads) = (false, [Block(5).Id]));
        await using var wary = await NetworkPeer.StartAsync(prepare: p => p.Replica.TrustAll = false);
        await wary.DialAsync(old, _limit);
        await MeshAsync(wary, old);
        await wary.Network.Host.ConnectionsTo(old.Id)[0].Identified.WaitAsync(_limit);
        Assert.DoesNotContain(old.Network.Host.Traffic, t => t.Protocol.StartsWith("/cluster-micro/heads", StringComparison.Ordinal));

        // Trust that comes with the connection still open counts from the next connection on.
        wary.Replica.Trust(old.Id);
        await wary.Network.Host.DisconnectAsync(old.Id);
        await wary.ConnectedToAsync(old.Id, _limit);
        Assert.Equal(old.Id, (await wary.Replica.Announced.ReadAsync(_limit)).Author);
    }

    [Fact]
    public async Task A_node_is_fetched_from_whoever_has_it()
    {
        await using var a = await NetworkPeer.StartAsync();
        await using var b = await NetworkPeer.StartAsync();
        await using var c = await NetworkPeer.StartAsync();
        await a.DialAsync(b, _limit);
        await a.DialAsync(c, _limit);
        var (id, data) = Block(9);
        var cid = id.ToCid();
        c.Replica.Memory.Add(new Block(cid, data));

        Assert.Equal(data, (await a.Network.FetchAsync(cid, c.Id, _limit)).ToArray());
        // The one who announced it may not have it any more.
        Assert.Equal(data, (await a.Network.FetchAsync(cid, b.Id, _limit)).ToArray());
        Assert.Equal(data, (await a.Network.FetchAsync(cid, null, _limit)).ToArray());
    }

    [Fact]
    public async Task A_node_reaches_a_peer_behind_another_while_that_one_still_merges_it()
    {
        await using var author = await NetworkPeer.StartAsync(Hidden());
        await using var between = await NetworkPeer.StartAsync(Hidden(), p => p.Replica.KeepsNothingFetched = true);
        await using var behind = await NetworkPeer.StartAsync(Hidden());
        await author.DialAsync(between, _limit);
        await between.DialAsync(behind, _limit);
        await MeshAsync(author, between);
        await MeshAsync(between, behind);
        var (id, data) = Block(9);
        var cid = id.ToCid();

        // The one behind asks first: its question is remembered, and answered as soon as the block is there.
        var waiting = behind.Network.FetchAsync(cid, author.Id, _limit);
        while (!between.Network.Host.Traffic.Any(t => t.Protocol.StartsWith("/ipfs/bitswap", StringComparison.Ordinal) && t.Received > 0))
            await Task.Delay(5, _limit);
        author.Replica.Memory.Add(new Block(cid, data));
        Assert.Equal(data, (await between.Network.FetchAsync(cid, author.Id, _limit)).ToArray());

        Assert.Equal(data, (await waiting.WaitAsync(_limit)).ToArray());
        Assert.False(between.Replica.Memory.Contains(cid));
    }

    [Fact]
    public async Task Nodes_that_wait_to_be_merged_are_served_within_bounds()
    {
        var store = new InMemoryBlockStore();
        var recent = new RecentBlocks(new Unwritable(store));
        var blocks = Enumerable.Range(0, 5).Select(i => new byte[RecentBlocks.MostBytes / 4]).Select((b, i) =>
        {
            b[0] = (byte)i;
            return new Block(BlockId.Of(b).ToCid(), b);
        }).ToList();
        foreach (var block in blocks)
        {
            await recent.PutAsync(block, _limit);
            await recent.PutAsync(block, _limit);
        }

        Assert.Null(await recent.GetAsync(blocks[0].Cid, _limit));
        foreach (var block in blocks.Skip(1))
            Assert.Equal(block.Data.Length, await recent.GetSizeAsync(block.Cid, _limit));
        store.Add(blocks[0]);
        Assert.NotNull(await recent.GetAsync(blocks[0].Cid, _limit));
    }

    private sealed class Unwritable(IBlockStore store) : IBlockStore
    {
        public ValueTask<ReadOnlyMemory<byte>?> GetAsync(Ipld.Cid cid, CancellationToken cancellationToken) => store.GetAsync(cid, cancellationToken);

        public ValueTask<int?> GetSizeAsync(Ipld.Cid cid, CancellationToken cancellationToken) => store.GetSizeAsync(cid, cancellationToken);

        public ValueTask PutAsync(Block block, CancellationToken cancellationToken) => default;
    }

    /// <summary>A peer that nobody finds by hearsay, as it names an address at which nobody is: connections are those that the test makes.</summary>
    private static PeeringSettings Hidden() => NetworkPeer.SettingsFor(NetworkPeer.Section() with { AnnounceAddresses = [Libp2p.Multiaddr.Parse("/ip4/127.0.0.1/tcp/1")] });

    private static string Hex(byte number) => Convert.ToHexString(Message(number));

    private static byte[] Message(byte number) => HeadsMessage.Encode([Block(number).Id]);

    private static (BlockId Id, byte[] Data) Block(byte number)
    {
        byte[] data = [0x0a, 1, number];
        return (BlockId.Of(data), data);
    }

    private async Task MeshAsync(NetworkPeer a, NetworkPeer b)
    {
        while (!a.Network.Gossip.MeshOf(a.Network.HeadsTopic).Contains(b.Id) || !b.Network.Gossip.MeshOf(b.Network.HeadsTopic).Contains(a.Id))
            await Task.Delay(5, _limit);
    }

    /// <summary>Waits until what one peer has sent so far was read by the other: a metric behind it has come through.</summary>
    private async Task ReceivedAsync(NetworkPeer to, NetworkPeer from)
    {
        using var reader = to.Peering.Metrics.Read();
        from.Peering.Metrics.Publish([MetricTests.Metric(from, "marker")]);
        while (!(await reader.Batches.ReadAsync(_limit)).Any(m => m.Name == "marker"))
        {
        }
    }
}
