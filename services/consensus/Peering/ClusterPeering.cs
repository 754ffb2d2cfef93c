using Cluster.Consensus.Clients;
using Cluster.Consensus.Replication;
using Cluster.Consensus.Metrics;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Peering;

/// <summary>
/// All that a peer does by itself among the others: it stays connected, gossips metrics, joins. It stands on a
/// <see cref="ClusterNetwork"/>, which outlives it at the end, as the last changes are still announced.
/// </summary>
public sealed class ClusterPeering : IAsyncDisposable
{
    private readonly PeeringSettings _settings;
    private readonly IConsensus _consensus;

    /// <param name="network">Carries it all.</param>
    /// <param name="settings">Configuration.</param>
    /// <param name="consensus">Told whom to trust, and who joins.</param>
    /// <param name="remote">Asks other peers to take this one in.</param>
    /// <param name="tracker">Recovers local pins after a join.</param>
    /// <param name="latest">Tells who the members are.</param>
    /// <param name="connectDaemons">Connects this peer's daemon to those of the members, a while after a join.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Makes the loggers of the facilities.</param>
    public ClusterPeering(
        ClusterNetwork network, PeeringSettings settings, IConsensus consensus, IRemotePeers remote, ITracker tracker, MetricSnapshot latest,
        Func<CancellationToken, Task> connectDaemons, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(network);
        _settings = settings;
        _consensus = consensus;
        Network = network;
        Known = new KnownPeers(network.Host, settings, loggers.CreateLogger("pstoremgr"));
        Keeper = new PeerKeeper(network, Known, settings, () => latest.Latest("ping").Select(m => m.Peer), loggers);
        Metrics = new MetricGossip(network, time, loggers);
        Bandwidth = new BandwidthMeter(() => network.Host.Traffic, time);
        Joining = new Joining(network, Known, Keeper, Metrics, settings, consensus, remote, tracker, connectDaemons, loggers);
        Keeper.Reached += peer => Metrics.Presume(peer, settings.PingLife);
    }

    /// <summary>Host, gossip, exchange of blocks.</summary>
    public ClusterNetwork Network { get; }

    /// <summary>Where peers are found.</summary>
    public KnownPeers Known { get; }

    /// <summary>Stays connected.</summary>
    public PeerKeeper Keeper { get; }

    /// <summary>Metrics, out and in.</summary>
    public MetricGossip Metrics { get; }

    /// <summary>Bytes carried.</summary>
    public BandwidthMeter Bandwidth { get; }

    /// <summary>Joins other peers' clusters.</summary>
    public Joining Joining { get; }

    /// <summary>Listens, then begins all the rest. Waits for no other peer.</summary>
    /// <exception cref="Cluster.Hosting.ServiceStartException">No address can be listened on.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_settings.TrustBootstrap)
        {
            foreach (var peer in _settings.Bootstrap.Select(a => a.PeerId).OfType<PeerId>())
                _consensus.Trust(peer);
        }

        Metrics.Start();
        await Network.StartAsync(cancellationToken);
        Keeper.Start();
        Joining.Bootstrap();
    }

    /// <summary>Ends what would make new connections, and saves where the others are if the peer was ready once (spec/behaviour.md 2.3).</summary>
    public async Task StopAsync(bool save, CancellationToken cancellationToken)
    {
        await Joining.DisposeAsync();
        await Keeper.DisposeAsync();
        await Network.StopDiscoveryAsync();
        if (save)
            await Known.SaveAsync(cancellationToken);
    }

    /// <summary>Ends the rest, the network too.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(save: false, CancellationToken.None);
        await Metrics.DisposeAsync();
        Bandwidth.Dispose();
        await Network.DisposeAsync();
    }
}
