using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Peering;

/// <summary>What the network side says (spec/observability.md 5.4). Ids 1200 to 1299.</summary>
internal static partial class PeeringLog
{
    [LoggerMessage(1200, LogLevel.Information, "go-libp2p Resource Manager ENABLED: Limits based on max_memory: {Memory}, max_fds: {Descriptors}")]
    internal static partial void LimitsOn(ILogger logger, long memory, int descriptors);

    [LoggerMessage(1201, LogLevel.Information, "go-libp2p Resource Manager DISABLED")]
    internal static partial void LimitsOff(ILogger logger);

    [LoggerMessage(1202, LogLevel.Debug, "{Peer} did not tell its heads: {Reason}")]
    internal static partial void HeadsNotTold(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(1204, LogLevel.Debug, "{Peer} did not ask rightly for ancestors: {Reason}")]
    internal static partial void AncestorsNotAsked(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(1210, LogLevel.Information, "reconnected to {Peer}")]
    internal static partial void Reconnected(ILogger logger, PeerId peer);

    [LoggerMessage(1211, LogLevel.Information, "reconnected to priority peer {Peer}")]
    internal static partial void ReconnectedToPriorityPeer(ILogger logger, PeerId peer);

    [LoggerMessage(1212, LogLevel.Error, "cannot connect to {Peer}, trying on: {Reason}")]
    internal static partial void CannotConnect(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(1213, LogLevel.Warning, "{Peer} is not reached, trying on: {Reason}")]
    internal static partial void NotReached(ILogger logger, PeerId peer, string reason);

    [LoggerMessage(1214, LogLevel.Debug, "{Reason}")]
    internal static partial void DialFailed(ILogger logger, string reason);

    [LoggerMessage(1215, LogLevel.Critical, "connections are no longer kept up")]
    internal static partial void KeeperFailed(ILogger logger, Exception exception);

    [LoggerMessage(1216, LogLevel.Error, "keeping up the connections failed, trying on")]
    internal static partial void RoundFailed(ILogger logger, Exception exception);

    [LoggerMessage(1220, LogLevel.Error, "the peerstore file {Path} could not be saved: {Reason}")]
    internal static partial void PeerstoreNotSaved(ILogger logger, string path, string reason);

    [LoggerMessage(1221, LogLevel.Error, "the peerstore file {Path} could not be read: {Reason}")]
    internal static partial void PeerstoreNotRead(ILogger logger, string path, string reason);

    [LoggerMessage(1222, LogLevel.Error, "error parsing multiaddress from peerstore: {Line}: {Reason}")]
    internal static partial void PeerstoreLineDamaged(ILogger logger, string line, string reason);

    [LoggerMessage(1223, LogLevel.Warning, "{Name} names no peer (/p2p/...): nothing can be dialled there")]
    internal static partial void NameWithoutPeers(ILogger logger, Multiaddr name);

    [LoggerMessage(1224, LogLevel.Error, "error resolving {Name}: {Reason}")]
    internal static partial void NameNotResolved(ILogger logger, Multiaddr name, string reason);

    [LoggerMessage(1230, LogLevel.Warning, "the metric {Name} is invalid or has expired and will not be published")]
    internal static partial void MetricNotPublished(ILogger logger, string name);

    [LoggerMessage(1231, LogLevel.Debug, "a gossiped metric could not be read: {Reason}")]
    internal static partial void MetricNotRead(ILogger logger, string reason);

    [LoggerMessage(1232, LogLevel.Warning, "a reader of metrics is too slow: {Count} dropped")]
    internal static partial void MetricsDropped(ILogger logger, int count);

    [LoggerMessage(1233, LogLevel.Warning, "the metric {Name} will not be published: {Reason}")]
    internal static partial void MetricTooLarge(ILogger logger, string name, string reason);

    [LoggerMessage(1240, LogLevel.Information, "Bootstrapping to {Address}")]
    internal static partial void Bootstrapping(ILogger logger, Multiaddr address);

    [LoggerMessage(1241, LogLevel.Error, "bootstrap to {Address} failed: {Reason}")]
    internal static partial void BootstrapFailed(ILogger logger, Multiaddr address, string reason);

    [LoggerMessage(1242, LogLevel.Information, "{Self}: joined {Peer}'s cluster")]
    internal static partial void Joined(ILogger logger, PeerId self, PeerId peer);

    [LoggerMessage(1243, LogLevel.Error, "{Reason}")]
    internal static partial void JoinFailed(ILogger logger, string reason);

    [LoggerMessage(1244, LogLevel.Warning, "after the join: {Reason}")]
    internal static partial void NotSettled(ILogger logger, string reason);

    [LoggerMessage(1203, LogLevel.Warning, "{Remote} connected, but does not share this cluster's secret: if it is a peer of this cluster, set its cluster.secret to this peer's")]
    internal static partial void Stranger(ILogger logger, Multiaddr remote);

    [LoggerMessage(1245, LogLevel.Warning, "the daemon was not connected to those of the other peers: {Reason}")]
    internal static partial void SwarmNotConnected(ILogger logger, string reason);
}
