namespace Libp2p.Pubsub;

/// <summary>What is known of one connected peer.</summary>
internal sealed class GossipsubPeer(PeerId id, PubsubFeatures features, bool outbound)
{
    public PeerId Id => id;

    public PubsubFeatures Features => features;

    /// <summary>We dialled it.</summary>
    public bool Outbound => outbound;

    public HashSet<string> Topics { get; } = [];

    /// <summary>Messages it does not want, with the heartbeats for which that holds.</summary>
    public Dictionary<MessageId, int> Unwanted { get; } = [];

    // Counters between heartbeats, against floods of control messages.
    public int IHaves { get; set; }

    public int AskedFor { get; set; }

    public int IDontWants { get; set; }
}

/// <summary>What a pubsub protocol version can do.</summary>
[Flags]
public enum PubsubFeatures
{
    /// <summary>floodsub: every message, no control.</summary>
    None = 0,

    /// <summary>Mesh and gossip: meshsub 1.0.0.</summary>
    Mesh = 1,

    /// <summary>Back-off and peers in PRUNE: meshsub 1.1.0.</summary>
    PruneDetails = 2,

    /// <summary>IDONTWANT: meshsub 1.2.0.</summary>
    IDontWant = 4,
}

/// <summary>The protocol names of pubsub, best first.</summary>
public static class PubsubProtocols
{
    /// <summary>floodsub.</summary>
    public const string Floodsub = "/floodsub/1.0.0";

    /// <summary>All that are spoken, best first.</summary>
    public static IReadOnlyList<string> All { get; } = ["/meshsub/1.3.0", "/meshsub/1.2.0", "/meshsub/1.1.0", "/meshsub/1.0.0", Floodsub];

    /// <summary>What a version can do.</summary>
    public static PubsubFeatures FeaturesOf(string protocol) => protocol switch
    {
        "/meshsub/1.3.0" or "/meshsub/1.2.0" => PubsubFeatures.Mesh | PubsubFeatures.PruneDetails | PubsubFeatures.IDontWant,
        "/meshsub/1.1.0" => PubsubFeatures.Mesh | PubsubFeatures.PruneDetails,
        "/meshsub/1.0.0" => PubsubFeatures.Mesh,
        _ => PubsubFeatures.None,
    };
}
