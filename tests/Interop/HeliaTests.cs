using System.Security.Cryptography;
using Ipld;
using Libp2p;
using Libp2p.Bitswap;
using Xunit;

namespace Interop;

/// <summary>bitswap with Helia: a DAG of a thousand blocks, both ways.</summary>
[Trait("Category", "Slow")]
public sealed class HeliaTests
{
    private static CancellationToken Deadline(int seconds = 240) => new CancellationTokenSource(TimeSpan.FromSeconds(seconds)).Token;

    private static async Task<(Libp2pHost Host, InMemoryBlockStore Store, BitswapExchange Exchange)> StartAsync(NetworkSecret? secret)
    {
        var host = new Libp2pHost(new HostOptions { Key = PrivateKey.GenerateEd25519(), Listen = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")], Secret = secret });
        await host.StartAsync();
        var store = new InMemoryBlockStore();
        return (host, store, new BitswapExchange(host, store));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task We_fetch_a_thousand_blocks_from_helia(bool withSecret)
    {
        var secret = withSecret ? NetworkSecret.Generate() : null;
        await using var peer = await JsPeer.StartAsync(NodePackages.Helia, secret, "blocks.mjs");
        var (host, store, exchange) = await StartAsync(secret);
        await using var _ = host;
        await using var __ = exchange;
        var made = await peer.AskAsync("make", new { blocks = 1000, width = 30 });
        Assert.Equal(1000, made.GetProperty("blocks").GetInt32());
        await host.DialAsync(peer.Address, Deadline());
        int blocks = await FetchAsync(exchange, Cid.Parse(made.GetProperty("root").GetString()!));
        Assert.Equal(1000, blocks);
        Assert.Equal(1000, store.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Helia_fetches_a_thousand_blocks_from_us(bool withSecret)
    {
        var secret = withSecret ? NetworkSecret.Generate() : null;
        await using var peer = await JsPeer.StartAsync(NodePackages.Helia, secret, "blocks.mjs");
        var (host, store, exchange) = await StartAsync(secret);
        await using var _ = host;
        await using var __ = exchange;
        var root = Make(store);
        await peer.AskAsync("dial", new { address = host.ListenAddresses[0].WithPeer(host.Id).ToString() });
        var fetched = await peer.AskAsync("fetch", new { root = root.ToString() });
        Assert.Equal(1000, fetched.GetProperty("blocks").GetInt32());
        Assert.Equal(HashOf(store, root), fetched.GetProperty("hash").GetString());
    }

    private static async Task<int> FetchAsync(BitswapExchange exchange, Cid root)
    {
        var session = exchange.NewSession();
        List<Cid> level = [root];
        int blocks = 0;
        while (level.Count > 0)
        {
            List<Cid> next = [];
            await foreach (var block in session.GetManyAsync(level, Deadline()))
            {
                blocks++;
                next.AddRange(DagPbNode.Decode(block.Data.Span).Links.Select(link => link.Cid));
            }
            level = next;
        }
        return blocks;
    }

    /// <summary>A root, 37 nodes, 962 leaves of 1 byte to 60 KiB.</summary>
    private static Cid Make(InMemoryBlockStore store)
    {
        var random = new Random(4);
        List<DagPbLink> nodes = [];
        for (int i = 0; i < 37; i++)
        {
            List<DagPbLink> leaves = [];
            for (int k = 0; k < 26; k++)
            {
                var data = new byte[1 + random.Next(i * k * 63 + 1)];
                random.NextBytes(data);
                leaves.Add(new DagPbLink(Add(store, DagPbNode.Encode([], data)), "", 0));
            }
            nodes.Add(new DagPbLink(Add(store, DagPbNode.Encode(leaves, new byte[] { (byte)i })), "", 0));
        }
        return Add(store, DagPbNode.Encode(nodes, null));
    }

    private static Cid Add(InMemoryBlockStore store, byte[] node)
    {
        var cid = CidPrefix.V1.Sum(Multicodec.DagPb, node);
        store.Add(new Block(cid, node));
        return cid;
    }

    private static string HashOf(InMemoryBlockStore store, Cid root)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        List<Cid> level = [root];
        while (level.Count > 0)
        {
            List<Cid> next = [];
            foreach (var cid in level)
            {
                var data = store.GetAsync(cid, default).AsTask().GetAwaiter().GetResult()!.Value;
                hash.AppendData(data.Span);
                next.AddRange(DagPbNode.Decode(data.Span).Links.Select(link => link.Cid));
            }
            level = next;
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
