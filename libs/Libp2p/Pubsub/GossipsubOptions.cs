namespace Libp2p.Pubsub;

/// <summary>Parameters of gossipsub; the defaults are those of the reference implementation (spec libp2p §12).</summary>
public sealed record GossipsubOptions
{
    /// <summary>Mesh peers of a topic aimed at (D).</summary>
    public int Degree { get; init; } = 6;

    /// <summary>Below this many mesh peers a heartbeat grafts (Dlo).</summary>
    public int DegreeLow { get; init; } = 5;

    /// <summary>Above this many mesh peers a heartbeat prunes (Dhi).</summary>
    public int DegreeHigh { get; init; } = 12;

    /// <summary>Mesh peers that we dialled, at least (Dout): nobody can fill a mesh from outside alone.</summary>
    public int DegreeOutbound { get; init; } = 2;

    /// <summary>Peers outside of the mesh that hear of messages at each heartbeat, at least (Dlazy).</summary>
    public int DegreeLazy { get; init; } = 6;

    /// <summary>Share of the peers outside of the mesh that hear of messages at each heartbeat, 0..1.</summary>
    public double GossipFactor { get; init; } = 0.25;

    /// <summary>Time between heartbeats.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time from the start to the first heartbeat.</summary>
    public TimeSpan HeartbeatInitialDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Heartbeats for which a message can be asked for.</summary>
    public int HistoryLength { get; init; } = 5;

    /// <summary>Heartbeats for which others hear of a message.</summary>
    public int HistoryGossip { get; init; } = 3;

    /// <summary>Message ids in all IHAVEs of one peer between heartbeats, at most.</summary>
    public int MaxIHaveLength { get; init; } = 5000;

    /// <summary>IHAVEs of one peer between heartbeats, at most.</summary>
    public int MaxIHaveMessages { get; init; } = 10;

    /// <summary>How often one peer may ask for the same message.</summary>
    public int GossipRetransmission { get; init; } = 3;

    /// <summary>How long a pruned peer must not graft again.</summary>
    public TimeSpan PruneBackoff { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The same after we left a topic.</summary>
    public TimeSpan UnsubscribeBackoff { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Peers exchanged in a PRUNE, at most.</summary>
    public int PrunePeers { get; init; } = 16;

    /// <summary>Whether PRUNEs name other peers, and whether those named to us are dialled.</summary>
    public bool PeerExchange { get; init; } = true;

    /// <summary>How long peers of a topic that we only publish to are remembered.</summary>
    public TimeSpan FanoutTtl { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Send own messages to all peers of the topic instead of the mesh.</summary>
    public bool FloodPublish { get; init; }

    /// <summary>Messages of at least so many bytes are announced by IDONTWANT to peers that know it.</summary>
    public int IDontWantThreshold { get; init; } = 1024;

    /// <summary>Heartbeats for which an IDONTWANT holds.</summary>
    public int IDontWantTtl { get; init; } = 3;

    /// <summary>IDONTWANT ids of one peer between heartbeats, at most.</summary>
    public int MaxIDontWantIds { get; init; } = 1000;

    /// <summary>How long a message id is remembered, so that the message is delivered once.</summary>
    public TimeSpan SeenTtl { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Message ids remembered at most; the oldest go first.</summary>
    public int SeenLimit { get; init; } = 1_000_000;

    /// <summary>Bytes of one RPC at most; a longer one ends the stream.</summary>
    public int MaxRpcSize { get; init; } = 1 << 20;

    /// <summary>RPCs waiting for one peer at most; further ones are dropped (they are gossip: others repeat it).</summary>
    public int OutboundQueue { get; init; } = 128;

    /// <summary>Topics of one peer that are remembered, at most.</summary>
    public int MaxTopicsPerPeer { get; init; } = 4096;

    /// <summary>How messages are named in caches and control messages.</summary>
    public Func<PubsubMessage, MessageId> MessageIdOf { get; init; } = MessageId.Standard;
}
