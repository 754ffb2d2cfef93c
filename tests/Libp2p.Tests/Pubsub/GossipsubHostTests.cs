using System.Collections.Concurrent;
using System.Text;
using Libp2p.Pubsub;
using Xunit;

namespace Libp2p.Tests.Pubsub;

/// <summary>gossipsub on real hosts over loopback.</summary>
public sealed class GossipsubHostTests
{
    private const string Topic = "news";

    private static readonly GossipsubOptions Quick = new() { HeartbeatInterval = TimeSpan.FromMilliseconds(200), MessageIdOf = MessageId.ShortAuthor(16) };

    private sealed class Node : IAsyncDisposable
    {
        private readonly PubsubSubscription subscription;
        private readonly Task reading;

        private Node(Libp2pHost host, Gossipsub gossip, TestLog log)
        {
            (Host, Gossip, Log) = (host, gossip, log);
            subscription = gossip.Subscribe(Topic);
            reading = ReadAsync();
        }

        public Libp2pHost Host { get; }

        public Gossipsub Gossip { get; }

        public TestLog Log { get; }

        public ConcurrentQueue<string> Got { get; } = new();

        public static async Task<Node> StartAsync(GossipsubOptions? options = null)
        {
            var log = new TestLog();
            var host = await TestHosts.StartAsync(log: log);
            return new Node(host, new Gossipsub(host, options ?? Quick, log), log);
        }

        public async Task ConnectAsync(Node other)
        {
            await Host.DialAsync(other.Host.Address());
            await TestHosts.EventuallyAsync(() => Gossip.PeersOf(Topic).Contains(other.Host.Id) && other.Gossip.PeersOf(Topic).Contains(Host.Id),
                $"the peers do not see each other's topics\n{Log}");
        }

        private async Task ReadAsync()
        {
            await foreach (var message in subscription.Messages.ReadAllAsync()) Got.Enqueue(Encoding.UTF8.GetString(message.Data.Span));
        }

        public async ValueTask DisposeAsync()
        {
            subscription.Dispose();
            await reading;
            await Gossip.DisposeAsync();
            await Host.DisposeAsync();
        }
    }

