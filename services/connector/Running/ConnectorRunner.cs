using Cluster.Hosting.Lifetime;
using Grpc.Core;
using KuboRpc;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Connector.Running;

/// <summary>Everything that runs in the connector by itself.</summary>
public sealed class ConnectorRunner : BackgroundService
{
    private readonly DaemonHealthWatch _health;
    private readonly SwarmConnector _swarms;
    private readonly InformerTrigger _trigger;

    public ConnectorRunner(KuboClient client, DaemonHealthWatch health, SwarmConnector swarms, InformerTrigger trigger, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(health);
        _health = health;
        _swarms = swarms;
        _trigger = trigger;
        client.Gate.LimitChanged += limiting =>
        {
            if (limiting)
                ConnectorLog.Limiting(logger);
            else
                ConnectorLog.LimitLifted(logger);
            // Whoever found the daemon back or gone, the watchers shall know at once.
            health.LookNow();
        };
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Loops.RunAsync([_health.RunAsync, _swarms.RunAsync, _trigger.RunAsync], stoppingToken);
        }
        catch (Exception e) when (stoppingToken.IsCancellationRequested && e is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            // The service stops.
        }
    }
}
