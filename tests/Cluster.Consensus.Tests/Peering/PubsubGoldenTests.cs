using System.Globalization;
using System.Text.Json.Nodes;
using Cluster.Consensus.Peering;
using Cluster.Model;
using Cluster.Model.Configuration;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Values;
using Crdt;
using Libp2p;
using Libp2p.Pubsub;

namespace Cluster.Consensus.Tests.Peering;

/// <summary>What the original gossiped, byte for byte (golden bytes/pubsub.json).</summary>
public sealed class PubsubGoldenTests
{
    private static readonly JsonNode Golden = Read();

    private readonly CancellationToken _limit = new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token;

    public static TheoryData<int> Messages() => [.. Enumerable.Range(0, Golden["messages"]!.AsArray().Count)];

    [Fact]
    public void The_topic_of_the_pinset_follows_from_the_clusters_name() =>
        Assert.Equal(Text(Golden, "crdt_topic"), ClusterTopics.Heads(Text(Golden, "cluster_name")));

    [Theory]
    [InlineData("test", "fzhnJ2vw7NBkaLbPXVHuw1r59o")]
    [InlineData("my-cluster", "fzhnksgSU2eXwHBS2XoLWNxDjU")]
    public void Clusters_of_other_names_have_other_topics(string name, string topic) => Assert.Equal(topic, ClusterTopics.Heads(name));

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_recorded_message_is_genuine_named_as_the_original_names_it_and_signed_the_same(int index)
    {
        var recorded = Golden["messages"]![index]!;
        Assert.True(PubsubMessage.TryParse(Hex(recorded, "message_hex"), out var message));
        Assert.True(message.Verify(out var author, out _));
        Assert.Equal(Text(recorded, "from"), author.ToString());
        var options = GossipSetup.Options(new ClusterSection());
        Assert.Equal(Text(recorded, "message_id_hex"), options.MessageIdOf(message).ToString());
        Assert.Equal(Hex(recorded, "data_hex"), message.Data.ToArray());

        if (author == AuthorKey.PeerId)
        {
            var sequence = ulong.Parse(Text(recorded, "seqno_hex"), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            Assert.Equal(Hex(recorded, "message_hex"), PubsubMessage.Create(AuthorKey, message.Topic, message.Data, sequence).Encoded.ToArray());
        }

        var decoded = recorded["decoded"]!;
        if (message.Topic == ClusterTopics.Metrics)
            Assert.Equal(Expected(decoded), MetricCodec.ReadGossip(message.Data.Span));
        else
            Assert.Equal(decoded["heads"]!.AsArray().Select(h => h!.GetValue<string>()), HeadsMessage.Parse(message.Data.Span).Select(h => h.ToString()));
    }

    [Fact]
    public async Task A_recorded_stream_of_the_original_is_taken_in()
    {
        var frames = Golden["streams"]!.AsArray().Single(s => Text(s!, "sender") == "Go peer")!["frames"]!.AsArray();
        // Before the recorded metrics expire.
        var clock = new ClockSetTo(DateTimeOffset.FromUnixTimeSeconds(1795236369 - 600));
        await using var peer = await NetworkPeer.StartAsync(clock: clock);
        await using var original = new Libp2pHost(new HostOptions { Key = AuthorKey, Secret = NetworkSecret.FromBytes(NetworkPeer.Secret) });
        original.Handle("/meshsub/1.3.0", static (_, token) => Task.Delay(Timeout.Infinite, token));
        using var metrics = peer.Peering.Metrics.Read();
        var connection = await original.DialAsync(peer.Address, _limit);
        await connection.Identified.WaitAsync(_limit);

        await using var stream = await connection.NewStreamAsync("/meshsub/1.3.0", _limit);
        foreach (var frame in frames)
            await stream.Output.WriteAsync(Hex(frame!, "rpc_hex"), _limit);

        var published = frames.SelectMany(f => f!["decoded"]!["publish"]?.AsArray() ?? []).Select(p => Convert.FromBase64String(Text(p!, "data"))).ToList();
        var expectedMetrics = published.Where(d => d[0] != 0x0a).Select(d => MetricCodec.ReadGossip(d)).ToList();
        var expectedHeads = published.Where(d => d[0] == 0x0a).Select(Convert.ToHexString).ToList();
        var received = new List<Metric>();
        while (received.Count < expectedMetrics.Count)
            received.AddRange(await metrics.Batches.ReadAsync(_limit));
        Assert.Equal(expectedMetrics, received.Select(m => m with { ReceivedAt = 0 }));
        foreach (var head in expectedHeads)
            Assert.Equal((AuthorKey.PeerId, head), await peer.Replica.Announced.ReadAsync(_limit));
    }

    [Fact]
    public void A_metric_is_written_as_the_original_writes_it()
    {
        foreach (var recorded in Golden["messages"]!.AsArray().Where(m => Text(m!, "topic") == ClusterTopics.Metrics))
        {
            var data = new System.Buffers.ArrayBufferWriter<byte>();
            MetricCodec.Write(new MsgpackWriter(data), Expected(recorded!["decoded"]!));
            Assert.Equal(Text(recorded, "data_hex"), Convert.ToHexStringLower(data.WrittenSpan));
        }
    }

    private static PrivateKey AuthorKey { get; } = PrivateKey.FromProtobuf(Convert.FromBase64String(Text(Golden, "author_private_key_protobuf_base64")));

    private static Metric Expected(JsonNode decoded) => new()
    {
        Name = Text(decoded, "name"),
        Peer = PeerId.Parse(Text(decoded, "peer")),
        Value = Text(decoded, "value"),
        Expire = long.Parse(decoded["expire"]!.ToString(), CultureInfo.InvariantCulture),
        Valid = decoded["valid"]!.GetValue<bool>(),
        Weight = long.Parse(decoded["weight"]!.ToString(), CultureInfo.InvariantCulture),
        Partitionable = decoded["partitionable"]!.GetValue<bool>(),
    };

    private static string Text(JsonNode node, string key) => node[key]!.GetValue<string>();

    private static byte[] Hex(JsonNode node, string key) => Convert.FromHexString(Text(node, key));

    private static JsonNode Read()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Cluster.Micro.sln")))
            folder = folder.Parent!;
        return JsonNode.Parse(File.ReadAllText(Path.Combine(folder.FullName, "tests", "golden", "bytes", "pubsub.json")))!;
    }

    /// <summary>Runs on from a given moment.</summary>
    private sealed class ClockSetTo(DateTimeOffset start) : TimeProvider
    {
        private readonly TimeSpan _shift = start - DateTimeOffset.UtcNow;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _shift;
    }
}
