using Cluster.Consensus.Alerts;
using Cluster.Consensus.Lifecycle;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Metrics;

/// <summary>Keeps the metric snapshot and the alerts up to date from the monitor's watches, and tells it who the members are.</summary>
public sealed class MonitorFollower(
    CallInvoker monitor, MetricSnapshot metrics, AlertHandler alerts, TimeProvider clock, ILoggerFactory loggers) : BackgroundService
{
    private readonly V1.Monitor.MonitorClient _client = new(monitor);
    private readonly ILogger _logger = loggers.CreateLogger("cluster");

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        new Follower("monitor", clock, _logger).RunAsync(FollowMetricsAsync, stoppingToken),
        new Follower("monitor", clock, _logger).RunAsync(FollowAlertsAsync, stoppingToken));

    private async Task FollowMetricsAsync(Action alive, CancellationToken cancellationToken)
    {
        using var call = _client.WatchLatest(new V1.Empty(), cancellationToken: cancellationToken);
        var first = true;
        while (await call.ResponseStream.MoveNext(cancellationToken))
        {
            alive();
            var message = call.ResponseStream.Current;
            if (first)
                metrics.Reset(message.Metrics.Select(MetricMessages.Read));
            else
                metrics.Update(message.Metrics.Select(MetricMessages.Read), message.Expired.Select(MetricMessages.Read));
            first = false;
        }
    }

    private async Task FollowAlertsAsync(Action alive, CancellationToken cancellationToken)
    {
        using var call = _client.WatchAlerts(new V1.Empty(), cancellationToken: cancellationToken);
        while (await call.ResponseStream.MoveNext(cancellationToken))
        {
            alive();
            await alerts.HandleAsync(call.ResponseStream.Current, cancellationToken);
        }
    }
}
