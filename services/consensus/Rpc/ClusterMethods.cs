using System.Runtime.CompilerServices;
using Cluster.Consensus.Clients;
using Cluster.Consensus.Members;
using Cluster.Model;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Cluster.PeerRpc.Values;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Rpc;

/// <summary>The methods of <c>Cluster</c> that others may call.</summary>
internal static class ClusterMethods
{
    private static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(60);

    /// <summary>Re-pinning what a removed peer holds takes a while.</summary>
    private static readonly TimeSpan RemovalDeadline = TimeSpan.FromHours(1);

    /// <summary>See spec/config.md 3.10, repogc_timeout.</summary>
    private static readonly TimeSpan CollectionDeadline = TimeSpan.FromHours(24);

    internal static IEnumerable<RpcMethod> Of(RpcParts parts) =>
    [
        new UnaryMethod<bool, V1.PeerInfo>(
            Id("ID"), RpcPolicy.Open, RpcTable.Nothing, WritePeer, ZeroPeer, (_, _, token) => parts.Self.DescribeAsync(token), CallDeadline),
        new ListingMethod<bool, V1.PeerInfo>(
            Id("IDStream"), RpcPolicy.Open, null, WritePeer, (_, _, token) => OneAsync(parts.Self, token)),
        new UnaryMethod<bool, string>(
            Id("Version"), RpcPolicy.Open, RpcTable.Nothing, PeerCodec.WriteVersion, static output => PeerCodec.WriteVersion(output, string.Empty),
            (_, _, _) => new(SelfPeer.Version), CallDeadline),
        new UnaryMethod<PeerId, V1.PeerInfo>(
            Id("PeerAdd"), RpcPolicy.Open, ReadPeerId, WritePeer, ZeroPeer, (_, peer, token) => new(parts.Membership.AddAsync(peer, token)), CallDeadline),
        new ListingMethod<bool, V1.PeerInfo>(
            Id("Peers"), RpcPolicy.Trusted, null, WritePeer, (_, _, token) => parts.Membership.DescribeAllAsync(token)),
        new UnaryMethod<PeerId, bool>(
            Id("PeerRemove"), RpcPolicy.Trusted, ReadPeerId, static (output, _) => RpcTable.Empty(output), RpcTable.Empty,
            async (_, peer, token) =>
            {
                await parts.Membership.RemoveAsync(peer, token);
                return true;
            },
            RemovalDeadline),
        new ListingMethod<bool, StatusPage>(
            Id("RecoverAllLocal"), RpcPolicy.Trusted, null, TrackerMethods.Rows(parts),
            (_, _, token) => parts.Tracker.RecoverAllAsync(parts.Consensus.State.Totals.Sequence, token)),
        new UnaryMethod<Cid, V1.PinInfo>(
            Id("RecoverLocal"), RpcPolicy.Trusted, TrackerMethods.ReadCid, TrackerMethods.WriteRow(parts), TrackerMethods.ZeroRow,
            async (_, cid, token) => TrackerMethods.Whole(await parts.Status.RecoverAsync(TrackerMethods.Defined(cid), local: true, token)), CallDeadline),
        new UnaryMethod<bool, RepoGc>(
            Id("RepoGCLocal"), RpcPolicy.Trusted, RpcTable.Nothing, DaemonCodec.Write, static output => DaemonCodec.Write(output, new RepoGc()),
            async (_, _, token) => new RepoGc
            {
                Peer = parts.Self.Id,
                PeerName = parts.Self.Name,
                Keys = [.. (await parts.Daemon.RepoGcAsync(token)).Select(PeerMapping.ToModel)],
            },
            CollectionDeadline),
    ];

    private static ServiceId Id(string method) => new("Cluster", method);

    private static void WritePeer(MsgpackWriter output, V1.PeerInfo info) => PeerCodec.Write(output, PeerMapping.ToModel(info));

    private static void WritePeer(ReplyWriter replies, V1.PeerInfo info) => WritePeer(replies.Next(), info);

    private static void ZeroPeer(MsgpackWriter output) => PeerCodec.Write(output, new PeerInfo());

    private static PeerId ReadPeerId(ref MsgpackReader reader) => reader.Peer();

    private static async IAsyncEnumerable<V1.PeerInfo> OneAsync(SelfPeer self, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return await self.DescribeAsync(cancellationToken);
    }
}
