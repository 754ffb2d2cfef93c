using Cluster.Consensus.Clients;
using Cluster.Consensus.Replication;
using Google.Protobuf;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Members;

/// <summary>This peer as it describes itself (spec/rest-api.md 6.3).</summary>
public sealed class SelfPeer(
    PeerId id, string name, Func<IReadOnlyList<Multiaddr>> addresses, IConsensus consensus, IRemotePeers remote, IDaemon daemon)
{
    /// <summary>The version that is told to users and peers.</summary>
    public const string Version = "1.1.6";

    private const string RpcProtocol = "/ipfscluster/1.0/rpc";

    /// <summary>The id.</summary>
    public PeerId Id { get; } = id;

    /// <summary>The name.</summary>
    public string Name { get; } = name;

    /// <summary>The addresses at which it is to be reached now, each with <c>/p2p/</c>.</summary>
    public IReadOnlyList<Multiaddr> Addresses => addresses();

    /// <summary>The whole description; the daemon is asked, and its silence told of.</summary>
    public async ValueTask<V1.PeerInfo> DescribeAsync(CancellationToken cancellationToken)
    {
        var asking = daemon.IdAsync(cancellationToken);
        var info = new V1.PeerInfo
        {
            Id = UnsafeByteOperations.UnsafeWrap(Id.ToBytes()),
            Version = Version,
            RpcProtocolVersion = RpcProtocol,
            PeerName = Name,
        };
        foreach (var address in Addresses)
            info.Addresses.Add(UnsafeByteOperations.UnsafeWrap(address.ToBytes()));
        foreach (var peer in await consensus.PeersAsync(cancellationToken))
        {
            info.ClusterPeers.Add(UnsafeByteOperations.UnsafeWrap(peer.ToBytes()));
            if (peer == Id)
                continue;
            foreach (var address in remote.AddressesOf(peer))
                info.ClusterPeersAddresses.Add(UnsafeByteOperations.UnsafeWrap(address.ToBytes()));
        }

        info.Ipfs = await asking;
        return info;
    }
}
