using Cluster.Consensus.Lifecycle;
using Cluster.Consensus.Metrics;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Peering;

/// <summary>
/// Carries metrics between the monitor, which makes and keeps them, and the gossip: own ones out, those of others in. A monitor that
/// was restarted gets again what still holds.
/// </summary>
public sealed class MonitorBridge(CallInvoker monitor, MetricGossip gossip, TimeProvider clock, ILoggerFactory loggers) : BackgroundService
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(5);

    private readonly V1.Monitor.MonitorClient _client = new(monitor);
    private readonly ILogger _logger = loggers.CreateLogger("cluster");

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new Follower("monitor", clock, _logger).RunAsync(FollowAsync, stoppingToken);

    /// <summary>Both ways as long as the monitor is there: when it ends, what it held is gone, and both begin anew.</summary>
    private async Task FollowAsync(Action alive, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var call = _client.WatchOwn(new V1.Empty(), cancellationToken: ending.Token);
        Task[] ways = [SendOwnAsync(call.ResponseStream, alive, ending.Token), HandOverAsync(alive, ending.Token)];
        var first = await Task.WhenAny(ways);
        await ending.CancelAsync();
        await Task.WhenAll(ways).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }

    private async Task SendOwnAsync(IAsyncStreamReader<V1.MetricBatch> own, Action alive, CancellationToken cancellationToken)
    {
        while (await own.MoveNext(cancellationToken))
        {
            alive();
            gossip.Publish(own.Current.Metrics.Select(MetricMessages.Read));
        }
    }

    private async Task HandOverAsync(Action alive, CancellationToken cancellationToken)
    {
        using var reader = gossip.Read();
        await foreach (var metrics in reader.Batches.ReadAllAsync(cancellationToken))
        {
            var request = new V1.PublishRequest();
            request.Metrics.Add(metrics.Select(MetricMessages.Write));
            await _client.PublishAsync(request, deadline: DateTime.UtcNow + CallLimit, cancellationToken: cancellationToken);
            alive();
        }
    }
}
