using Ipld;
using Libp2p.Bitswap;
using Xunit;

namespace Libp2p.Tests.Bitswap;

/// <summary>Hosts that exchange blocks over loopback.</summary>
public sealed class BitswapExchangeTests
{
    private sealed record Node(Libp2pHost Host, InMemoryBlockStore Store, BitswapExchange Exchange, TestLog Log) : IAsyncDisposable
    {
        public static async Task<Node> StartAsync(BitswapOptions? options = null)
        {
            var log = new TestLog();
            var host = await TestHosts.StartAsync(log: log);
            var store = new InMemoryBlockStore();
            return new Node(host, store, new BitswapExchange(host, store, options, log), log);
        }

        public async Task ConnectAsync(Node other)
        {
            var connection = await Host.DialAsync(other.Host.Address());
            await connection.Identified;
            await TestHosts.EventuallyAsync(() => Exchange.Peers.Contains(other.Host.Id) && other.Exchange.Peers.Contains(Host.Id), "the peers do not see each other");
        }

        public async ValueTask DisposeAsync()
        {
            await Exchange.DisposeAsync();
            await Host.DisposeAsync();
        }
    }

    private static Block Block(int seed, int length)
    {
        var data = new byte[length];
        new Random(seed).NextBytes(data);
        return new Block(CidPrefix.V1.Sum(Multicodec.Raw, data), data);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(2 << 20)]
    public async Task A_block_is_fetched_whole_whatever_its_size(int length)
    {
        await using var a = await Node.StartAsync();
        await using var b = await Node.StartAsync();
        var block = Block(1, length);
        b.Store.Add(block);
        await a.ConnectAsync(b);
        var got = await a.Exchange.GetAsync(block.Cid, TestHosts.Deadline());
        Assert.Equal(block.Data.ToArray(), got.ToArray());
        Assert.True(a.Store.Contains(block.Cid));
        Assert.Equal(0, a.Exchange.Wanted);
    }

    [Fact]
    public async Task A_thousand_blocks_come_from_two_peers_that_hold_half_each()
    {
        await using var a = await Node.StartAsync();
        await using var b = await Node.StartAsync();
        await using var c = await Node.StartAsync();
        var blocks = Enumerable.Range(0, 1000).Select(i => Block(i, 200 + i * 7)).ToArray();
        for (int i = 0; i < blocks.Length; i++) (i % 2 == 0 ? b : c).Store.Add(blocks[i]);
        await a.ConnectAsync(b);
        await a.ConnectAsync(c);
        HashSet<Cid> got = [];
        await foreach (var block in a.Exchange.GetManyAsync(blocks.Select(x => x.Cid), TestHosts.Deadline())) got.Add(block.Cid);
        Assert.True(got.SetEquals(blocks.Select(x => x.Cid)));
        // Nobody is left with wants of ours.
        await TestHosts.EventuallyAsync(() => b.Exchange.WantedBy(a.Host.Id) == 0 && c.Exchange.WantedBy(a.Host.Id) == 0, "wants are left");
    }

    [Fact]
    public async Task A_want_is_remembered_and_served_when_the_block_comes()
    {
        await using var a = await Node.StartAsync();
        await using var b = await Node.StartAsync();
        await using var c = await Node.StartAsync();
        await a.ConnectAsync(b);
        await b.ConnectAsync(c);
        var block = Block(3, 5000);
        var fetch = a.Exchange.GetAsync(block.Cid, TestHosts.Deadline());
        await TestHosts.EventuallyAsync(() => b.Exchange.WantedBy(a.Host.Id) == 1, "the want does not arrive");
        c.Store.Add(block);
        // b gets it from c, and so a from b, though a asked long before.
        await b.Exchange.GetAsync(block.Cid, c.Host.Id, TestHosts.Deadline());
        Assert.Equal(block.Data.ToArray(), (await fetch).ToArray());
    }

    [Fact]
    public async Task A_block_that_comes_between_the_look_and_the_want_is_not_missed()
    {
        await using var host = await TestHosts.StartAsync();
        var store = new LateStore();
        await using var exchange = new BitswapExchange(host, store);
        var block = Block(7, 100);
        store.Missed = () =>
        {
            store.Blocks.Add(block);
            exchange.NotifyNewBlocks([block.Cid]);
        };
        var got = await exchange.GetAsync(block.Cid, TestHosts.Deadline());
        Assert.Equal(block.Data.ToArray(), got.ToArray());
        Assert.Equal(0, exchange.Wanted);
    }

    /// <summary>A store in which something happens after the first look in vain.</summary>
    private sealed class LateStore : IBlockStore
    {
        public InMemoryBlockStore Blocks { get; } = new();

        public Action? Missed { get; set; }

        public async ValueTask<ReadOnlyMemory<byte>?> GetAsync(Cid cid, CancellationToken cancellationToken)
        {
            var found = await Blocks.GetAsync(cid, cancellationToken);
            if (Missed is { } act)
            {
                Missed = null;
                act();
            }
            return found;
        }

        public ValueTask<int?> GetSizeAsync(Cid cid, CancellationToken cancellationToken) => Blocks.GetSizeAsync(cid, cancellationToken);

        public ValueTask PutAsync(Block block, CancellationToken cancellationToken) => Blocks.PutAsync(block, cancellationToken);
    }

