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
}
