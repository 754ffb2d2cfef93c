using Grpc.Core;
using System.Diagnostics.Metrics;
using Cluster.Hosting.Lifetime;
using Cluster.Monitor.Informers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Monitor.Running;

/// <summary>Everything that runs in the monitor by itself: informers, checks, expiry.</summary>
public sealed class MonitorRunner : BackgroundService
{
    /// <summary>
    /// A peer whose daemon does not answer at the start waits this long with its first ping, so that the ping names the daemon.
    /// </summary>
    private static readonly TimeSpan FirstPingPatience = TimeSpan.FromSeconds(5);

    /// <summary>Timers take no more than about 49 days.</summary>
    private static readonly TimeSpan LongestInterval = TimeSpan.FromDays(40);

    private readonly MonitorSettings _settings;
    private readonly MetricHub _hub;
    private readonly DaemonWatch _daemon;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly InformerLoop _ping;
    private readonly IReadOnlyList<InformerLoop> _informers;

    public MonitorRunner(
        MonitorSettings settings, MetricHub hub, DaemonWatch daemon, PeerQuestions questions, Meter meter, TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(meter);
        _settings = settings;
        _hub = hub;
        _daemon = daemon;
        _time = time;
        _logger = logger;
        _ping = Loop(new PingInformer(settings.PeerName, settings.PingInterval, () => _daemon.Identity));
        _informers = [.. Configured(settings, questions, meter).Select(Loop)];
        daemon.CameUp += () =>
        {
            foreach (var informer in _informers.Prepend(_ping))
                informer.RunSoon();
        };
    }

    /// <summary>Runs every informer now and returns when all have run.</summary>
    public Task RunInformersAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_informers.Prepend(_ping).Select(informer => informer.RunNowAsync(cancellationToken)));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Loops.RunAsync(
                [_daemon.RunAsync, CheckAsync, ExpireAsync, PingAsync, .. _informers.Select(informer => (Func<CancellationToken, Task>)informer.RunAsync)],
                stoppingToken);
        }
        catch (Exception e) when (stoppingToken.IsCancellationRequested && e is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            // The service stops.
        }
    }

    private static IEnumerable<IInformer> Configured(MonitorSettings settings, PeerQuestions questions, Meter meter)
    {
        if (settings.Disk is { } disk)
        {
            long weight = 0;
            meter.CreateObservableGauge("ipfscluster_informer_disk", () => Volatile.Read(ref weight), description: "The metric value weight issued by disk informer");
            yield return new DiskInformer(
                disk.MetricType == "reposize" ? DiskMetric.RepoSize : DiskMetric.FreeSpace,
                disk.MetricTtl.ToTimeSpan(),
                questions.RepoSizeAsync,
                published => Volatile.Write(ref weight, published));
        }
        if (settings.PinQueue is { } queue)
            yield return new PinQueueInformer(queue.WeightBucketSize, queue.MetricTtl.ToTimeSpan(), questions.QueueSizeAsync);
        if (settings.Tags is { } tags)
            yield return new TagsInformer(tags.Tags ?? new Dictionary<string, string>(), tags.MetricTtl.ToTimeSpan());
    }

    private InformerLoop Loop(IInformer informer) =>
        new(informer, _settings.Peer, _hub, _time, failure => MonitorLog.InformerFailed(_logger, informer.Name, failure));

    private async Task PingAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _daemon.Known.WaitAsync(FirstPingPatience, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The peer is alive without its daemon, and says so.
        }
        await _ping.RunAsync(cancellationToken);
    }

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_settings.CheckInterval < LongestInterval ? _settings.CheckInterval : LongestInterval, _time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            foreach (var alert in _hub.Check())
                MonitorLog.Alert(_logger, alert.Metric.Name, alert.Metric.Peer.ToString());
        }
    }

    private async Task ExpireAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (next, moved) = _hub.Expire();
            try
            {
                await moved.WaitAsync(next is { } wait && wait < TimeSpan.FromDays(1) ? wait : TimeSpan.FromDays(1), _time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // A metric's time may be over.
            }
        }
    }
}
