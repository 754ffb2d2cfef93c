using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Hosting.Lifetime;

/// <summary>
/// Stops the process in order: on SIGTERM, on SIGINT and SIGHUP unless a supervisor is there (a terminal sends these to the whole
/// group, and the supervisor decides the order then), and when the supervisor ends or closes this process' standard input.
/// </summary>
internal sealed class ProcessLifetime(IHostApplicationLifetime application, ServiceOptions options, ILoggerFactory loggers) : IHostLifetime, IDisposable
{
    /// <summary>What a stop may take once the supervisor is gone; everything acknowledged is on disk, so a hard end loses nothing.</summary>
    private static readonly TimeSpan orphanGrace = TimeSpan.FromSeconds(5);

    private readonly ILogger logger = loggers.CreateLogger("service");
    private readonly List<PosixSignalRegistration> registrations = [];
    private Timer? hardEnd;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop));
        registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, options.Supervised ? Ignore : Stop));
        registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, options.Supervised ? Ignore : Stop));
        if (options.Supervised)
            ParentWatch.Start(ParentEnded);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        foreach (var registration in registrations)
            registration.Dispose();
        hardEnd?.Dispose();
    }

    private static void Ignore(PosixSignalContext signal) => signal.Cancel = true;

    private void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;
        application.StopApplication();
    }

    private void ParentEnded()
    {
        LifetimeLog.SupervisorEnded(logger);
        hardEnd = new Timer(static _ => Environment.Exit(1), null, orphanGrace, Timeout.InfiniteTimeSpan);
        application.StopApplication();
    }
}

internal static partial class LifetimeLog
{
    [LoggerMessage(EventId = 9001, Level = LogLevel.Debug, Message = "the supervisor closed the input: stopping")]
    public static partial void SupervisorEnded(ILogger logger);
}
