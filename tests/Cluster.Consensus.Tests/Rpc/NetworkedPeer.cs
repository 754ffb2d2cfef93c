using Cluster.Consensus.Clients;
using Cluster.Consensus.Rpc;
using Cluster.Consensus.Status;
using Libp2p;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>A peer's core behind a libp2p host on loopback that serves the peer RPC; the others are reached through it.</summary>
internal sealed class NetworkedPeer : IAsyncDisposable
{
    private readonly PeerRpcEndpoint _endpoint;

    private NetworkedPeer(Libp2pHost host, string name, PeerCallLimits? calls, ServedCallLimits? served, ITracker? tracker, TimeProvider? clock)
    {
        Host = host;
        Remote = new RemotePeers(host, clock ?? TimeProvider.System, calls ?? Patient);
        var settings = new ClusterSettings { PeerName = name, AllocateBy = ["freespace"] };
        Core = new Peer(settings, id: host.Id, remote: Remote, wrap: inner => new MemberConsensus(inner, host.Id));
        Consensus = (MemberConsensus)Core.Consensus;
        Tracker = tracker ?? Core.Tracker;
        var reports = new StatusReports(Core.SelfPeer, Core.Metrics, Core.Clock);
        Status = new GlobalStatus(Consensus, Tracker, Remote, Core.SelfPeer, reports, settings);
        Listing = new StatusListing(Consensus, Tracker, Remote, Core.SelfPeer, reports, settings);
        Parts = new RpcParts(Core.Consensus, Tracker, Core.Daemon, Core.SelfPeer, Core.Membership, Core.Status, reports);
        _endpoint = new PeerRpcEndpoint(host, Parts, served);
    }

    /// <summary>Limits of calls that none reaches for mere slowness.</summary>
    public static PeerCallLimits Patient { get; } = new() { Call = TimeSpan.FromMinutes(10), Silence = TimeSpan.FromMinutes(10) };

    public Libp2pHost Host { get; }

    public RemotePeers Remote { get; }

    public Peer Core { get; }

    public MemberConsensus Consensus { get; }

    public RpcParts Parts { get; }

    public ITracker Tracker { get; }

    public GlobalStatus Status { get; }

    public StatusListing Listing { get; }

    public PeerId Id => Host.Id;

    public int ServedNow => _endpoint.UnderWay;

    public static async Task<NetworkedPeer> StartAsync(
        string name, PeerCallLimits? calls = null, ServedCallLimits? served = null, ITracker? tracker = null, TimeProvider? clock = null)
    {
        var host = new Libp2pHost(new HostOptions { Key = PrivateKey.GenerateEd25519(), Listen = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")] });
        var peer = new NetworkedPeer(host, name, calls, served, tracker, clock);
        await host.StartAsync();
        return peer;
    }

    /// <summary>Members of one cluster that trust each other and know where each is.</summary>
    /// <param name="count">How many.</param>
    /// <param name="calls"><see cref="Patient"/> if none are given.</param>
    /// <param name="served">The usual ones if none are given.</param>
    /// <param name="tracker">Each peer's tracker; one that knows what it is told if none is given.</param>
    /// <param name="clock">Of the limits of calls; the system's if none is given.</param>
    public static async Task<NetworkedPeer[]> ClusterAsync(
        int count, PeerCallLimits? calls = null, ServedCallLimits? served = null, Func<int, ITracker>? tracker = null, TimeProvider? clock = null)
    {
        var peers = await Task.WhenAll(Enumerable.Range(0, count).Select(n => StartAsync($"peer{n}", calls, served, tracker?.Invoke(n), clock)));
        foreach (var peer in peers)
        {
            foreach (var other in peers.Where(p => p != peer))
                peer.Meet(other);
        }

        return peers;
    }

    /// <summary>Learns where another peer is, takes it for a member and trusts it.</summary>
    public void Meet(NetworkedPeer other)
    {
        Host.Peerstore.AddAddresses(other.Id, other.Host.ListenAddresses, AddressTtl.Permanent);
        Consensus.Members.Add(other.Id);
        Consensus.Trusted.Add(other.Id);
    }

    /// <summary>
    /// Calls another peer, and is called by it, many times on their connection. What one sends to the other meanwhile, and is not held back, goes its
    /// way: frames leave in the order in which they were written.
    /// </summary>
    public async Task RoundTripsAsync(NetworkedPeer other)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        for (var i = 0; i < 30; i++)
        {
            await Remote.CallBackAsync(other.Id, limit.Token);
            await other.Remote.CallBackAsync(Id, limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _endpoint.Dispose();
        await Host.DisposeAsync();
        await Core.DisposeAsync();
    }
}
