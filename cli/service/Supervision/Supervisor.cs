using System.ComponentModel;
using Cluster.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Service.Supervision;

/// <summary>
/// Runs the five services of a peer: starts them together, starts one again that ends, and stops them in the original's order. A
/// service that cannot start before the peer was ready once (<see cref="ServiceStartException.ExitCode"/>) stops the whole peer;
/// later it is tried again, as a peer that serves in part is better than none.
/// </summary>
internal sealed class Supervisor
{
    /// <summary>The faces first, so that nothing new comes in; the tracker last, as it records what the others still finish.</summary>
    private static readonly ServiceName[] stopOrder =
        [ServiceName.Gateway, ServiceName.Consensus, ServiceName.Monitor, ServiceName.Connector, ServiceName.Tracker];

    /// <summary>A little longer than a service takes for an orderly stop.</summary>
    private static readonly TimeSpan stopLimit = ServiceHost.StopLimit + TimeSpan.FromSeconds(3);

    private readonly IReadOnlyDictionary<string, string> environment;
    private readonly ReadinessCheck readiness;
    private readonly SystemdNotifier systemd;
    private readonly ILogger service;
    private readonly ILogger cluster;
    private readonly TimeProvider clock;
    private readonly Dictionary<ServiceName, ServiceProcess> running = [];
    private readonly Lock gate = new();
    private readonly TaskCompletionSource<int> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool ready;

    /// <param name="environment">What every service is told.</param>
    /// <param name="readiness">Waits for the peer to be ready.</param>
    /// <param name="systemd">Told of readiness and stop.</param>
    /// <param name="loggers">Makes the loggers.</param>
    /// <param name="clock">Measures how long services run.</param>
    public Supervisor(
        IReadOnlyDictionary<string, string> environment, ReadinessCheck readiness, SystemdNotifier systemd, ILoggerFactory loggers, TimeProvider clock)
    {
        this.environment = environment;
        this.readiness = readiness;
        this.systemd = systemd;
        this.clock = clock;
        service = loggers.CreateLogger("service");
        cluster = loggers.CreateLogger("cluster");
    }

    /// <summary>Runs until <paramref name="stop"/>, or until a service ends the peer.</summary>
    /// <returns>The exit code: 0 after a stop or when the peer left its cluster, 1 when it could not start.</returns>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var keeping = ServiceName.All.Select(name => KeepAsync(name, stopping.Token)).ToArray();
        var announcing = AnnounceAsync(stopping.Token);
        await using (stop.Register(() => ended.TrySetResult(0)))
        {
            var code = await ended.Task;
            await stopping.CancelAsync();
            systemd.Stopping();
            if (ready || stop.IsCancellationRequested)
                SupervisorLog.ShuttingDown(cluster);
            foreach (var name in stopOrder)
                await StopAsync(name);
            await Task.WhenAll(keeping);
            await announcing;
            return code;
        }
    }

    /// <summary>Ends every service at once, for a user who will not wait.</summary>
    public void KillAll()
    {
        lock (gate)
        {
            foreach (var process in running.Values)
                process.Kill();
        }
    }

    private async Task AnnounceAsync(CancellationToken stopping)
    {
        try
        {
            await readiness.WaitAsync(stopping);
            ready = true;
            SupervisorLog.Ready(cluster);
            systemd.Ready();
        }
        catch (OperationCanceledException)
        {
            // Stopped before it was ready.
        }
        catch (Exception error)
        {
            SupervisorLog.CannotStart(service, ServiceName.Consensus, error.Message);
            ended.TrySetResult(1);
        }
    }

    /// <summary>Keeps one service running until the stop.</summary>
    private async Task KeepAsync(ServiceName name, CancellationToken stopping)
    {
        var policy = new RestartPolicy();
        while (!stopping.IsCancellationRequested)
        {
            var started = clock.GetTimestamp();
            TimeSpan pause;
            if (Start(name) is { } process)
            {
                SupervisorLog.Started(service, name, process.Id);
                var exitCode = await process.Exited;
                lock (gate)
                    running.Remove(name);
                if (stopping.IsCancellationRequested || EndsPeer(exitCode))
                    return;
                pause = policy.NextPause(clock.GetElapsedTime(started));
                SupervisorLog.Ended(service, name, process.Id, exitCode, pause.TotalMilliseconds);
            }
            else if (ended.Task.IsCompleted)
            {
                return;
            }
            else
            {
                // Its program is being replaced, perhaps.
                pause = policy.NextPause(TimeSpan.Zero);
            }

            try
            {
                await Task.Delay(pause, clock, stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private ServiceProcess? Start(ServiceName name)
    {
        try
        {
            lock (gate)
            {
                if (ended.Task.IsCompleted)
                    return null;
                return running[name] = ServiceProcess.Start(name, environment);
            }
        }
        catch (Win32Exception error)
        {
            SupervisorLog.CannotStart(service, name, $"{Path.Combine(AppContext.BaseDirectory, name.Executable)}: {error.Message}");
            if (!ready)
                ended.TrySetResult(1);
            return null;
        }
    }

    private bool EndsPeer(int exitCode)
    {
        switch (exitCode)
        {
            case ServiceContext.PeerLeftExitCode:
                SupervisorLog.PeerLeft(service);
                ended.TrySetResult(0);
                return true;
            case ServiceStartException.ExitCode when !ready:
                // The service has printed what is wrong.
                ended.TrySetResult(1);
                return true;
            default:
                return false;
        }
    }

    private async Task StopAsync(ServiceName name)
    {
        ServiceProcess? process;
        lock (gate)
            running.TryGetValue(name, out process);
        if (process is null)
            return;
        process.RequestStop();
        try
        {
            await process.Exited.WaitAsync(stopLimit, clock);
        }
        catch (TimeoutException)
        {
            SupervisorLog.Killing(service, name, process.Id);
            process.Kill();
        }
    }
}
