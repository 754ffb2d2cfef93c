using Cluster.Consensus.Clients;
using Cluster.Consensus.Members;
using Cluster.Consensus.Replication;
using Cluster.Consensus.Services;
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
    /// <summary>Bytes of a message, as long as the next item needs no waiting for.</summary>
    private const int MessageBytes = 128 << 10;

    /// <summary>Statuses that pass a mask (0: all).</summary>
    public Task StatusAllAsync(int mask, bool local, Func<RawMessage, Task> write, CancellationToken cancellationToken) =>
        ListAsync(local, (t, sequence, token) => t.StatusAllAsync(mask, sequence, token), write, cancellationToken);

    /// <summary>Queues everything failed or lost again; what was queued.</summary>
    public Task RecoverAllAsync(bool local, Func<RawMessage, Task> write, CancellationToken cancellationToken) => ListAsync(
        local, (t, sequence, token) => t.RecoverAllAsync(sequence, token), write, cancellationToken);

    private delegate IAsyncEnumerable<StatusPage> Asking(ITracker tracker, ulong sequence, CancellationToken cancellationToken);

    /// <summary>Writes messages of <c>GlobalPinInfoBatch</c>; a message is the callee's until its task completes.</summary>
    private async Task ListAsync(bool local, Asking ask, Func<RawMessage, Task> write, CancellationToken cancellationToken)
    {
        var sequence = consensus.State.Totals.Sequence;
        var members = local || settings.FollowerMode ? [self.Id] : await consensus.PeersAsync(cancellationToken);
        using var message = new RawMessage(128 << 10);
        if (members.Count == 1)
            await PassOnAsync(ask(tracker, sequence, cancellationToken), message, write);
        else
            await MergeAsync(members, ask, sequence, message, write, cancellationToken);
    }

    private async Task PassOnAsync(IAsyncEnumerable<StatusPage> pages, RawMessage message, Func<RawMessage, Task> write)
    {
        StatusTranscoder? transcoder = null;
        try
        {
            await foreach (var page in pages)
            {
                transcoder ??= new StatusTranscoder(reports.IdentityOf(self.Id));
                message.Clear();
                transcoder.Transcode(page.Message.Span, message);
                if (message.Length > 0)
                    await write(message);
            }
        }
        finally
        {
            transcoder?.Dispose();
        }
    }

    private async Task MergeAsync(
        IReadOnlyList<PeerId> members, Asking ask, ulong sequence, RawMessage message, Func<RawMessage, Task> write,
        CancellationToken cancellationToken)
    {
        await using var merge = new StatusMerge(reports);
        foreach (var peer in members)
        {
            // Other peers number their changes otherwise.
            merge.Add(
                peer, token => peer == self.Id ? ask(tracker, sequence, token) : ask(remote.TrackerOf(peer), 0, token), cancellationToken);
        }

        message.Clear();
        while (await merge.NextAsync(message))
        {
            if (message.Length < MessageBytes && merge.HasMoreAtHand)
                continue;
            await write(message);
            message.Clear();
        }

        if (message.Length > 0)
            await write(message);
    }
}
