using Cluster.Contracts.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Cluster.Monitor.Running;

/// <summary>What informers ask this peer's other services. A service that does not answer gives null: there is nothing to tell then.</summary>
public sealed class PeerQuestions(Connector.ConnectorClient connector, Tracker.TrackerClient tracker, ILogger logger)
{
    /// <summary>Size of the daemon's repository, in bytes.</summary>
    public async Task<(ulong RepoSize, ulong StorageMax)?> RepoSizeAsync(CancellationToken cancellationToken)
    {
        try
        {
            var stat = await connector.RepoStatAsync(new Empty(), cancellationToken: cancellationToken);
            if (stat.StorageMax <= stat.RepoSize)
                MonitorLog.NoFreeSpace(logger);
            return (stat.RepoSize, stat.StorageMax);
        }
        catch (RpcException failure) when (!cancellationToken.IsCancellationRequested)
        {
            MonitorLog.NotAnswered(logger, "connector", failure.Status.Detail);
            return null;
        }
    }

    /// <summary>Pins that wait for a worker.</summary>
    public async Task<long?> QueueSizeAsync(CancellationToken cancellationToken)
    {
        try
        {
            var size = await tracker.QueueSizeAsync(new Empty(), cancellationToken: cancellationToken);
            return (long)(size.PinQueued + size.PriorityQueued);
        }
        catch (RpcException failure) when (!cancellationToken.IsCancellationRequested)
        {
            MonitorLog.NotAnswered(logger, "tracker", failure.Status.Detail);
            return null;
        }
    }
}
