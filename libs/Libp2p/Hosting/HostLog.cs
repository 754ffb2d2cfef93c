using Microsoft.Extensions.Logging;

namespace Libp2p.Hosting;

/// <summary>What a host logs. Ids are stable; 2000 to 2099 belong to the host.</summary>
internal sealed partial class HostLog(ILogger logger)
{
    [LoggerMessage(2000, LogLevel.Information, "Listening on {Address}.")]
    public partial void Listening(Multiaddr address);

    [LoggerMessage(2001, LogLevel.Error, "Cannot listen on {Address}: {Reason}")]
    public partial void ListenFailed(Multiaddr address, string reason);

    [LoggerMessage(2002, LogLevel.Debug, "Connected to {Peer} at {Address} ({Direction}, {Security}).")]
    public partial void Connected(PeerId peer, Multiaddr address, string direction, string security);

    [LoggerMessage(2003, LogLevel.Debug, "Connection to {Peer} ended: {Reason}")]
    public partial void Disconnected(PeerId peer, string reason);

    [LoggerMessage(2004, LogLevel.Information, "Inbound connection from {Address} refused: {Reason}")]
    public partial void InboundFailed(Multiaddr address, string reason);

    [LoggerMessage(2005, LogLevel.Warning, "Connection from {Address} refused by a resource limit: {Limit}.")]
    public partial void ConnectionRefused(Multiaddr address, string limit);

    [LoggerMessage(2006, LogLevel.Warning, "Stream of {Peer} refused by a resource limit: {Limit}.")]
    public partial void StreamRefused(PeerId peer, string limit);

    [LoggerMessage(2007, LogLevel.Debug, "Stream of {Peer} did not agree on a protocol: {Reason}")]
    public partial void NegotiationFailed(PeerId peer, string reason);

    [LoggerMessage(2008, LogLevel.Warning, "The handler of {Protocol} failed for {Peer}.")]
    public partial void HandlerFailed(Exception exception, string protocol, PeerId peer);

    [LoggerMessage(2009, LogLevel.Debug, "Dialling {Peer} failed: {Reason}")]
    public partial void DialFailed(PeerId peer, string reason);

    [LoggerMessage(2010, LogLevel.Debug, "Identify of {Peer} failed: {Reason}")]
    public partial void IdentifyFailed(PeerId peer, string reason);

    [LoggerMessage(2011, LogLevel.Debug, "Closing {Count} connections above the low-water mark.")]
    public partial void Trimming(int count);

    [LoggerMessage(2012, LogLevel.Error, "An observer of the host failed.")]
    public partial void ObserverFailed(Exception exception);

    [LoggerMessage(2013, LogLevel.Error, "The listener on {Address} failed and no longer accepts connections.")]
    public partial void ListenerFailed(Exception exception, Multiaddr address);

    [LoggerMessage(2014, LogLevel.Debug, "Stream ended: {Reason} ({Protocol}, {Peer})")]
    public partial void StreamEnded(string reason, string protocol, PeerId peer);

    [LoggerMessage(2015, LogLevel.Debug, "{Peer} is {Agent} with {Count} protocols.")]
    public partial void Identified(PeerId peer, string agent, int count);
}
