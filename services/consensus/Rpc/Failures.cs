using Cluster.Consensus.Peering;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Libp2p;

namespace Cluster.Consensus.Rpc;

/// <summary>What goes wrong in calls to other peers, as failures of this one; the texts are what users get.</summary>
internal static class Failures
{
    internal static ClusterException Of(Exception failure) => failure switch
    {
        ClusterException known => known,
        PeerCallException { Kind: CallErrorKind.Authorization } refused => new(ClusterErrorKind.NotTrusted, refused.Message, refused),
        PeerCallException { Kind: CallErrorKind.Server } unknown when unknown.Message.StartsWith("rpc: can't find", StringComparison.Ordinal) =>
            new(ClusterErrorKind.Unimplemented, unknown.Message, unknown),
        PeerCallException answered => new(ClusterErrorKind.Internal, answered.Message, answered),
        DialException dial => new(ClusterErrorKind.Unavailable, DialTexts.Of(dial), dial),
        OperationCanceledException or TimeoutException => new(ClusterErrorKind.Unavailable, "context deadline exceeded", failure),
        MsgpackException damaged => new(ClusterErrorKind.Internal, damaged.Message, damaged),
        IOException broken => new(ClusterErrorKind.Unavailable, broken.Message, broken),
        _ => new(ClusterErrorKind.Internal, failure.Message, failure),
    };
}
