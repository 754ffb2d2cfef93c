using System.Collections.Concurrent;
using Cluster.Consensus.Clients;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Cluster.PeerRpc.Values;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Rpc;

/// <summary>The other peers of the cluster, called over libp2p (spec/peer-rpc.md).</summary>
public sealed class RemotePeers : IRemotePeers
{
    private readonly Libp2pHost _host;
    private readonly PeerCalls _calls;
    private readonly ConcurrentDictionary<PeerId, RemotePeer> _peers = new();
    private readonly TimeProvider _clock;

    /// <summary>Over a host.</summary>
    /// <param name="host">Connects to the peers.</param>
    /// <param name="clock">Measures deadlines.</param>
    /// <param name="limits">The usual ones if none are given.</param>
    public RemotePeers(Libp2pHost host, TimeProvider clock, PeerCallLimits? limits = null)
    {
        _host = host;
        _clock = clock;
        _calls = new PeerCalls(host, clock, limits ?? new PeerCallLimits());
    }

    /// <inheritdoc/>
    public IReadOnlyList<Multiaddr> AddressesOf(PeerId peer)
    {
        var addresses = _host.Peerstore.Addresses(peer);

        // A peer that has names is known by them alone (spec/peer-rpc.md 3).
        var named = addresses.Where(a => a.ToString().StartsWith("/dns", StringComparison.Ordinal)).ToList();
        return [.. (named.Count > 0 ? named : addresses).Select(a => a.WithPeer(peer))];
    }

    /// <inheritdoc/>
    public async ValueTask<V1.PeerInfo> IdAsync(PeerId peer, CancellationToken cancellationToken)
    {
        V1.PeerInfo? found = null;
        await foreach (var batch in _calls.ListAsync(
            peer, new ServiceId("Cluster", "IDStream"), null, new PeerCollector(), null, cancellationToken))
        {
            found ??= batch[0];
        }

        return found ?? throw new ClusterException(ClusterErrorKind.Internal, $"{peer} did not say who it is");
    }

    /// <inheritdoc/>
    public async ValueTask<V1.PeerInfo> CallBackAsync(PeerId joining, CancellationToken cancellationToken) => PeerMapping.ToMessage(
        await _calls.CallAsync(
            joining, new ServiceId("Cluster", "ID"), static writer => writer.MapHeader(0), PeerCodec.ReadPeer, null, cancellationToken));

    /// <inheritdoc/>
    public async ValueTask<V1.PeerInfo> JoinAsync(PeerId peer, CancellationToken cancellationToken) => PeerMapping.ToMessage(
        await _calls.CallAsync(
            peer, new ServiceId("Cluster", "PeerAdd"), writer => writer.Peer(_host.Id), PeerCodec.ReadPeer, null, cancellationToken));

    /// <inheritdoc/>
    public async IAsyncEnumerable<V1.PeerInfo> MembersOfAsync(
        PeerId peer, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var batch in _calls.ListAsync(peer, new ServiceId("Cluster", "Peers"), null, new PeerCollector(), null, cancellationToken))
        {
            foreach (var info in batch)
                yield return info;
        }
    }

    /// <inheritdoc/>
    public ITracker TrackerOf(PeerId peer) => PeerOf(peer).Tracker;

    /// <inheritdoc/>
    public IDaemon DaemonOf(PeerId peer) => PeerOf(peer).Daemon;

    private RemotePeer PeerOf(PeerId peer) =>
        _peers.GetOrAdd(peer, id => new RemotePeer(new RemoteTracker(id, _calls, _clock), new RemoteDaemon(id, _calls, _clock)));

    private sealed record RemotePeer(RemoteTracker Tracker, RemoteDaemon Daemon);

    /// <summary>Peers one by one as they come.</summary>
    private sealed class PeerCollector : IReplyCollector<List<V1.PeerInfo>>
    {
        private List<V1.PeerInfo> _collected = [];

        public int Count => _collected.Count;

        public bool IsFull => Count >= 64;

        public void Add(ref MsgpackReader value) => _collected.Add(PeerMapping.ToMessage(PeerCodec.ReadPeer(ref value)));

        public List<V1.PeerInfo> Take()
        {
            var taken = _collected;
            _collected = [];
            return taken;
        }
    }
}
