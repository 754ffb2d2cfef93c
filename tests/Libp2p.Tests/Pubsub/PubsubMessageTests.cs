using System.Text.Json.Nodes;
using Libp2p.Pubsub;

namespace Libp2p.Tests.Pubsub;

[Trait("Category", "Golden")]
public sealed class PubsubMessageTests
{
    private static readonly System.Text.RegularExpressions.Regex EmptyControl = new("1a00$");
    private static readonly Func<PubsubMessage, MessageId> ClusterId = MessageId.ShortAuthor(16);

    public static TheoryData<int> Vectors => [.. Enumerable.Range(0, GossipsubVectors.File["vectors"]!.AsArray().Count)];

    [Theory, MemberData(nameof(Vectors))]
    public void A_recorded_message_verifies_and_has_the_recorded_name(int index)
    {
        var vector = GossipsubVectors.File["vectors"]![index]!;
        Assert.True(PubsubMessage.TryParse(Bytes(vector, "message_hex"), out var message));
        Assert.True(message.Verify(out var author, out var reason), reason);
        Assert.Equal(vector["from"]!.GetValue<string>(), author.ToString());
        Assert.Equal(vector["id_hex"]!.GetValue<string>(), ClusterId(message).ToString());
        Assert.Equal(vector["message_hex"]!.GetValue<string>(), Convert.ToHexStringLower(message.Encoded.Span));
        Assert.Equal(vector["topic"]!.GetValue<string>(), message.Topic);
    }

    [Theory, MemberData(nameof(Vectors))]
    public void A_message_made_with_the_same_key_has_the_recorded_bytes(int index)
    {
        var vector = GossipsubVectors.File["vectors"]![index]!;
        if (!vector["signature_deterministic"]!.GetValue<bool>() || !vector["data_present"]!.GetValue<bool>()) return;
        var author = vector["author"]!.GetValue<string>();
        if (author == "secp256k1") return; // signing with secp256k1 is not offered
        var key = GossipsubVectors.Keys["keys"]!.AsArray().First(k => k!["name"]!.GetValue<string>() == author)!;
        var message = PubsubMessage.Create(PrivateKey.FromProtobuf(Bytes(key, "private_proto_hex")), vector["topic"]!.GetValue<string>(),
            Bytes(vector, "data_hex"), ulong.Parse(vector["seqno"]!.GetValue<string>(), null));
        Assert.Equal(vector["message_hex"]!.GetValue<string>(), Convert.ToHexStringLower(message.Encoded.Span));
    }

    [Fact]
    public void Recorded_frames_are_read_completely_and_our_own_forms_written_back()
    {
        var frames = GossipsubVectors.Frames.ToArray();
        Assert.NotEmpty(frames);
        foreach (var frame in frames)
        {
            var bytes = Bytes(frame, "rpc_hex");
            Assert.True(PubsubRpc.TryParse(bytes, out var rpc));
            Assert.Equal(Count(frame["subscriptions"]), rpc.Subscriptions.Count);
            Assert.Equal(Count(frame["publish"]), rpc.Publish.Count);
            Assert.Equal(Count(frame["control"]?["ihave"]), rpc.IHave.Count);
            Assert.Equal(Count(frame["control"]?["graft"]), rpc.Graft.Count);
            Assert.Equal(Count(frame["control"]?["prune"]), rpc.Prune.Count);
            // Go adds two false flags to subscriptions, and may hold empty control lists: all else is written as it came.
            if (rpc.Subscriptions.Count == 0 && frame["control"]?["extensions"] is null)
                Assert.Equal(EmptyControl.Replace(Convert.ToHexStringLower(bytes), ""), Convert.ToHexStringLower(rpc.Encode()));
        }
    }

    [Fact]
    public void A_message_whose_author_is_too_short_to_be_a_peer_is_refused()
    {
        for (var length = 0; length < 16; length++)
        {
            var encoded = new List<byte> { 0x0a, (byte)length };
            encoded.AddRange(new byte[length]);
            encoded.AddRange([0x1a, 1, 1, 0x2a, 1, 1]); // a sequence number and a signature
            Assert.True(PubsubMessage.TryParse(encoded.ToArray(), out var message));
            Assert.False(message.Verify(out _, out var reason));
            Assert.NotEmpty(reason);
            Assert.NotEqual(default, ClusterId(message));
        }
    }

    private static int Count(JsonNode? list) => list?.AsArray().Count ?? 0;

    private static byte[] Bytes(JsonNode node, string name) => Convert.FromHexString(node[name]!.GetValue<string>());
}
