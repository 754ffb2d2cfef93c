using Cluster.Consensus.CrdtReplication;
using Cluster.Consensus.Metrics;
using Cluster.Consensus.Peering;
using Cluster.Consensus.Rpc;
using Cluster.Consensus.Replication;
using Cluster.Model;
using Cluster.Model.Configuration;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Values;
using Cluster.PinState;
using Cluster.Storage;
using Ipld;
using Libp2p;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Interop;

/// <summary>
/// A foreign peer of the cluster, written in JavaScript over js-libp2p, gossipsub and Helia's bitswap: what it pins is merged into our
/// replica, what we pin reaches it, and what an author says who is not trusted is ignored.
/// </summary>
[Trait("Category", "Slow")]
public sealed class JsClusterTests
{
    private const string Topic = "fzhnp2UwTBkgNabrJi1VanzwgN";
    private const string MetricTopic = "monitor.metrics";
    private static readonly Cid First = Cid.Parse("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi");
    private static readonly Cid Second = Cid.Parse("QmP63DkAFEnDYNjDYBpyNDfttu1fvUw99x1brscPzpqmmq");
    private static readonly Cid Third = Cid.Parse("bafkreiawtuj3svujhmhtmnk6ozhpudmehyuaywfzrp3zrk6sjqscxl4dm4");

    private readonly CancellationToken limit = new CancellationTokenSource(TimeSpan.FromMinutes(5)).Token;

    [Fact]
    public async Task A_pin_authored_in_JavaScript_is_merged_and_ours_is_read_there()
    {
        var secret = NetworkSecret.Generate();
        await using var js = await JsPeer.StartAsync(NodePackages.Helia, secret, "crdt.mjs", Topic);
        await using var ours = await OurPeer.StartAsync(secret, trusted: [js.Id]);
        await ConnectAsync(js, ours);

        var first = (await js.AskAsync("pin", new { cid = First.ToString(), name = "from JavaScript", priority = 1, after = Array.Empty<string>() })).GetString()!;
        var pin = await ours.PinnedAsync(First, limit);
        Assert.Equal("from JavaScript", pin.Options.Name);
        Assert.Equal(ReplicationFactors.Everywhere, pin.Options.Replication);
        Assert.Equal(1700000000, pin.Timestamp.UnixSeconds);

        await ours.Consensus.CommitAsync([StateOperation.Put(Pin.WithOptions(Second, new PinOptions { Name = "from us" }))], limit);
        var head = await HeadAsync(js, known: first);
        var node = await js.AskAsync("node", new { cid = head });
        Assert.Equal([first], node.GetProperty("links").EnumerateArray().Select(l => l.GetString()));
        Assert.Equal(2, node.GetProperty("priority").GetInt32());
        Assert.Equal((await js.AskAsync("key", new { cid = Second.ToString() })).GetString(), node.GetProperty("keys")[0].GetString());

        await js.AskAsync("pin", new { cid = Third.ToString(), name = "on top of ours", priority = 3, after = new[] { head } });
        Assert.Equal("on top of ours", (await ours.PinnedAsync(Third, limit)).Options.Name);
        Assert.Equal(3ul, ours.State.Totals.Count);
    }

    [Fact]
    public async Task What_an_author_pins_who_is_not_trusted_is_ignored()
    {
        var secret = NetworkSecret.Generate();
        await using var js = await JsPeer.StartAsync(NodePackages.Helia, secret, "crdt.mjs", Topic);
        await using var ours = await OurPeer.StartAsync(secret, trusted: []);
        await ConnectAsync(js, ours);
        using var metrics = ours.Peering.Metrics.Read();

        await js.AskAsync("pin", new { cid = First.ToString(), name = "not wanted", priority = 1, after = Array.Empty<string>() });
        // A metric sent behind it over the same stream: when it is here, the announcement was here before it.
        await js.AskAsync("publish", new { topic = MetricTopic, hex = Convert.ToHexString(Ping(js.Id)) });
        while (!(await metrics.Batches.ReadAsync(limit)).Any(m => m.Peer == js.Id))
        {
        }

        await ours.Consensus.CommitAsync([StateOperation.Put(Pin.WithOptions(Second, new PinOptions()))], limit);
        var node = await js.AskAsync("node", new { cid = await HeadAsync(js) });
        Assert.Empty(node.GetProperty("links").EnumerateArray());
        Assert.Equal(1, node.GetProperty("priority").GetInt32());
        Assert.Null(ours.State.Find(First));
        Assert.Equal(1ul, ours.State.Totals.Count);
    }

