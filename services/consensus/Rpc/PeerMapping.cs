using Cluster.Model;
using Google.Protobuf;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Rpc;

/// <summary>Between the contracts' messages and the values of the peer RPC.</summary>
internal static class PeerMapping
{
    internal static PeerInfo ToModel(V1.PeerInfo info) => new()
    {
        Id = ToPeer(info.Id),
        Addresses = [.. info.Addresses.Select(ToAddress)],
        ClusterPeers = [.. info.ClusterPeers.Select(ToPeer)],
        ClusterPeersAddresses = [.. info.ClusterPeersAddresses.Select(ToAddress)],
        Version = info.Version,
        Commit = info.Commit,
        RpcProtocolVersion = info.RpcProtocolVersion,
        Error = info.Error,
        PeerName = info.PeerName,
        Ipfs = info.Ipfs is null ? new IpfsId() : new IpfsId
        {
            Id = info.Ipfs.Id,
            Addresses = info.Ipfs.Error.Length > 0 && info.Ipfs.Addresses.Count == 0 ? null : [.. info.Ipfs.Addresses],
            Error = info.Ipfs.Error,
        },
    };

    internal static V1.PeerInfo ToMessage(PeerInfo info)
    {
        var message = new V1.PeerInfo
        {
            Id = Wrap(info.Id),
            Version = info.Version,
            Commit = info.Commit,
            RpcProtocolVersion = info.RpcProtocolVersion,
            Error = info.Error,
            PeerName = info.PeerName,
            Ipfs = new V1.IpfsId { Id = info.Ipfs.Id, Error = info.Ipfs.Error },
        };
        message.Addresses.Add((info.Addresses ?? []).Select(Wrap));
        message.ClusterPeers.Add((info.ClusterPeers ?? []).Select(Wrap));
        message.ClusterPeersAddresses.Add((info.ClusterPeersAddresses ?? []).Select(Wrap));
        message.Ipfs.Addresses.Add(info.Ipfs.Addresses ?? []);
        return message;
    }

    internal static V1.RepoGcKey ToMessage(RepoGcKey key) => new()
    {
        Key = key.Key.IsDefined ? UnsafeByteOperations.UnsafeWrap(key.Key.Memory) : ByteString.Empty,
        Error = key.Error,
    };

    internal static RepoGcKey ToModel(V1.RepoGcKey key) => new(key.Key.IsEmpty ? default : Cid.FromBytes(key.Key.Span), key.Error);

    internal static ByteString Wrap(PeerId peer) => peer.IsDefined ? UnsafeByteOperations.UnsafeWrap(peer.ToBytes()) : ByteString.Empty;

    private static ByteString Wrap(Multiaddr address) => UnsafeByteOperations.UnsafeWrap(address.ToBytes());

    private static PeerId ToPeer(ByteString bytes) => bytes.IsEmpty ? default : PeerId.FromBytes(bytes.Span);

    private static Multiaddr ToAddress(ByteString bytes) => Multiaddr.TryFromBytes(bytes.Span, out var address, out var error) ? address! : throw new FormatException(error);
}
