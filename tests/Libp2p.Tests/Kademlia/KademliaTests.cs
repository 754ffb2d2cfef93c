using Ipld;
using Libp2p.Kademlia;
using Xunit;

namespace Libp2p.Tests.Kademlia;

/// <summary>A DHT of several hosts over loopback, and its parts.</summary>
public sealed class KademliaTests
{
    private sealed record Node(Libp2pHost Host, KademliaDht Dht) : IAsyncDisposable
    {
        public static async Task<Node> StartAsync(KademliaOptions? options = null)
        {
            var host = await TestHosts.StartAsync();
            return new Node(host, new KademliaDht(host, options));
        }

        public async ValueTask DisposeAsync()
        {
            await Dht.DisposeAsync();
            await Host.DisposeAsync();
        }
    }

    /// <summary>Hosts that know only the first one to begin with.</summary>
    private static async Task<Node[]> StartAsync(int count)
    {
        var nodes = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => Node.StartAsync()));
        foreach (var node in nodes.Skip(1)) await node.Host.DialAsync(nodes[0].Host.Address());
        await TestHosts.EventuallyAsync(() => nodes[0].Dht.Peers.Count == count - 1 && nodes.All(n => n.Dht.Peers.Count > 0), "the peers do not find each other");
        return nodes;
    }

    private static async Task StopAsync(Node[] nodes)
    {
        foreach (var node in nodes) await node.DisposeAsync();
    }

    [Fact]
    public async Task A_peer_is_found_through_others()
    {
        var nodes = await StartAsync(8);
        var found = await nodes[3].Dht.FindPeerAsync(nodes[6].Host.Id, TestHosts.Deadline());
        Assert.Contains(nodes[6].Host.ListenAddresses[0], found);
        Assert.Empty(await nodes[3].Dht.FindPeerAsync(PrivateKey.GenerateEd25519().PeerId, TestHosts.Deadline()));
        // And can be dialled by its id alone.
        Assert.True((await nodes[3].Host.DialAsync(nodes[6].Host.Id, TestHosts.Deadline())).IsOpen);
        await StopAsync(nodes);
    }

    [Fact]
    public async Task Content_is_provided_and_its_providers_found()
    {
        var nodes = await StartAsync(8);
        var cid = CidPrefix.V1.Sum(Multicodec.Raw, [1, 2, 3]);
        Assert.True(await nodes[2].Dht.ProvideAsync(cid, TestHosts.Deadline()) > 0);
        await nodes[5].Dht.ProvideAsync(cid, TestHosts.Deadline());
        HashSet<PeerId> providers = [];
        await TestHosts.EventuallyAsync(() =>
        {
            providers = nodes[7].Dht.FindProvidersAsync(cid, TestHosts.Deadline()).ToBlockingEnumerable().ToHashSet();
            return providers.Count == 2;
        }, "the providers are not found");
        Assert.True(providers.SetEquals([nodes[2].Host.Id, nodes[5].Host.Id]));
        Assert.Empty(nodes[7].Dht.FindProvidersAsync(CidPrefix.V1.Sum(Multicodec.Raw, [9]), TestHosts.Deadline()).ToBlockingEnumerable());
        await StopAsync(nodes);
    }

    [Fact]
    public async Task A_public_key_is_kept_and_found_and_a_wrong_one_refused()
    {
        var nodes = await StartAsync(4);
        var key = PrivateKey.GenerateEd25519();
        byte[] name = [.. "/pk/"u8, .. key.PeerId.Bytes];
        Assert.True(await nodes[1].Dht.PutValueAsync(name, key.PublicKey.ToProtobuf(), TestHosts.Deadline()) > 0);
        Assert.Equal(key.PublicKey.ToProtobuf(), (await nodes[3].Dht.GetValueAsync(name, TestHosts.Deadline()))!.Value.ToArray());
        await Assert.ThrowsAsync<ArgumentException>(() => nodes[1].Dht.PutValueAsync(name, PrivateKey.GenerateEd25519().PublicKey.ToProtobuf()));
        Assert.Null(await nodes[2].Dht.GetValueAsync((byte[])[.. "/pk/"u8, .. PrivateKey.GenerateEd25519().PeerId.Bytes], TestHosts.Deadline()));
        await StopAsync(nodes);
    }

    [Fact]
    public async Task A_lost_peer_leaves_the_table_when_it_does_not_answer()
    {
        var nodes = await StartAsync(3);
        await nodes[2].DisposeAsync();
        var deadline = TestHosts.Deadline();
        // An answer from before, which somebody still has in hand, may bring it back.
        IReadOnlyList<PeerId> left;
        do
        {
            await nodes[0].Dht.FindClosestAsync(nodes[2].Host.Id.ToBytes(), deadline);
            left = nodes[0].Dht.Peers;
        }
        while (left.Contains(nodes[2].Host.Id));
        Assert.Equal([nodes[1].Host.Id], left);
        await StopAsync(nodes[..2]);
    }

    [Fact]
    public async Task A_bad_request_resets_its_stream_only()
    {
        var nodes = await StartAsync(2);
        var connection = nodes[1].Host.ConnectionsTo(nodes[0].Host.Id)[0];
        byte[][] bad = [[0x05, 0xff, 0xff, 0xff, 0xff, 0xff], [0x04, 0x08, 0x04, 0x50, 0x01], [0x04, 0x08, 0x09, 0x50, 0x01], [0x81, 0x80, 0x80, 0x02]];
        foreach (byte[] bytes in bad)
        {
            var stream = await connection.NewStreamAsync(new KademliaOptions().Protocol);
            await stream.Output.WriteAsync(bytes);
            await Assert.ThrowsAsync<StreamResetException>(async () => await stream.Input.ReadAllAsync(TestHosts.Deadline()));
        }
        Assert.Contains(nodes[0].Host.Id, await nodes[1].Dht.FindClosestAsync(new byte[] { 1 }, TestHosts.Deadline()));
        await StopAsync(nodes);
    }

    [Fact]
    public void A_full_bucket_keeps_its_peers_until_they_were_of_no_use_for_long()
    {
        var self = PrivateKey.GenerateEd25519().PeerId;
        var table = new RoutingTable(self, 2, TimeSpan.FromMinutes(30));
        var start = DateTimeOffset.UnixEpoch;
        var own = KademliaKey.Of(self);
        // Three peers at the same distance: half of all peers are at the greatest.
        var far = Enumerable.Range(0, 100).Select(_ => PrivateKey.GenerateEd25519().PeerId).Where(p => own.CommonPrefix(KademliaKey.Of(p)) == 0).Take(3).ToArray();
        Assert.True(table.Add(far[0], start));
        Assert.True(table.Add(far[1], start.AddMinutes(1)));
        Assert.False(table.Add(far[2], start.AddMinutes(29)));
        Assert.True(table.Add(far[0], start.AddMinutes(29)));
        Assert.True(table.Add(far[2], start.AddMinutes(31)));
        Assert.Equal([far[0], far[2]], table.Peers);
        Assert.False(table.Add(self, start));
    }

    [Fact]
    public void A_lookup_asks_nearer_and_nearer_peers_and_ends_at_the_nearest()
    {
        var random = new Random(5);
        var all = Enumerable.Range(0, 400).Select(_ => RandomPeer(random)).ToArray();
        var target = KademliaKey.Of("somewhere"u8);
        var sorted = all.OrderBy(p => KademliaKey.Of(p), Comparer<KademliaKey>.Create(target.CompareDistance)).ToArray();
        var down = sorted.Where((_, i) => i % 7 == 3).ToHashSet();
        var self = PrivateKey.GenerateEd25519().PeerId;
        // Everyone knows its neighbourhood and some others, as full tables would have it.
        var knows = all.ToDictionary(p => p, p =>
        {
            var table = new RoutingTable(p, 20, TimeSpan.FromHours(1));
            foreach (var other in all.OrderBy(_ => random.Next())) table.Add(other, DateTimeOffset.UnixEpoch);
            return table;
        });
        var lookup = new Lookup(target, self, 20, 3);
        lookup.Add([sorted[^1], sorted[^2]]);
        int asked = 0;
        while (!lookup.IsDone)
        {
            var peer = Assert.NotNull(lookup.Next());
            asked++;
            if (down.Contains(peer)) lookup.Failed(peer);
            else lookup.Answered(peer, knows[peer].Nearest(target, 20));
        }
        // Buckets do not hold everyone: at the rim of the neighbourhood a peer may stay unknown, at its core none.
        var nearest = sorted.Where(p => !down.Contains(p)).Take(20).ToArray();
        Assert.Equal(nearest[..10], lookup.Nearest.Take(10));
        Assert.True(nearest.Intersect(lookup.Nearest).Count() >= 17);
        Assert.InRange(asked, 20, 100);
    }

    private static PeerId RandomPeer(Random random)
    {
        var bytes = new byte[34];
        random.NextBytes(bytes);
        bytes[0] = 0x12;
        bytes[1] = 32;
        return PeerId.FromBytes(bytes);
    }
}