    /// <summary>The JavaScript side dials; both see the other's subscriptions then.</summary>
    private async Task ConnectAsync(JsPeer js, OurPeer ours)
    {
        await js.AskAsync("subscribe", new { topics = new[] { Topic, MetricTopic } });
        await js.AskAsync("dial", new { address = ours.Address.ToString() });
        foreach (var topic in new[] { Topic, MetricTopic })
        {
            while (!ours.Peering.Network.Gossip.MeshOf(topic).Contains(js.Id)
                || !(await js.AskAsync("subscribers", new { topic })).EnumerateArray().Any(p => p.GetString() == ours.Peering.Network.Host.Id.ToString()))
            {
                await Task.Delay(20, limit);
            }
        }
    }

    /// <summary>The head that was announced to the JavaScript side; not the one it made itself, of which it may hear again.</summary>
    private async Task<string> HeadAsync(JsPeer js, string? known = null)
    {
        while (true)
        {
            if ((await js.AskAsync("heads")).EnumerateArray().Select(h => h.GetString()!).LastOrDefault(h => h != known) is { } head)
                return head;
            await Task.Delay(20, limit);
        }
    }

    private static byte[] Ping(PeerId peer)
    {
        var data = new System.Buffers.ArrayBufferWriter<byte>();
        MetricCodec.Write(
            new MsgpackWriter(data),
            new Metric { Name = "ping", Peer = peer, Valid = true, Expire = (DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 60) * 1_000_000_000 });
        return data.WrittenSpan.ToArray();
    }

    /// <summary>The consensus side of a peer of ours: a real database, the replicated set and the network.</summary>
    private sealed class OurPeer : IAsyncDisposable
    {
        private readonly string folder = Directory.CreateTempSubdirectory("interop-cluster-").FullName;
        private readonly Database database;

        private OurPeer(NetworkSecret secret, IReadOnlyList<PeerId> trusted)
        {
            database = Database.Open(Path.Combine(folder, "state"), new DatabaseOptions { Format = PinStore.Format });
            var settings = new PeeringSettings
            {
                Key = PrivateKey.GenerateEd25519(),
                Cluster = new ClusterSection
                {
                    Secret = secret.Key.ToArray(),
                    ListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")],
                    MdnsInterval = GoDuration.Zero,
                },
            };
            var metrics = new MetricSnapshot(TimeProvider.System);
            var network = new ClusterNetwork(settings, TimeProvider.System, NullLoggerFactory.Instance);
            State = PinStore.Open(database);
            Consensus = new CrdtConsensus(
                network.Host.Id, State, new CrdtSettings { TrustAll = false, TrustedPeers = trusted }, metrics, TimeProvider.System, Random.Shared, NullLogger.Instance);
            network.Attach(Consensus);
            Consensus.Start(network);
            Peering = new ClusterPeering(
                network, settings, Consensus, new RemotePeers(network.Host, TimeProvider.System), new NoTracker(), metrics, static _ => Task.CompletedTask, TimeProvider.System, NullLoggerFactory.Instance);
        }

        public PinStore State { get; }

        public CrdtConsensus Consensus { get; }

        public ClusterPeering Peering { get; }

        public Multiaddr Address => Peering.Network.Host.ListenAddresses[0].WithPeer(Peering.Network.Host.Id);

        public static async Task<OurPeer> StartAsync(NetworkSecret secret, IReadOnlyList<PeerId> trusted)
        {
            var peer = new OurPeer(secret, trusted);
            await peer.Peering.StartAsync(CancellationToken.None);
            return peer;
        }

        public async Task<Pin> PinnedAsync(Cid cid, CancellationToken cancellationToken)
        {
            while (true)
            {
                var seen = State.Totals.Sequence;
                if (State.Find(cid) is { } pin)
                    return pin;
                await State.WaitForChangeAsync(seen, cancellationToken);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Consensus.DisposeAsync();
            await Peering.DisposeAsync();
            database.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Nobody joins here, so nothing is recovered.</summary>
    private sealed class NoTracker : Cluster.Consensus.Clients.ITracker
    {
        public ValueTask<Cluster.Contracts.V1.PinInfo> StatusAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<Cluster.Contracts.V1.PinInfo> RecoverAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken) => throw new NotSupportedException();

        public IAsyncEnumerable<Cluster.Consensus.Clients.StatusPage> StatusAllAsync(int statusMask, ulong atLeastSequence, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public IAsyncEnumerable<Cluster.Consensus.Clients.StatusPage> RecoverAllAsync(ulong atLeastSequence, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