    [Fact]
    public async Task News_of_an_old_connection_do_not_take_a_peer_away_that_is_back()
    {
        await using var a = await Node.StartAsync();
        await using var b = await Node.StartAsync();
        await a.ConnectAsync(b);
        var old = a.Host.ConnectionsTo(b.Host.Id)[0];
        await old.CloseAsync();
        await TestHosts.EventuallyAsync(() => a.Exchange.Peers.Count == 0 && b.Exchange.Peers.Count == 0, "the peers do not see that they are apart");
        await a.ConnectAsync(b);
        Block wanted = Block(8, 5000), served = Block(9, 5000);
        var waiting = b.Exchange.GetAsync(served.Cid, TestHosts.Deadline());
        await TestHosts.EventuallyAsync(() => a.Exchange.WantedBy(b.Host.Id) == 1, "the want does not arrive");
        // The end of a connection is told on a thread of its own, which may be late.
        a.Exchange.OnDisconnected(old, last: true);
        b.Store.Add(wanted);
        Assert.Equal(wanted.Data.ToArray(), (await a.Exchange.GetAsync(wanted.Cid, TestHosts.Deadline())).ToArray());
        a.Store.Add(served);
        a.Exchange.NotifyNewBlocks([served.Cid]);
        Assert.Equal(served.Data.ToArray(), (await waiting).ToArray());
    }

    [Fact]
    public async Task A_want_goes_to_a_peer_that_connects_later()
    {
        await using var a = await Node.StartAsync();
        await using var b = await Node.StartAsync();
        var block = Block(4, 100_000);
        b.Store.Add(block);
        var fetch = a.Exchange.GetAsync(block.Cid, TestHosts.Deadline());
        await a.ConnectAsync(b);
        Assert.Equal(block.Data.ToArray(), (await fetch).ToArray());
    }

    [Fact]
    public async Task A_given_up_want_is_cancelled_at_the_peers()
    {
        await using var a = await Node.StartAsync();
        await using var b = await Node.StartAsync();
        await a.ConnectAsync(b);
        using var giveUp = new CancellationTokenSource();
        var fetch = a.Exchange.GetAsync(Block(5, 10).Cid, giveUp.Token);
        await TestHosts.EventuallyAsync(() => b.Exchange.WantedBy(a.Host.Id) == 1, "the want does not arrive");
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetch);
        await TestHosts.EventuallyAsync(() => b.Exchange.WantedBy(a.Host.Id) == 0, "the cancel does not arrive");
        Assert.Equal(0, a.Exchange.Wanted);
    }

    [Fact]
    public async Task A_block_with_a_wrong_hash_or_unasked_is_dropped()
    {
        await using var a = await Node.StartAsync();
        var evil = await TestHosts.StartAsync();
        await using var closing = evil;
        var wanted = Block(6, 100);
        var forged = new byte[100];
        var fetch = a.Exchange.GetAsync(wanted.Cid, TestHosts.Deadline());
        var connection = await evil.DialAsync(a.Host.Address());
        await using (var stream = await connection.NewStreamAsync(BitswapProtocols.All))
        {
            var lie = new BitswapMessage();
            // Written with the wanted block's prefix, so that only the bytes betray it.
            lie.Blocks.Add(new Block(wanted.Cid, forged));
            stream.Output.WriteFrame(lie.Encode());
            var truth = new BitswapMessage();
            truth.Blocks.Add(wanted);
            stream.Output.WriteFrame(truth.Encode());
            await stream.Output.FlushAsync();
        }
        Assert.Equal(wanted.Data.ToArray(), (await fetch).ToArray());
        Assert.Equal(1, a.Store.Count);
    }

    [Fact]
    public async Task Garbage_resets_the_stream_and_nothing_else()
    {
        await using var a = await Node.StartAsync();
        await using var b = await Node.StartAsync();
        var block = Block(7, 50);
        a.Store.Add(block);
        await b.ConnectAsync(a);
        var connection = b.Host.ConnectionsTo(a.Host.Id)[0];
        byte[][] bad = [[0x03, 0xff, 0xff, 0xff], Convert.FromHexString("0f0a0d0a0b0a07676172626167651001"), [0xff, 0xff, 0xff, 0x7f]];
        foreach (byte[] bytes in bad)
        {
            var stream = await connection.NewStreamAsync(BitswapProtocols.All);
            await stream.Output.WriteAsync(bytes);
            await Assert.ThrowsAsync<StreamResetException>(async () => await stream.Input.ReadAllAsync(TestHosts.Deadline()));
        }
        Assert.Equal(block.Data.ToArray(), (await b.Exchange.GetAsync(block.Cid, TestHosts.Deadline())).ToArray());
    }

    [Fact]
    public async Task A_flood_of_wants_is_remembered_only_up_to_the_limit()
    {
        await using var a = await Node.StartAsync();
        await using var b = await Node.StartAsync();
        await b.ConnectAsync(a);
        await using var stream = await b.Host.ConnectionsTo(a.Host.Id)[0].NewStreamAsync(BitswapProtocols.All);
        var flood = new BitswapMessage();
        for (int i = 0; i < 20_000; i++) flood.Wantlist.Add(new WantlistEntry(CidPrefix.V1.Sum(Multicodec.Raw, BitConverter.GetBytes(i)), 1));
        stream.Output.WriteFrame(flood.Encode());
        await stream.Output.FlushAsync();
        await TestHosts.EventuallyAsync(() => a.Exchange.WantedBy(b.Host.Id) == new BitswapOptions().MaxWantsPerPeer, "the limit does not hold");
    }
}
