using Cluster.Contracts.V1;
using Cluster.Tracker.Core;
using Cluster.Tracker.Daemon;
using Cluster.Tracker.State;
using Google.Protobuf;
using Grpc.Core;
using Ipld;

namespace Cluster.Tracker.Api;

/// <summary>Statuses as they go over the wire.</summary>
public sealed class Statuses(PinTracker tracker, ConnectorLink link, TrackerPeer peer, TimeProvider time)
{
    /// <summary>Of an item that the daemon lost (13.4).</summary>
    public const string LostError = "the item should be pinned but it is not";

    private readonly ByteString _peer = UnsafeByteOperations.UnsafeWrap(peer.Id);

    /// <summary>Who answers; what is the same in all statuses.</summary>
    public PinInfo Self => new() { Peer = _peer, PeerName = peer.Name, IpfsPeerId = link.DaemonId };

    /// <summary>A status with everything in it.</summary>
    public PinInfo Full(Cid cid, PinView view, DaemonAnswer? answer)
    {
        var info = Bare(cid, view, answer);
        info.Peer = _peer;
        info.PeerName = peer.Name;
        info.IpfsPeerId = link.DaemonId;
        return info;
    }

    /// <summary>A status without the fields of <see cref="Self"/>.</summary>
    public PinInfo Bare(Cid cid, PinView view, DaemonAnswer? answer)
    {
        var info = new PinInfo();
        var pin = view.Pin;
        if (pin is { Details.IsEmpty: false })
            info.MergeFrom(pin.Details.Span);
        info.Cid = UnsafeByteOperations.UnsafeWrap(cid.Memory);
        info.Status = StatusOf(view.State);
        if (pin is { InPinset: false })
            info.Created = PinMapping.ToTime(pin.Created);

        switch (view.State)
        {
            case PinState.Unpinned:
                info.Timestamp = PinMapping.ToTime(time.GetUtcNow());
                break;
            case PinState.Pinned or PinState.UnexpectedlyUnpinned:
                // Settled: as old as the pin itself, with nothing counted (13.4).
                info.Timestamp = info.Created;
                Judge(info, pin!, answer);
                break;
            case PinState.Remote or PinState.Sharded:
                info.Timestamp = info.Created;
                info.Error = view.State == PinState.Remote ? view.Error : string.Empty;
                break;
            default:
                info.Timestamp = PinMapping.ToTime(view.Since);
                info.Error = view.Error;
                info.AttemptCount = view.Attempts;
                info.PriorityPin = view.Priority;
                break;
        }

        return info;
    }

    /// <summary>What the tracker knows now, without the daemon.</summary>
    public PinView View(Cid cid) => tracker.View(cid);

    public static TrackerStatus StatusOf(PinState state) => state switch
    {
        PinState.Pinned => TrackerStatus.Pinned,
        PinState.PinQueued => TrackerStatus.PinQueued,
        PinState.PinError => TrackerStatus.PinError,
        PinState.UnpinQueued => TrackerStatus.UnpinQueued,
        PinState.UnpinError => TrackerStatus.UnpinError,
        PinState.Remote => TrackerStatus.Remote,
        PinState.Sharded => TrackerStatus.Sharded,
        PinState.UnexpectedlyUnpinned => TrackerStatus.UnexpectedlyUnpinned,
        PinState.Pinning => TrackerStatus.Pinning,
        PinState.Unpinning => TrackerStatus.Unpinning,
        _ => TrackerStatus.Unpinned,
    };

    private static void Judge(PinInfo info, TrackedPin pin, DaemonAnswer? answer)
    {
        if (answer is { Error: { } error })
        {
            info.Status = TrackerStatus.ClusterError;
            info.Error = error;
            return;
        }

        if (answer is { } word)
            info.Status = pin.IsSatisfiedBy(word.Kind) ? TrackerStatus.Pinned : TrackerStatus.UnexpectedlyUnpinned;
        if (info.Status == TrackerStatus.UnexpectedlyUnpinned)
            info.Error = LostError;
    }
}
