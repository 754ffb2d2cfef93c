using Microsoft.Extensions.Logging;

namespace Libp2p.Mdns;

/// <summary>What discovery logs. Ids are stable; 2400 to 2499 belong to it.</summary>
internal sealed partial class MdnsLog(ILogger logger)
{
    [LoggerMessage(2400, LogLevel.Information, "Found {Peer} in the local network.")]
    public partial void Found(PeerId peer);

    [LoggerMessage(2401, LogLevel.Debug, "Found {Peer} in the local network, but it could not be connected to: {Reason}")]
    public partial void DialFailed(PeerId peer, string reason);

    [LoggerMessage(2402, LogLevel.Warning, "Multicast group {Group} cannot be joined; peers are not discovered there: {Reason}")]
    public partial void JoinFailed(System.Net.IPAddress group, string reason);

    [LoggerMessage(2403, LogLevel.Debug, "Multicast failed: {Reason}")]
    public partial void ChannelFailed(string reason);
}
