using Microsoft.Extensions.Logging;

namespace Libp2p.Pubsub;

/// <summary>What gossip logs. Ids are stable; 2100 to 2199 belong to pubsub.</summary>
internal sealed partial class GossipsubLog(ILogger logger)
{
    [LoggerMessage(2100, LogLevel.Debug, "Gossip with {Peer} over {Protocol}.")]
    public partial void PeerAdded(PeerId peer, string protocol);

    [LoggerMessage(2101, LogLevel.Debug, "Gossip with {Peer} ended: {Reason}")]
    public partial void PeerRemoved(PeerId peer, string reason);

    [LoggerMessage(2102, LogLevel.Debug, "Message of {Peer} refused: {Reason}")]
    public partial void MessageRefused(PeerId peer, string reason);

    [LoggerMessage(2103, LogLevel.Warning, "{Peer} sends no pubsub frames but garbage; its stream is reset: {Reason}")]
    public partial void Garbage(PeerId peer, string reason);

    [LoggerMessage(2104, LogLevel.Debug, "The queue of {Peer} is full; a frame is dropped.")]
    public partial void FrameDropped(PeerId peer);

    [LoggerMessage(2105, LogLevel.Debug, "A peer named by gossip could not be connected to: {Reason}")]
    public partial void ExchangeFailed(string reason);

    [LoggerMessage(2106, LogLevel.Error, "The validator of topic {Topic} failed; the message is refused.")]
    public partial void ValidatorFailed(Exception exception, string topic);

    [LoggerMessage(2107, LogLevel.Error, "Gossip heartbeats ended.")]
    public partial void HeartbeatFailed(Exception exception);

    [LoggerMessage(2108, LogLevel.Warning, "A subscriber of {Topic} does not keep up; its oldest message is dropped.")]
    public partial void SubscriberLags(string topic);
}
