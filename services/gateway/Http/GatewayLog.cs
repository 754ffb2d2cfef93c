using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Http;

/// <summary>What this process logs. Ids 5000 to 5099 are the gateway's.</summary>
internal static partial class GatewayLog
{
    [LoggerMessage(5000, LogLevel.Information, "{Line}", EventName = "Access")]
    public static partial void Access(ILogger logger, string line);

    [LoggerMessage(5001, LogLevel.Error, "{Method} {Target}: handler failed", EventName = "HandlerFailed")]
    public static partial void HandlerFailed(ILogger logger, string method, string target, Exception error);

    /// <param name="logger">The facility of the face.</param>
    /// <param name="component">The face in capitals.</param>
    /// <param name="kind"><c>HTTP</c>, or <c>HTTP - authenticated</c> when credentials are wanted.</param>
    /// <param name="address">A multiaddress.</param>
    [LoggerMessage(5002, LogLevel.Information, "{Component} ({Kind}): {Address}", EventName = "Listening")]
    public static partial void Listening(ILogger logger, string component, string kind, string address);

    [LoggerMessage(5003, LogLevel.Debug, "{Operation} is tried again: {Reason}", EventName = "Retry")]
    public static partial void Retry(ILogger logger, string operation, string reason);

    [LoggerMessage(5004, LogLevel.Information, "adding failed: {Reason}", EventName = "AddFailed")]
    public static partial void AddFailed(ILogger logger, string reason);

    [LoggerMessage(5005, LogLevel.Warning, "peer {Peer} takes no more blocks of this add: {Reason}", EventName = "DestinationFailed")]
    public static partial void DestinationFailed(ILogger logger, string peer, string reason);

    [LoggerMessage(5006, LogLevel.Error, "requests are not logged: writing to {Path}: {Reason}", EventName = "AccessLogFailed")]
    public static partial void AccessLogFailed(ILogger logger, string path, string reason);
}
