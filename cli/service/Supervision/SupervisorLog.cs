using Cluster.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Service.Supervision;

/// <summary>What the supervisor says. The texts that the original has are in its words: scripts look for them.</summary>
internal static partial class SupervisorLog
{
    [LoggerMessage(EventId = 8001, Level = LogLevel.Information, Message = "Initializing. For verbose output run with \"-l debug\". Please wait...")]
    public static partial void Initializing(ILogger service);

    [LoggerMessage(EventId = 8002, Level = LogLevel.Information, Message = "Datastore backend: {Name}")]
    public static partial void Datastore(ILogger service, string name);

    [LoggerMessage(EventId = 8003, Level = LogLevel.Information, Message = "** IPFS Cluster is READY **")]
    public static partial void Ready(ILogger cluster);

    [LoggerMessage(EventId = 8004, Level = LogLevel.Information, Message = "shutting down Cluster")]
    public static partial void ShuttingDown(ILogger cluster);

    [LoggerMessage(EventId = 8005, Level = LogLevel.Debug, Message = "started the {Name} service: pid {Pid}")]
    public static partial void Started(ILogger service, ServiceName name, int pid);

    [LoggerMessage(EventId = 8006, Level = LogLevel.Error, Message = "the {Name} service (pid {Pid}) ended with {ExitCode}: starting it again in {Milliseconds} ms")]
    public static partial void Ended(ILogger service, ServiceName name, int pid, int exitCode, double milliseconds);

    [LoggerMessage(EventId = 8007, Level = LogLevel.Error, Message = "the {Name} service cannot be started: {Reason}")]
    public static partial void CannotStart(ILogger service, ServiceName name, string reason);

    [LoggerMessage(EventId = 8008, Level = LogLevel.Warning, Message = "the {Name} service (pid {Pid}) did not stop in time: killing it")]
    public static partial void Killing(ILogger service, ServiceName name, int pid);

    [LoggerMessage(EventId = 8009, Level = LogLevel.Information, Message = "the peer left its cluster: stopping")]
    public static partial void PeerLeft(ILogger service);

    [LoggerMessage(EventId = 8010, Level = LogLevel.Debug, Message = "systemd could not be notified: {Reason}")]
    public static partial void NotNotified(ILogger service, string reason);
}