    private static async Task<Node[]> StartAsync(int count, Func<int, IEnumerable<int>> dials, GossipsubOptions? options = null)
    {
        var nodes = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => Node.StartAsync(options)));
        for (int i = 0; i < count; i++)
            foreach (int other in dials(i)) await nodes[i].ConnectAsync(nodes[other]);
        // All neighbours are in the mesh, so that a message comes to all by it, and not by gossip, which has its time.
        foreach (var node in nodes)
            await TestHosts.EventuallyAsync(() => node.Gossip.MeshOf(Topic).Count == node.Host.ConnectedPeers.Count, $"the mesh does not form\n{node.Log}");
        return nodes;
    }

    private static async Task StopAsync(IEnumerable<Node> nodes)
    {
        foreach (var node in nodes) await node.DisposeAsync();
    }

    private static async Task EachGotOnceAsync(IEnumerable<Node> nodes, string[] messages)
    {
        foreach (var node in nodes)
            await TestHosts.EventuallyAsync(() => node.Got.Count >= messages.Length, $"{node.Got.Count} of {messages.Length} messages came\n{node.Log}");
        // A second copy would come at the next heartbeats.
        await Task.Delay(2 * Quick.HeartbeatInterval);
        foreach (var node in nodes) Assert.Equal(messages.Order(), node.Got.Order());
    }

    [Fact]
    public async Task News_of_an_old_connection_do_not_take_a_peer_away_that_is_back()
    {
        var nodes = await StartAsync(2, i => Enumerable.Range(0, i));
        var (a, b) = (nodes[0], nodes[1]);
        var old = a.Host.ConnectionsTo(b.Host.Id)[0];
        await old.CloseAsync();
        await TestHosts.EventuallyAsync(() => a.Gossip.Peers.Count == 0 && b.Gossip.Peers.Count == 0, "the peers do not see that they are apart");
        await a.ConnectAsync(b);
        // The end of a connection is told on a thread of its own, which may be late.
        a.Gossip.OnDisconnected(old, last: true);
        Assert.Contains(b.Host.Id, a.Gossip.PeersOf(Topic));
        await TestHosts.EventuallyAsync(() => a.Gossip.MeshOf(Topic).Contains(b.Host.Id), "the peer is not in the mesh");
        a.Gossip.Publish(Topic, "back"u8.ToArray());
        await EachGotOnceAsync(nodes, ["back"]);
        await StopAsync(nodes);
    }

    [Fact]
    public async Task Five_hosts_get_every_message_of_each_other_once()
    {
        var nodes = await StartAsync(5, i => Enumerable.Range(0, i));
        var messages = new List<string>();
        for (int i = 0; i < 100; i++)
        {
            messages.Add($"message {i}");
            nodes[i % 5].Gossip.Publish(Topic, Encoding.UTF8.GetBytes(messages[^1]));
        }
        await EachGotOnceAsync(nodes, [.. messages]);
        await StopAsync(nodes);
    }

    [Fact]
    public async Task Messages_travel_along_a_chain_and_around_a_lost_host()
    {
        // 0-1-2-3-4, and 0-4 as the way around.
        var nodes = await StartAsync(5, i => i == 0 ? [] : i == 4 ? [3, 0] : [i - 1]);
        nodes[0].Gossip.Publish(Topic, "before"u8.ToArray());
        await EachGotOnceAsync(nodes, ["before"]);
        await nodes[2].DisposeAsync();
        Node[] rest = [nodes[0], nodes[1], nodes[3], nodes[4]];
        nodes[1].Gossip.Publish(Topic, "after"u8.ToArray());
        await EachGotOnceAsync(rest, ["before", "after"]);
        await StopAsync(rest);
    }

    [Fact]
    public async Task A_large_message_arrives_whole()
    {
        var nodes = await StartAsync(3, i => i == 0 ? [] : [i - 1]);
        string large = new('x', 900_000);
        nodes[0].Gossip.Publish(Topic, Encoding.UTF8.GetBytes(large));
        await EachGotOnceAsync(nodes, [large]);
        Assert.Throws<ArgumentException>(() => nodes[0].Gossip.Publish(Topic, new byte[1 << 20]));
        await StopAsync(nodes);
    }

    [Fact]
    public async Task A_validator_keeps_messages_from_being_delivered_and_relayed()
    {
        var nodes = await StartAsync(3, i => i == 0 ? [] : [i - 1]);
        nodes[1].Gossip.SetValidator(Topic, (message, author) => author == nodes[0].Host.Id && message.Data.Span[0] == 'b' ? Validation.Reject : Validation.Accept);
        nodes[0].Gossip.Publish(Topic, "bad"u8.ToArray());
        nodes[0].Gossip.Publish(Topic, "good"u8.ToArray());
        await EachGotOnceAsync([nodes[1], nodes[2]], ["good"]);
        await StopAsync(nodes);
    }

    [Fact]
    public async Task A_restarted_peer_is_heard_again()
    {
        await using var stays = await Node.StartAsync();
        var first = await Node.StartAsync();
        await stays.ConnectAsync(first);
        await first.DisposeAsync();
        await TestHosts.EventuallyAsync(() => stays.Gossip.Peers.Count == 0, "the lost peer is still there");
        await using var second = await Node.StartAsync();
        await second.ConnectAsync(stays);
        second.Gossip.Publish(Topic, "here again"u8.ToArray());
        await EachGotOnceAsync([stays], ["here again"]);
    }

    [Fact]
    public async Task Who_leaves_a_topic_gets_no_more_of_it_and_can_come_back()
    {
        // What is gossiped about is not forgotten in the meantime, however long that is.
        var lasting = Quick with { HistoryGossip = 1000, HistoryLength = 1000 };
        await using var a = await Node.StartAsync(lasting);
        var host = await TestHosts.StartAsync();
        await using var closing = host;
        await using var b = new Gossipsub(host, lasting);
        var subscription = b.Subscribe(Topic);
        await host.DialAsync(a.Host.Address());
        await TestHosts.EventuallyAsync(() => a.Gossip.PeersOf(Topic).Count == 1, "no subscription came");
        subscription.Dispose();
        await TestHosts.EventuallyAsync(() => a.Gossip.PeersOf(Topic).Count == 0, "no unsubscription came");
        Assert.Equal(0, a.Gossip.Publish(Topic, "to nobody"u8.ToArray()));
        using var again = b.Subscribe(Topic);
        await TestHosts.EventuallyAsync(() => a.Gossip.PeersOf(Topic).Count == 1, "no subscription came");
        // The mesh stays closed for the back-off, gossip does not.
        a.Gossip.Publish(Topic, "to you"u8.ToArray());
        // The earlier one may come first: it is still in what is gossiped about.
        string got;
        do got = Encoding.UTF8.GetString((await again.Messages.ReadAsync(TestHosts.Deadline())).Data.Span);
        while (got == "to nobody");
        Assert.Equal("to you", got);
    }
}
