using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Clients;

/// <summary>The other peers of the cluster, as far as they can be reached.</summary>
public interface IRemotePeers
{
    /// <summary>Addresses known of a peer, with <c>/p2p/</c>.</summary>
    IReadOnlyList<Multiaddr> AddressesOf(PeerId peer);

    /// <summary>How a peer describes itself.</summary>
    ValueTask<V1.PeerInfo> IdAsync(PeerId peer, CancellationToken cancellationToken);

    /// <summary>How a peer that asks to be taken in describes itself: asked over the connection that it has (spec/peer-rpc.md 6).</summary>
    ValueTask<V1.PeerInfo> CallBackAsync(PeerId joining, CancellationToken cancellationToken);

    /// <summary>Asks a peer to take this one into its cluster, and gives its answer: this peer as the other sees it, with addresses of members.</summary>
    ValueTask<V1.PeerInfo> JoinAsync(PeerId peer, CancellationToken cancellationToken);

    /// <summary>The members as a peer sees them, each as it described itself to that peer.</summary>
    IAsyncEnumerable<V1.PeerInfo> MembersOfAsync(PeerId peer, CancellationToken cancellationToken);

    /// <summary>The tracker of a peer.</summary>
    ITracker TrackerOf(PeerId peer);

    /// <summary>The daemon of a peer.</summary>
    IDaemon DaemonOf(PeerId peer);
}
