using System.Runtime.CompilerServices;
using Cluster.Consensus.Clients;
using Cluster.Consensus.Members;
using Cluster.Consensus.Replication;
using Cluster.Model;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Status;

/// <summary>
/// Statuses of everything on all members: their sorted streams are merged as they come, in bounded memory (design section 4). A
/// member that fails counts as failed for the rest of the list; only when all fail does the list fail.
/// </summary>
public sealed class StatusListing(
    IConsensus consensus, ITracker tracker, IRemotePeers remote, SelfPeer self, StatusReports reports, ClusterSettings settings)
{
    private const int BatchItems = 256;

    /// <summary>Statuses that pass a mask (0: all).</summary>
    public IAsyncEnumerable<V1.GlobalPinInfoBatch> StatusAllAsync(int mask, bool local, CancellationToken cancellationToken) =>
        ListAsync(local, (t, sequence, token) => t.StatusAllAsync(mask, sequence, token), mask, cancellationToken);

    /// <summary>Queues everything failed or lost again; what was queued.</summary>
    public IAsyncEnumerable<V1.GlobalPinInfoBatch> RecoverAllAsync(bool local, CancellationToken cancellationToken) =>
        ListAsync(local, (t, sequence, token) => t.RecoverAllAsync(sequence, token), (int)TrackerStatus.Pinned, cancellationToken);

    private delegate IAsyncEnumerable<IReadOnlyList<V1.PinInfo>> Asking(ITracker tracker, ulong sequence, CancellationToken cancellationToken);

    private async IAsyncEnumerable<V1.GlobalPinInfoBatch> ListAsync(
        bool local, Asking ask, int mask, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var sequence = consensus.State.Totals.Sequence;
        var members = local || settings.FollowerMode ? [self.Id] : await consensus.PeersAsync(cancellationToken);
        if (members.Count == 1)
        {
            await foreach (var batch in ask(tracker, sequence, cancellationToken).WithCancellation(cancellationToken))
                yield return Single(batch);
            yield break;
        }

        await using var merge = new StatusMerge(reports, mask);
        foreach (var peer in members)
            merge.Add(peer, () => ask(peer == self.Id ? tracker : remote.TrackerOf(peer), peer == self.Id ? sequence : 0, cancellationToken), cancellationToken);
        var merged = new V1.GlobalPinInfoBatch();
        while (await merge.NextAsync() is { } item)
        {
            merged.Items.Add(item);
            if (merged.Items.Count == BatchItems || !merge.HasMoreAtHand)
            {
                yield return merged;
                merged = new V1.GlobalPinInfoBatch();
            }
        }

        if (merged.Items.Count > 0)
            yield return merged;
    }

    private V1.GlobalPinInfoBatch Single(IReadOnlyList<V1.PinInfo> batch)
    {
        var result = new V1.GlobalPinInfoBatch();
        result.Items.Capacity = batch.Count;
        foreach (var report in batch)
        {
            var global = StatusReports.Begin(report);
            global.Peers.Add(reports.Entry(self.Id, report));
            result.Items.Add(global);
        }

        return result;
    }
}
