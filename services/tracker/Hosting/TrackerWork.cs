using Cluster.Hosting;

namespace Cluster.Tracker.Hosting;

/// <summary>Runs the tracker for as long as its process does. When it cannot go on the process ends, and the supervisor starts another.</summary>
public sealed class TrackerWork(TrackerAssembly parts, ServiceContext context, IHostApplicationLifetime application) : BackgroundService
{
    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        TrackerMetrics.Register(parts.Tracker);
        application.ApplicationStopping.Register(parts.EndStreams);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await parts.RunAsync(stoppingToken);
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            TrackerLog.Failed(context.Logger("pintracker"), e);
            context.ExitCode = 1;
            application.StopApplication();
        }
    }
}
