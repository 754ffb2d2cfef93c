using Microsoft.Extensions.Logging;

namespace Libp2p.Kademlia;

/// <summary>What the DHT logs. Ids are stable; 2300 to 2399 belong to it.</summary>
internal sealed partial class KademliaLog(ILogger logger)
{
    [LoggerMessage(2300, LogLevel.Debug, "{Peer} is in the routing table.")]
    public partial void PeerAdded(PeerId peer);

    [LoggerMessage(2301, LogLevel.Debug, "{Peer} is out of the routing table: {Reason}")]
    public partial void PeerRemoved(PeerId peer, string reason);

    [LoggerMessage(2302, LogLevel.Warning, "A DHT request of {Peer} is refused and its stream reset: {Reason}")]
    public partial void Refused(PeerId peer, string reason);

    [LoggerMessage(2303, LogLevel.Debug, "The refresh of the routing table failed: {Reason}")]
    public partial void RefreshFailed(string reason);
}
