using Cluster.Model.Configuration;
using Libp2p.Pubsub;

namespace Cluster.Consensus.Peering;

/// <summary>Gossip as the original configures it (spec/libp2p.md 12).</summary>
internal static class GossipSetup
{
    /// <summary>Bytes of the author that take part in a message's name.</summary>
    private const int AuthorBytes = 16;

    /// <summary>Fixed in the original, whatever the configuration says.</summary>
    private static readonly TimeSpan SeenFor = TimeSpan.FromMinutes(30);

    internal static GossipsubOptions Options(ClusterSection cluster)
    {
        var (pubsub, usual) = (cluster.Pubsub, new GossipsubOptions());
        var factor = pubsub.DFactor;
        return usual with
        {
            Degree = factor * usual.Degree,
            DegreeLow = factor * usual.DegreeLow,
            DegreeHigh = factor * usual.DegreeHigh,
            DegreeOutbound = factor * usual.DegreeOutbound,
            DegreeLazy = factor * usual.DegreeLazy,
            HeartbeatInterval = pubsub.HeartbeatInterval.ToTimeSpan(),
            HistoryLength = pubsub.HistoryLength,
            HistoryGossip = Math.Min(pubsub.HistoryGossip, pubsub.HistoryLength),
            MaxIHaveLength = 10_000,
            SeenTtl = SeenFor,
            FloodPublish = pubsub.FloodPublish,
            PeerExchange = !cluster.FollowerMode,
            MessageIdOf = MessageId.ShortAuthor(AuthorBytes),
        };
    }
}
