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

    /// <summary>Why a batch was committed (spec/behaviour.md 12.1).</summary>
    internal static void BatchCommitted(ILogger logger, CollectionEnd end, int items) =>
        BatchCommitted(logger, end switch { CollectionEnd.Size => "size", CollectionEnd.Age => "max age", _ => "shutdown" }, items);

    /// <summary>Names the pins that were added and removed, in the words of the raft component; null when nobody reads them.</summary>
    internal static Action<IReadOnlyList<StateOperation>>? Committed(ILogger logger)
    {
        if (!logger.IsEnabled(LogLevel.Information))
            return null;
        return operations =>
        {
            for (var i = 0; i < operations.Count; i++)
            {
                if (operations[i].Kind == OperationKind.Pin)
                    RaftPinned(logger, operations[i].Cid);
                else
                    RaftUnpinned(logger, operations[i].Cid);
            }
        };
    }

    [LoggerMessage(1106, LogLevel.Information, "batch commit ({End}): {Items} items")]
    private static partial void BatchCommitted(ILogger logger, string end, int items);

    [LoggerMessage(1110, LogLevel.Information, "store is marked clean. No need to repair")]
    internal static partial void StoreIsClean(ILogger logger);

    [LoggerMessage(1111, LogLevel.Information, "store is marked dirty. Starting DAG repair operation: {Missing} blocks are missing")]
    internal static partial void Repairing(ILogger logger, int missing);

    [LoggerMessage(1112, LogLevel.Error, "a head announced by {Author} could not be read: {Error}")]
    internal static partial void BadAnnouncement(ILogger logger, string author, string error);

    [LoggerMessage(1113, LogLevel.Error, "block {Block} could not be merged: {Error}")]
    internal static partial void BadBlock(ILogger logger, string block, string error);

    [LoggerMessage(1120, LogLevel.Warning, "marking datastore as dirty: block {Block} could not be had from anyone")]
    internal static partial void MarkedDirty(ILogger logger, string block);

    [LoggerMessage(1121, LogLevel.Information, "marking datastore as clean")]
    internal static partial void MarkedClean(ILogger logger);

    [LoggerMessage(1114, LogLevel.Debug, "block {Block} could not be fetched: {Error}")]
    internal static partial void BlockUnavailable(ILogger logger, string block, string error);

    [LoggerMessage(1115, LogLevel.Error, "the entry {Key} is no pin and is passed over: {Error}")]
    internal static partial void UnreadableEntry(ILogger logger, string key, string error);

    [LoggerMessage(1116, LogLevel.Error, "the set could not be written: {Error}")]
    internal static partial void WriteFailed(ILogger logger, string error);

    [LoggerMessage(1117, LogLevel.Error, "heads could not be announced: {Error}")]
    internal static partial void AnnounceFailed(ILogger logger, string error);

    [LoggerMessage(1118, LogLevel.Information, "{Pins} pins from before are taken over into the replicated set")]
    internal static partial void TakenOver(ILogger logger, ulong pins);

    [LoggerMessage(1119, LogLevel.Warning, "more than {Limit} announcements wait; the oldest are dropped")]
    internal static partial void AnnouncementsDropped(ILogger logger, int limit);

    [LoggerMessage(1122, LogLevel.Debug, "{Peer} told {Blocks} ancestors: {End}")]
    internal static partial void AncestorsTold(ILogger logger, string peer, int blocks, string end);

    [LoggerMessage(1123, LogLevel.Error, "missing blocks could not be asked for: {Error}")]
    internal static partial void FetchFailed(ILogger logger, string error);

    [LoggerMessage(1102, LogLevel.Information, "new pin added: {Cid}")]
    internal static partial void PinAdded(ILogger logger, Cid cid);

    [LoggerMessage(1103, LogLevel.Information, "pin removed: {Cid}")]
    internal static partial void PinRemoved(ILogger logger, Cid cid);

    [LoggerMessage(1104, LogLevel.Information, "pin committed to global state: {Cid}")]
    private static partial void RaftPinned(ILogger logger, Cid cid);

    [LoggerMessage(1105, LogLevel.Information, "unpin committed to global state: {Cid}")]
    private static partial void RaftUnpinned(ILogger logger, Cid cid);

    [LoggerMessage(1100, LogLevel.Information, "'trust all' mode enabled. Any peer in the cluster can modify the pinset.")]
    private static partial void TrustAll(ILogger logger);

    [LoggerMessage(1101, LogLevel.Information, "'crdt batching' enabled: {Items} items / {Age}")]
    private static partial void Batching(ILogger logger, int items, string age);
}
