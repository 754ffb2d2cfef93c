namespace Libp2p.Pubsub;

/// <summary>What the core wants done after an input.</summary>
public sealed class GossipsubOutput
{
    private readonly Dictionary<PeerId, PubsubRpc> control = [];

    /// <summary>Frames to send, in order.</summary>
    public List<(PeerId Peer, PubsubRpc Rpc)> Frames { get; } = [];

    /// <summary>Messages for the local subscribers.</summary>
    public List<PubsubMessage> Deliveries { get; } = [];

    /// <summary>Peers to connect to, named by others: id, and a signed peer record that may be empty and is not verified yet.</summary>
    public List<ExchangedPeer> Exchanged { get; } = [];

    /// <summary>Peers with which we now gossip on a topic of ours: both sides subscribe to it.</summary>
    public List<(string Topic, PeerId Peer)> Joined { get; } = [];

    /// <summary>The frame that collects what one input has to say to one peer beside messages.</summary>
    internal PubsubRpc To(PeerId peer)
    {
        if (control.TryGetValue(peer, out var rpc)) return rpc;
        rpc = new PubsubRpc();
        control.Add(peer, rpc);
        Frames.Add((peer, rpc));
        return rpc;
    }

    internal void Send(PeerId peer, PubsubMessage message)
    {
        var rpc = new PubsubRpc();
        rpc.Publish.Add(message);
        Frames.Add((peer, rpc));
    }
}
