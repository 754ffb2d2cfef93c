using Libp2p;
using Libp2p.Bitswap;
using Libp2p.Kademlia;
using Libp2p.Mdns;
using Libp2p.Pubsub;

namespace Fuzz.Libp2p;

/// <summary>Frames of pubsub, and the core that gets them.</summary>
public static class PubsubTarget
{
    private static readonly PrivateKey Key = PrivateKey.FromEd25519Seed(new byte[32]);
    private static readonly PeerId Sender = PrivateKey.FromEd25519Seed([1, .. new byte[31]]).PeerId;

    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        if (!PubsubRpc.TryParse(input, out var rpc)) return;
        Check.That(PubsubRpc.TryParse(rpc.Encode(), out _), "what was read cannot be written");
        var core = new GossipsubCore(Key.PeerId, new GossipsubOptions { MessageIdOf = MessageId.ShortAuthor(16) }, new Random(1));
        var output = new GossipsubOutput();
        var now = DateTimeOffset.UnixEpoch;
        core.Subscribe("monitor.metrics", now, output);
        core.AddPeer(Sender, "/meshsub/1.2.0", outbound: false, now, output);
        core.Receive(Sender, rpc, now, output);
        foreach (var message in rpc.Publish)
        {
            bool genuine = message.Verify(out var author, out string reason);
            Check.That(genuine ? author.IsDefined : reason.Length > 0, "refused without a reason");
            // Even what is not genuine must not break what comes after it.
            if (core.Wants(message)) core.Deliver(message, Sender, now, output);
        }
        core.Heartbeat(now.AddSeconds(1), output);
        foreach (var (_, frame) in output.Frames) Check.That(PubsubRpc.TryParse(frame.Encode(), out _), "an own frame cannot be read");
    }
}

/// <summary>Messages of bitswap.</summary>
public static class BitswapTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        if (!BitswapMessage.TryParse(input, out var message, out string reason))
        {
            Check.That(reason.Length > 0, "refused without a reason");
            return;
        }
        byte[] written = message.Encode();
        Check.That(BitswapMessage.TryParse(written, out var again, out _) && again.Encode().AsSpan().SequenceEqual(written), "what was read cannot be written");
    }
}

/// <summary>Messages of the DHT.</summary>
public static class KademliaTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        if (!KademliaMessage.TryParse(input, out var message, out string reason))
        {
            Check.That(reason.Length > 0, "refused without a reason");
            return;
        }
        byte[] written = message.Encode();
        Check.That(KademliaMessage.TryParse(written, out var again, out _) && again.Encode().AsSpan().SequenceEqual(written), "what was read cannot be written");
    }
}

/// <summary>Packets of multicast DNS, and the responder that gets them.</summary>
public static class MdnsTarget
{
    private static readonly PeerId Peer = PrivateKey.FromEd25519Seed(new byte[32]).PeerId;
    private static readonly Multiaddr[] Addresses = [Multiaddr.Parse("/ip4/10.0.0.1/tcp/9096")];

    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        if (!MdnsMessage.TryParse(input, out var message)) return;
        var responder = new MdnsResponder(MdnsOptions.ClusterService, "fuzz");
        _ = responder.Answer(message, Peer, Addresses)?.Encode();
        foreach (var address in responder.Read(message)) Check.That(address.PeerId is not null, "an address of nobody");
        byte[] written = message.Encode(compress: false);
        Check.That(written.Length > MdnsMessage.MaxPacket || MdnsMessage.TryParse(written, out _), "what was read cannot be written");
    }
}
