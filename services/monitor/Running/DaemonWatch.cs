using Cluster.Contracts.V1;
using Cluster.Monitor.Informers;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Cluster.Monitor.Running;

/// <summary>
/// Follows the daemon's health as the connector tells it, so that this peer's first metrics are out as soon as the daemon answers.
/// </summary>
public sealed class DaemonWatch(Connector.ConnectorClient connector, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource _known = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile DaemonIdentity? _identity;
    private volatile bool _up;

    /// <summary>Raised when the daemon comes up, or turns out to be another one.</summary>
    public event Action? CameUp;

    /// <summary>The daemon's identity as it was told last; null before the first time.</summary>
    public DaemonIdentity? Identity => _identity;

    /// <summary>Whether the daemon answers.</summary>
    public bool IsUp => _up;

    /// <summary>Ends when the daemon's identity is known.</summary>
    public Task Known => _known.Task;

    /// <summary>Follows until cancelled; a connector that restarts is asked again.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        while (true)
        {
            try
            {
                using var call = connector.WatchHealth(new Empty(), cancellationToken: cancellationToken);
                await foreach (var health in call.ResponseStream.ReadAllAsync(cancellationToken))
                {
                    pause = FirstPause;
                    Take(health);
                }
            }
            catch (RpcException failure) when (!cancellationToken.IsCancellationRequested)
            {
                MonitorLog.ConnectorGone(logger, failure.Status.Detail);
            }
            catch (RpcException)
            {
                throw new OperationCanceledException(cancellationToken);
            }
            _up = false;
            await Task.Delay(pause, time, cancellationToken);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }

    private void Take(DaemonHealth health)
    {
        var cameUp = health.Up && !_up;
        _up = health.Up;
        if (health.Up && health.Id is { Id.Length: > 0 } id)
        {
            cameUp |= _identity?.Id != id.Id;
            _identity = new DaemonIdentity(id.Id, [.. id.Addresses]);
            _known.TrySetResult();
        }
        if (cameUp)
            CameUp?.Invoke();
    }
}
