using Ipld;
using Microsoft.Extensions.Logging;

namespace Cluster.Connector.Running;

/// <summary>What the connector logs, in the words that operators look for (spec/observability.md 5.4).</summary>
internal static partial class ConnectorLog
{
    /// <summary>The facility of the connector.</summary>
    public const string Facility = "ipfshttp";

    [LoggerMessage(EventId = 3001, Level = LogLevel.Debug, Message = "posting /{Target}")]
    public static partial void Posting(ILogger logger, string target);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Error, Message = "error posting to IPFS:{Failure}")]
    public static partial void PostFailed(ILogger logger, string failure);

    [LoggerMessage(EventId = 3003, Level = LogLevel.Information, Message = "IPFS Pin request succeeded: {Cid}")]
    public static partial void Pinned(ILogger logger, Cid cid);

    [LoggerMessage(EventId = 3004, Level = LogLevel.Information, Message = "IPFS Pin Update request succeeded. {From} -> {To} (unpin=false)")]
    public static partial void Updated(ILogger logger, Cid? from, Cid to);

    [LoggerMessage(EventId = 3005, Level = LogLevel.Information, Message = "IPFS Unpin request succeeded:{Cid}")]
    public static partial void Unpinned(ILogger logger, Cid cid);

    [LoggerMessage(EventId = 3006, Level = LogLevel.Warning, Message = "Rate-limiting requests to 1req/s")]
    public static partial void Limiting(ILogger logger);

    [LoggerMessage(EventId = 3007, Level = LogLevel.Warning, Message = "Lifting up rate limit")]
    public static partial void LimitLifted(ILogger logger);

    [LoggerMessage(EventId = 3008, Level = LogLevel.Warning, Message = "ipfs does not seem to be available after {Retries} retries")]
    public static partial void NotAvailable(ILogger logger, int retries);

    [LoggerMessage(EventId = 3009, Level = LogLevel.Debug, Message = "streaming blocks to IPFS")]
    public static partial void StreamingBlocks(ILogger logger);

    [LoggerMessage(EventId = 3010, Level = LogLevel.Debug, Message = "ipfs successfully connected to {Address}")]
    public static partial void Connected(ILogger logger, string address);

    [LoggerMessage(EventId = 3011, Level = LogLevel.Debug, Message = "{Failure}")]
    public static partial void NotConnected(ILogger logger, string failure);

    [LoggerMessage(EventId = 3012, Level = LogLevel.Debug, Message = "the {Service} could not be asked: {Reason}")]
    public static partial void NotAnswered(ILogger logger, string service, string reason);
}
