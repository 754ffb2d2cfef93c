using Cluster.Consensus.Replication;
using Cluster.Model;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Cluster.PeerRpc.Values;
using Libp2p;

namespace Cluster.Consensus.Rpc;

/// <summary>
/// The methods of <c>Consensus</c> that others may call: with raft the way to the leader; otherwise a trusted peer has this one write what
/// it has prepared wholly (spec/peer-rpc.md 4).
/// </summary>
internal static class ConsensusMethods
{
    private static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(60);

    internal static IEnumerable<RpcMethod> Of(RpcParts parts) =>
    [
        Write("LogPin", parts, StateOperation.Put),
        Write("LogUnpin", parts, static pin => StateOperation.Remove(pin.Cid)),
        Change("AddPeer", (peer, token) => parts.Consensus.AddPeerAsync(peer, token)),
        Change("RmPeer", (peer, token) => parts.Consensus.RemovePeerAsync(peer, token)),
    ];

    private static ServiceId Id(string method) => new("Consensus", method);

    private static UnaryMethod<Pin, bool> Write(string method, RpcParts parts, Func<Pin, StateOperation> operation) => new(
        Id(method), RpcPolicy.Trusted, ReadPin, static (output, _) => RpcTable.Empty(output), RpcTable.Empty,
        async (_, pin, token) =>
        {
            await parts.Consensus.CommitAsync([operation(pin)], token);
            return true;
        },
        CallDeadline);

    private static UnaryMethod<PeerId, bool> Change(string method, Func<PeerId, CancellationToken, Task> change) => new(
        Id(method), RpcPolicy.Trusted, static (ref MsgpackReader reader) => reader.Peer(), static (output, _) => RpcTable.Empty(output), RpcTable.Empty,
        async (_, peer, token) =>
        {
            await change(peer, token);
            return true;
        },
        CallDeadline);

    private static Pin ReadPin(ref MsgpackReader reader)
    {
        var pin = PinCodec.Read(ref reader);
        return pin.Cid.IsDefined ? pin : throw new MsgpackException("a pin without a CID");
    }
}
