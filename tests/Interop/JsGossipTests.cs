using System.Collections.Concurrent;
using System.Text;
using Libp2p;
using Libp2p.Pubsub;
using Xunit;

namespace Interop;

/// <summary>gossipsub among two js-libp2p peers and three of ours, in a ring in which no two of a kind are neighbours but once.</summary>
[Trait("Category", "Slow")]
public sealed class JsGossipTests
{
    private const string Topic = "monitor.metrics";

    // Room for all messages of the test, so that none is dropped while a busy machine lets them wait.
    private static readonly GossipsubOptions Options = new()
    {
        HeartbeatInterval = TimeSpan.FromMilliseconds(500), MessageIdOf = MessageId.ShortAuthor(16), OutboundQueue = 1000,
    };

    private sealed class Ours : IAsyncDisposable
    {
        private readonly PubsubSubscription subscription;
        private readonly Task reading;

        private Ours(Libp2pHost host)
        {
            Host = host;
            Gossip = new Gossipsub(host, Options);
            subscription = Gossip.Subscribe(Topic);
            reading = ReadAsync();
        }

        public Libp2pHost Host { get; }

        public Gossipsub Gossip { get; }

        public ConcurrentQueue<string> Got { get; } = new();

        public Multiaddr Address => Host.ListenAddresses[0].WithPeer(Host.Id);

        public static async Task<Ours> StartAsync(NetworkSecret? secret)
        {
            var host = new Libp2pHost(new HostOptions { Key = PrivateKey.GenerateEd25519(), Listen = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")], Secret = secret });
            await host.StartAsync();
            return new Ours(host);
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

    private static async Task<string[]> GotAsync(JsPeer peer) =>
        [.. (await peer.AskAsync("received", new { topic = Topic })).EnumerateArray().Select(text => text.GetString()!)];

    private static async Task<string[]> MeshAsync(JsPeer peer) =>
        [.. (await peer.AskAsync("mesh", new { topic = Topic })).EnumerateArray().Select(text => text.GetString()!)];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_message_is_delivered_once_and_the_mesh_heals_after_a_kill(bool withSecret)
    {
        var secret = withSecret ? NetworkSecret.Generate() : null;
        JsPeer[] js = await Task.WhenAll(JsPeer.StartAsync(secret, "gossip.mjs"), JsPeer.StartAsync(secret, "gossip.mjs"));
        Ours[] ours = await Task.WhenAll(Ours.StartAsync(secret), Ours.StartAsync(secret), Ours.StartAsync(secret));
        await using var first = js[0];
        await using var second = js[1];
        await using var a = ours[0];
        await using var b = ours[1];
        await using var c = ours[2];
        foreach (var peer in js) await peer.AskAsync("subscribe", new { topic = Topic });
        // a - first - b - second - c - a; each side dials at least once.
        await a.Host.DialAsync(first.Address);
        await first.AskAsync("dial", new { address = b.Address.ToString() });
        await b.Host.DialAsync(second.Address);
        await second.AskAsync("dial", new { address = c.Address.ToString() });
        await c.Host.DialAsync(a.Address);
        await Eventually.HoldsAsync(async () => ours.All(o => o.Gossip.MeshOf(Topic).Count == 2) && (await MeshAsync(first)).Length == 2 && (await MeshAsync(second)).Length == 2,
            "the mesh does not form");

        List<string> sent = [];
        for (int i = 0; i < 100; i++)
        {
            sent.Add($"ours {i}");
            ours[i % 3].Gossip.Publish(Topic, Encoding.UTF8.GetBytes(sent[^1]));
        }
        foreach (var peer in js)
        {
            string[] texts = [.. Enumerable.Range(0, 50).Select(i => $"{peer.Id} {i}")];
            sent.AddRange(texts);
            await peer.AskAsync("publish", new { topic = Topic, texts });
        }
        await Eventually.HoldsAsync(async () => ours.All(o => o.Got.Count >= sent.Count) && (await GotAsync(first)).Length >= 150 && (await GotAsync(second)).Length >= 150,
            "not all messages arrive");
        // Second copies would come with the gossip of the next heartbeats.
        await Task.Delay(3 * Options.HeartbeatInterval);
        foreach (var peer in ours) Assert.Equal(sent.Order(StringComparer.Ordinal), peer.Got.Order(StringComparer.Ordinal));
        foreach (var peer in js)
        {
            // js-libp2p does not deliver a peer's own messages to itself.
            Assert.Equal(sent.Where(text => !text.StartsWith(peer.Id.ToString(), StringComparison.Ordinal)).Order(StringComparer.Ordinal),
                (await GotAsync(peer)).Order(StringComparer.Ordinal));
        }

        first.Kill();
        await Eventually.HoldsAsync(() => !a.Gossip.Peers.Contains(first.Id) && !b.Gossip.Peers.Contains(first.Id), "the loss is not noticed");
        // The ring is a chain now: b - second - c - a.
        int before = a.Got.Count;
        b.Gossip.Publish(Topic, "after the kill"u8.ToArray());
        await Eventually.HoldsAsync(async () => ours.All(o => o.Got.Count == before + 1) && (await GotAsync(second)).Contains("after the kill"), "messages do not pass any more");
        Assert.All(ours, o => Assert.Contains("after the kill", o.Got));
        // A new link is taken into the mesh.
        await a.Host.DialAsync(b.Address);
        await Eventually.HoldsAsync(() => a.Gossip.MeshOf(Topic).Contains(b.Host.Id) && b.Gossip.MeshOf(Topic).Contains(a.Host.Id), "the mesh does not heal");
    }
}
