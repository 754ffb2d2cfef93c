using System.Threading.Channels;
using Cluster.Contracts.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Cluster.Connector.Running;

/// <summary>Has the monitor's informers run when the daemon's content changed much (<c>informer_trigger_interval</c>).</summary>
public sealed class InformerTrigger
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // Many triggers while a run is under way are one more run.
    private readonly Channel<bool> _due = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Contracts.V1.Monitor.MonitorClient _monitor;
    private readonly ILogger _logger;

    public InformerTrigger(ConnectorObserver observer, Contracts.V1.Monitor.MonitorClient monitor, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(observer);
        _monitor = monitor;
        _logger = logger;
        observer.InformersDue += () => _due.Writer.TryWrite(true);
    }

    /// <summary>Triggers until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (var _ in _due.Reader.ReadAllAsync(cancellationToken))
        {
            try
            {
                await _monitor.SendInformersAsync(new Empty(), deadline: DateTime.UtcNow + Patience, cancellationToken: cancellationToken);
            }
            catch (RpcException failure) when (!cancellationToken.IsCancellationRequested)
            {
                ConnectorLog.NotAnswered(_logger, "monitor", failure.Status.Detail);
            }
        }
    }
}
