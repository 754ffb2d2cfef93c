using Ipld;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus;

/// <summary>The log lines of the facility <c>cluster</c> (spec/observability.md, spec/service-cli.md 2.2). Ids 1000 to 1099.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Information, "IPFS Cluster v{Version} listening on:\n{Addresses}\n\n")]
    internal static partial void Listening(ILogger logger, string version, string addresses);

    [LoggerMessage(1001, LogLevel.Information, "Cluster Peers (without including ourselves):")]
    internal static partial void ClusterPeers(ILogger logger);

    [LoggerMessage(1002, LogLevel.Information, "    - {Peer}")]
    internal static partial void ClusterPeer(ILogger logger, string peer);

    [LoggerMessage(1003, LogLevel.Information, "Waiting for IPFS to be ready...")]
    internal static partial void WaitingForIpfs(ILogger logger);

    [LoggerMessage(1004, LogLevel.Information, "IPFS is ready. Peer ID: {Id}")]
    internal static partial void IpfsIsReady(ILogger logger, string id);

    [LoggerMessage(1005, LogLevel.Warning, "ipfs does not seem to be available after {Tries} retries")]
    internal static partial void IpfsNotReady(ILogger logger, int tries);

    [LoggerMessage(1006, LogLevel.Information, "** IPFS Cluster is READY **")]
    internal static partial void Ready(ILogger logger);

    [LoggerMessage(1007, LogLevel.Information, "shutting down Cluster")]
    internal static partial void ShuttingDown(ILogger logger);

    [LoggerMessage(1008, LogLevel.Warning, "attempting to leave the cluster. This may take some seconds")]
    internal static partial void Leaving(ILogger logger);

    [LoggerMessage(1009, LogLevel.Error, "leaving cluster: {Error}")]
    internal static partial void LeavingFailed(ILogger logger, string error);

    [LoggerMessage(1014, LogLevel.Information, "the peer left its cluster: its replica of the pinset is removed")]
    internal static partial void Left(ILogger logger);

    [LoggerMessage(1015, LogLevel.Information, "peer no longer in peerset. Initiating shutdown")]
    internal static partial void NoLongerInPeerset(ILogger logger);

    [LoggerMessage(1010, LogLevel.Information, "pinning {Cid} {Where}:")]
    internal static partial void Pinning(ILogger logger, Cid cid, string where);

    [LoggerMessage(1011, LogLevel.Information, "IPFS cluster unpinning:{Cid}")]
    internal static partial void Unpinning(ILogger logger, Cid cid);

    [LoggerMessage(1012, LogLevel.Information, "Unpinning {Cid}: pin expired at {Time}")]
    internal static partial void Expired(ILogger logger, Cid cid, string time);

    [LoggerMessage(1013, LogLevel.Error, "Not enough candidates to allocate {Cid}:\n{Details}")]
    internal static partial void NotEnoughCandidates(ILogger logger, string cid, string details);

    [LoggerMessage(1020, LogLevel.Warning, "metric alert for {Name}: Peer: {Peer}.")]
    internal static partial void MetricAlert(ILogger logger, string name, PeerId peer);

    [LoggerMessage(1021, LogLevel.Warning, "repinning is disabled. Will not re-allocate cids from {Peer}")]
    internal static partial void RepinningDisabled(ILogger logger, PeerId peer);

    [LoggerMessage(1022, LogLevel.Information, "repinned {Cid} out of {Peer}")]
    internal static partial void Repinned(ILogger logger, Cid cid, PeerId peer);

    [LoggerMessage(1023, LogLevel.Error, "could not repin {Cid} out of {Peer}: {Error}")]
    internal static partial void RepinFailed(ILogger logger, Cid cid, PeerId peer, string error);

    [LoggerMessage(1024, LogLevel.Error, "re-allocating the pins of {Peer} failed: {Error}")]
    internal static partial void EvacuationFailed(ILogger logger, PeerId peer, string error);

    [LoggerMessage(1026, LogLevel.Error, "could not repin {Count} more pins out of {Peer}")]
    internal static partial void MoreRepinsFailed(ILogger logger, int count, PeerId peer);

    [LoggerMessage(1030, LogLevel.Error, "state sync: {Error}")]
    internal static partial void StateSyncFailed(ILogger logger, string error);

    [LoggerMessage(1031, LogLevel.Warning, "{Service} does not answer, trying again: {Error}")]
    internal static partial void ServiceAway(ILogger logger, string service, string error);

    [LoggerMessage(1032, LogLevel.Warning, "the state could not be flushed: {Error}")]
    internal static partial void TidyFailed(ILogger logger, string error);

    [LoggerMessage(1033, LogLevel.Error, "a call failed unexpectedly")]
    internal static partial void UnexpectedFailure(ILogger logger, Exception exception);
}
