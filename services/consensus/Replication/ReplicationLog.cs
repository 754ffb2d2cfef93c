using Cluster.Model.Configuration;
using Ipld;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Replication;

/// <summary>The log lines of the facilities <c>crdt</c> and <c>raft</c> (spec/observability.md 5.4). Ids 1100 to 1199.</summary>
internal static partial class ReplicationLog
{
    /// <summary>What the crdt component says at its start (spec/service-cli.md 2.2).</summary>
    internal static void Started(ILogger logger, CrdtSection settings)
    {
        if (settings.TrustAll)
            TrustAll(logger);
        if (settings.Batching.IsEnabled)
            Batching(logger, settings.Batching.MaxBatchSize, settings.Batching.MaxBatchAge.ToString());
    }

    /// <summary>Names the pins that were added and removed, in the words of the crdt or the raft component; null when nobody reads them.</summary>
    internal static Action<IReadOnlyList<StateOperation>>? Committed(ILogger logger, bool raft)
    {
        if (!logger.IsEnabled(LogLevel.Information))
            return null;
        return operations =>
        {
            for (var i = 0; i < operations.Count; i++)
            {
                var operation = operations[i];
                if (operation.Kind == OperationKind.Pin)
                    (raft ? (Action<ILogger, Cid>)RaftPinned : PinAdded)(logger, operation.Cid);
                else
                    (raft ? (Action<ILogger, Cid>)RaftUnpinned : PinRemoved)(logger, operation.Cid);
            }
        };
    }

    [LoggerMessage(1102, LogLevel.Information, "new pin added: {Cid}")]
    private static partial void PinAdded(ILogger logger, Cid cid);

    [LoggerMessage(1103, LogLevel.Information, "pin removed: {Cid}")]
    private static partial void PinRemoved(ILogger logger, Cid cid);

    [LoggerMessage(1104, LogLevel.Information, "pin committed to global state: {Cid}")]
    private static partial void RaftPinned(ILogger logger, Cid cid);

    [LoggerMessage(1105, LogLevel.Information, "unpin committed to global state: {Cid}")]
    private static partial void RaftUnpinned(ILogger logger, Cid cid);

    [LoggerMessage(1100, LogLevel.Information, "'trust all' mode enabled. Any peer in the cluster can modify the pinset.")]
    private static partial void TrustAll(ILogger logger);

    [LoggerMessage(1101, LogLevel.Information, "'crdt batching' enabled: {Items} items / {Age}")]
    private static partial void Batching(ILogger logger, int items, string age);
}
