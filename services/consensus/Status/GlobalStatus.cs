using Cluster.Consensus.Clients;
using Cluster.Consensus.Members;
using Cluster.Consensus.Replication;
using Cluster.Model;
using Google.Protobuf;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Status;

/// <summary>
/// Status of one CID on the peers that matter (spec/behaviour.md 14): those that hold it are asked, the others are known to be
/// remote. This peer's tracker answers as of the state it was asked in, so that who pinned sees the pin.
/// </summary>
public sealed class GlobalStatus(
    IConsensus consensus, ITracker tracker, IRemotePeers remote, SelfPeer self, StatusReports reports, ClusterSettings settings)
{
    /// <summary>A peer that does not answer within this time is reported as failed (spec/behaviour.md 14).</summary>
    public static readonly TimeSpan PeerTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Status of a CID.</summary>
    public ValueTask<V1.GlobalPinInfo> StatusAsync(Cid cid, bool local, CancellationToken cancellationToken) =>
        AskAsync(cid, local, recover: false, cancellationToken);

    /// <summary>Queues the CID again where it failed or is lost, and gives the status then (spec/behaviour.md 15).</summary>
    public async ValueTask<V1.GlobalPinInfo> RecoverAsync(Cid cid, bool local, CancellationToken cancellationToken)
    {
        var status = await AskAsync(cid, local, recover: true, cancellationToken);
        if (local && !status.InPinset && status.Peers.All(p => p.Status == V1.TrackerStatus.Unpinned))
            throw new ClusterException(ClusterErrorKind.NotFound, PinValidation.NotInPinset);
        return status;
    }

    private ValueTask<V1.GlobalPinInfo> AskAsync(Cid cid, bool local, bool recover, CancellationToken cancellationToken)
    {
        var sequence = consensus.State.Totals.Sequence;
        if (local || settings.FollowerMode)
            return AskLocalAsync(cid, sequence, recover, cancellationToken);
        var pin = consensus.State.Find(cid);
        return pin is null
            ? AskUnknownAsync(cid, sequence, recover, cancellationToken)
            : AskHoldersAsync(pin, sequence, recover, cancellationToken);
    }

    private async ValueTask<V1.GlobalPinInfo> AskLocalAsync(Cid cid, ulong sequence, bool recover, CancellationToken cancellationToken)
    {
        var report = await AskOneAsync(tracker, cid, sequence, recover, cancellationToken);
        var global = StatusReports.Begin(report);
        global.Peers.Add(reports.Entry(self.Id, report));
        return global;
    }

    /// <summary>
    /// Not in the pinset: unpinned everywhere, nobody else is asked. Only an unpin that failed here shows, so that it can be seen and
    /// recovered (the original hides it for good).
    /// </summary>
    private async ValueTask<V1.GlobalPinInfo> AskUnknownAsync(Cid cid, ulong sequence, bool recover, CancellationToken cancellationToken)
    {
        var global = reports.BeginUnknown(cid);
        foreach (var peer in await consensus.PeersAsync(cancellationToken))
        {
            if (peer != self.Id)
            {
                global.Peers.Add(reports.Made(peer, V1.TrackerStatus.Unpinned));
                continue;
            }

            var report = await AskOneAsync(tracker, cid, sequence, recover, cancellationToken);
            var show = report.Status == V1.TrackerStatus.UnpinError || (recover && report.Status is V1.TrackerStatus.UnpinQueued or V1.TrackerStatus.Unpinning);
            global.Peers.Add(show ? reports.Entry(peer, report) : reports.Made(peer, V1.TrackerStatus.Unpinned));
        }

        return global;
    }

    private async ValueTask<V1.GlobalPinInfo> AskHoldersAsync(Pin pin, ulong sequence, bool recover, CancellationToken cancellationToken)
    {
        var global = StatusReports.Begin(pin);
        var members = await consensus.PeersAsync(cancellationToken);
        if (members.Count == 1 && members[0] == self.Id && (pin.IsEverywhere || pin.Type == PinType.Meta || pin.IsAllocatedTo(self.Id) && pin.Allocations!.Count == 1))
        {
            global.Peers.Add(await EntryAsync(self.Id, pin.Cid, sequence, recover, cancellationToken));
            return global;
        }

        // Holders that are no members any more are asked too.
        var asked = new List<Task<V1.PinInfo?>>();
        var peers = pin.IsEverywhere || pin.Type == PinType.Meta ? members : [.. members.Concat(pin.Allocations ?? []).Distinct()];
        foreach (var peer in peers)
        {
            asked.Add(pin.IsRemoteFor(peer)
                ? Task.FromResult<V1.PinInfo?>(reports.Made(peer, V1.TrackerStatus.Remote))
                : TryEntryAsync(peer, pin.Cid, sequence, recover, cancellationToken));
        }

        foreach (var entry in await Task.WhenAll(asked))
        {
            if (entry is not null)
                global.Peers.Add(entry);
        }

        return global;
    }

    private async Task<V1.PinInfo?> TryEntryAsync(PeerId peer, Cid cid, ulong sequence, bool recover, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(PeerTimeout);
        try
        {
            return await EntryAsync(peer, cid, sequence, recover, timeout.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return reports.Made(peer, V1.TrackerStatus.ClusterError, "context deadline exceeded");
        }
        catch (ClusterException e) when (e.Kind == ClusterErrorKind.NotTrusted && peer != self.Id)
        {
            // Left out of what many answer together (spec/peer-rpc.md 1).
            return null;
        }
        catch (ClusterException e)
        {
            return reports.Made(peer, V1.TrackerStatus.ClusterError, e.Message);
        }
    }

    private async ValueTask<V1.PinInfo> EntryAsync(PeerId peer, Cid cid, ulong sequence, bool recover, CancellationToken cancellationToken)
    {
        // Other peers number their changes otherwise.
        var report = peer == self.Id
            ? await AskOneAsync(tracker, cid, sequence, recover, cancellationToken)
            : await AskOneAsync(remote.TrackerOf(peer), cid, 0, recover, cancellationToken);
        return reports.Entry(peer, report);
    }

    private static ValueTask<V1.PinInfo> AskOneAsync(ITracker tracker, Cid cid, ulong sequence, bool recover, CancellationToken cancellationToken) =>
        recover ? tracker.RecoverAsync(cid, sequence, cancellationToken) : tracker.StatusAsync(cid, sequence, cancellationToken);
}
