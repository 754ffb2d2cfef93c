using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Hosting.Lifetime;

/// <summary>
/// Stops the process in order: on SIGTERM, on SIGINT and SIGHUP unless a supervisor is there (a terminal sends these to the whole
/// group, and the supervisor decides the order then), and when the supervisor asks for it. With a supervisor that died it dies at once:
/// who kills a peer gets a dead peer, and nobody is left to say whether it should leave its cluster.
/// </summary>
internal sealed class ProcessLifetime(IHostApplicationLifetime application, ServiceOptions options, ILoggerFactory loggers) : IHostLifetime, IDisposable
{
    private readonly ILogger logger = loggers.CreateLogger("service");
    private readonly List<PosixSignalRegistration> registrations = [];

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop));
        registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, options.Supervised ? Ignore : Stop));
        registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, options.Supervised ? Ignore : Stop));
        if (options.Supervised)
            ParentWatch.Start(StopAsked, ParentDied);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        foreach (var registration in registrations)
            registration.Dispose();
    }

    private static void Ignore(PosixSignalContext signal) => signal.Cancel = true;

    private void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;
        application.StopApplication();
    }

    private void StopAsked()
    {
        LifetimeLog.StopAsked(logger);
        application.StopApplication();
    }

    /// <summary>Everything acknowledged is on disk: a hard end loses nothing.</summary>
    private static void ParentDied()
    {
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }
}

internal static partial class LifetimeLog
{
    [LoggerMessage(EventId = 9001, Level = LogLevel.Debug, Message = "the supervisor asks for the stop")]
    public static partial void StopAsked(ILogger logger);
}
