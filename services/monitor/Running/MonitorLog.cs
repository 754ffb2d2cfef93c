using Microsoft.Extensions.Logging;

namespace Cluster.Monitor.Running;

/// <summary>What the monitor logs. Facility <c>monitor</c>; informers have the facilities of the original.</summary>
internal static partial class MonitorLog
{
    /// <summary>Facility of the store, the checks and the calls (spec/observability.md).</summary>
    public const string Facility = "monitor";

    /// <summary>Facility of the disk informer.</summary>
    public const string DiskFacility = "diskinfo";

    [LoggerMessage(EventId = 4001, Level = LogLevel.Debug, Message = "the connector cannot be asked: {Reason}")]
    public static partial void ConnectorGone(ILogger logger, string reason);

    [LoggerMessage(EventId = 4002, Level = LogLevel.Debug, Message = "metric alert for {Metric}: peer {Peer}")]
    public static partial void Alert(ILogger logger, string metric, string peer);

    [LoggerMessage(EventId = 4003, Level = LogLevel.Error, Message = "informer {Informer} failed")]
    public static partial void InformerFailed(ILogger logger, string informer, Exception failure);

    [LoggerMessage(EventId = 4004, Level = LogLevel.Warning, Message = "reported freespace is 0")]
    public static partial void NoFreeSpace(ILogger logger);

    [LoggerMessage(EventId = 4005, Level = LogLevel.Debug, Message = "the {Service} could not be asked: {Reason}")]
    public static partial void NotAnswered(ILogger logger, string service, string reason);
}
