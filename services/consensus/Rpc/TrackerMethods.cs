using Cluster.Consensus.Clients;
using Cluster.Consensus.Services;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Google.Protobuf;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Rpc;

/// <summary>The methods of <c>PinTracker</c> that others may call.</summary>
internal static class TrackerMethods
{
    /// <summary>
    /// The list of all statuses, promised to be ordered by the bytes of the CIDs. The original does not know it; its own
    /// <c>StatusAll</c> promises no order, so that who merges lists must sort those of its peers first.
    /// </summary>
    internal static readonly ServiceId SortedStatusAll = new("PinTracker", "StatusAllSorted");

    private static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(60);

    internal static IEnumerable<RpcMethod> Of(RpcParts parts) =>
    [
        new UnaryMethod<Cid, V1.PinInfo>(
            Id("Status"), RpcPolicy.Trusted, ReadCid, WriteRow(parts), ZeroRow,
            (_, cid, token) => cid.IsDefined
                ? parts.Tracker.StatusAsync(cid, parts.Consensus.State.Totals.Sequence, token)
                : new(parts.Reports.Made(parts.Self.Id, V1.TrackerStatus.Unpinned)),
            CallDeadline),
        new UnaryMethod<Cid, V1.PinInfo>(
            Id("Recover"), RpcPolicy.Trusted, ReadCid, WriteRow(parts), ZeroRow,
            (_, cid, token) => parts.Tracker.RecoverAsync(Defined(cid), parts.Consensus.State.Totals.Sequence, token), CallDeadline),
        StatusAll(Id("StatusAll"), parts),
        StatusAll(SortedStatusAll, parts),
    ];

    /// <summary>Writes the rows of a tracker's pages, for one call.</summary>
    internal static Action<ReplyWriter, StatusPage> Rows(RpcParts parts) => (replies, page) =>
    {
        var rows = new StatusRowWriter(parts.Reports.IdentityOf(parts.Self.Id));
        var fields = new WireFields(page.Message.Span);
        while (fields.Next())
        {
            if (fields.Field == 1)
                rows.Write(fields.Content, replies.Next());
        }
    };

    /// <summary>Writes a single status of this peer.</summary>
    internal static Action<MsgpackWriter, V1.PinInfo> WriteRow(RpcParts parts) => (output, info) =>
        new StatusRowWriter(parts.Reports.IdentityOf(parts.Self.Id)).Write(info.ToByteArray(), output);

    /// <summary>The zero status that stands behind an error.</summary>
    internal static void ZeroRow(MsgpackWriter output)
    {
        output.MapHeader(1);
        output.Text("c");
        output.Nil();
    }

    /// <summary>A status of this peer alone as its tracker gave it: what the global form has taken out is put back.</summary>
    internal static V1.PinInfo Whole(V1.GlobalPinInfo global)
    {
        var info = global.Peers[0];
        info.Cid = global.Cid;
        info.Name = global.Name;
        info.Created = global.Created;
        info.InPinset = global.InPinset;
        info.Allocations.Add(global.Allocations);
        info.Origins.Add(global.Origins);
        info.Metadata.Add(global.Metadata);
        return info;
    }

    /// <summary>A CID that stands for something.</summary>
    internal static Cid Defined(Cid cid) => cid.IsDefined ? cid : throw new ClusterException(ClusterErrorKind.InvalidArgument, "the CID is undefined");

    internal static Cid ReadCid(ref MsgpackReader reader) => reader.Cid();

    private static ServiceId Id(string method) => new("PinTracker", method);

    private static ListingMethod<int, StatusPage> StatusAll(ServiceId id, RpcParts parts) => new(
        id, RpcPolicy.Trusted, static (ref MsgpackReader reader) => reader.Int32(), Rows(parts),
        (_, mask, token) => parts.Tracker.StatusAllAsync(mask, parts.Consensus.State.Totals.Sequence, token));
}
