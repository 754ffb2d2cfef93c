using Cluster.Consensus.CrdtReplication;
using Cluster.Hosting;
using Crdt;
using Ipld;
using Libp2p;
using Libp2p.Bitswap;
using Libp2p.Kademlia;
using Libp2p.Mdns;
using Libp2p.Pubsub;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Peering;

/// <summary>
/// The libp2p side of a cluster peer: one host, and on it gossip, the exchange of the pinset's nodes, the DHT and local discovery
/// (spec/libp2p.md). Made first, then given to the replicated set, then <see cref="Attach"/>ed to it, then started.
/// </summary>
public sealed class ClusterNetwork : ICrdtNetwork, IAsyncDisposable
{
    /// <summary>What trust does to connections: they are not trimmed (spec/crdt.md 3).</summary>
    private const string TrustTag = "trusted";

    private readonly PeeringSettings _settings;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly HostLimits _limits;
    private readonly TaskCompletionSource<BitswapExchange> _exchange = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _running = [];
    private ICrdtReplica? _replica;
    private BitswapExchange? _attached;
    private PubsubSubscription? _heads;
    private HeadsAtOnce? _headsAtOnce;
    private MdnsDiscovery? _discovery;
    private readonly IDisposable _watching;
    private IDisposable? _protecting;
    private int _disposed;

    /// <summary>Makes the host and its protocols; nothing listens before <see cref="StartAsync"/>.</summary>
    public ClusterNetwork(PeeringSettings settings, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _loggers = loggers;
        _logger = loggers.CreateLogger("cluster");
        _limits = HostLimits.Of(settings.Cluster.ResourceManager);
        Host = ClusterHost.Create(settings, time, loggers.CreateLogger("swarm2"), _limits.Limits);
        Gossip = new Gossipsub(Host, GossipSetup.Options(settings.Cluster), loggers.CreateLogger("pubsub"));
        Dht = new KademliaDht(Host, logger: loggers.CreateLogger("dht"));
        HeadsTopic = ClusterTopics.Heads(settings.ClusterName);
        _watching = Host.Observe(new StrangerWatch(time, _logger));
    }

    /// <summary>The host: connections, streams, addresses.</summary>
    public Libp2pHost Host { get; }

    /// <summary>Gossip on the cluster's topics.</summary>
    public Gossipsub Gossip { get; }

    /// <summary>Finds addresses of peers.</summary>
    public KademliaDht Dht { get; }

    /// <summary>Ancestors of nodes, told and read; null before <see cref="Attach"/>.</summary>
    internal AncestorStreams? Ancestors { get; private set; }

    /// <summary>The topic of the pinset's heads.</summary>
    public string HeadsTopic { get; }

    /// <summary>The addresses at which this peer is to be reached, each with <c>/p2p/</c>.</summary>
    public IReadOnlyList<Multiaddr> Addresses => [.. Host.AnnouncedAddresses().Select(a => a.WithPeer(Host.Id))];

    /// <summary>Joins the network to a replicated set: its heads are gossiped and its nodes served from now on. Before the start.</summary>
    public void Attach(ICrdtReplica replica)
    {
        ArgumentNullException.ThrowIfNull(replica);
        _replica = replica;
        Gossip.SetValidator(HeadsTopic, (_, author) => replica.IsTrusted(author) ? Validation.Accept : Validation.Reject);
        _heads = Gossip.Subscribe(HeadsTopic);
        _attached = new BitswapExchange(Host, new RecentBlocks(replica.Blocks), logger: _loggers.CreateLogger("bitswap"));
        _exchange.SetResult(_attached);
        Ancestors = new AncestorStreams(Host, replica, _loggers.CreateLogger("crdt"));
        _headsAtOnce = new HeadsAtOnce(Host, replica, _loggers.CreateLogger("crdt"));
        _protecting = Host.Observe(new Protection(this));
    }

    /// <summary>Listens, and lets the protocols run. Waits for no other peer.</summary>
    /// <exception cref="ServiceStartException">No address can be listened on.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_limits.Memory > 0)
            PeeringLog.LimitsOn(_logger, _limits.Memory, _limits.Descriptors);
        else
            PeeringLog.LimitsOff(_logger);
        if (Host.Options.Listen.Count == 0)
            throw new ServiceStartException("creating libp2p host", "failed to listen on any addresses: cluster.listen_multiaddress names none of TCP");
        try
        {
            await Host.StartAsync(cancellationToken);
        }
        catch (TransportException e)
        {
            throw new ServiceStartException("creating libp2p host", $"failed to listen on any addresses: {e.Message}", e);
        }

        if (_heads is { } heads && _replica is { } replica)
            _running.Add(PassHeadsAsync(heads, replica));
        if (_settings.Cluster.MdnsInterval > Model.GoDuration.Zero)
            _discovery = MdnsDiscovery.Start(Host, logger: _loggers.CreateLogger("mdns"));
    }

    /// <inheritdoc/>
    public void Announce(ReadOnlyMemory<byte> message) => Gossip.Publish(HeadsTopic, message);

    /// <inheritdoc/>
    public async Task<ReadOnlyMemory<byte>> FetchAsync(Cid block, PeerId? announcedBy, CancellationToken cancellationToken)
    {
        var exchange = await _exchange.Task.WaitAsync(cancellationToken);
        return await (announcedBy is { } peer && peer != Host.Id
            ? exchange.GetAsync(block, peer, cancellationToken)
            : exchange.GetAsync(block, cancellationToken));
    }

    /// <inheritdoc/>
    public IAncestorReader? ReadAncestors(IReadOnlyCollection<BlockId> blocks, PeerId? announcedBy) => Ancestors?.Read(blocks, announcedBy);

    /// <inheritdoc/>
    public void Stored(IReadOnlyCollection<BlockId> blocks) => _attached?.NotifyNewBlocks(blocks.Select(block => block.ToCid()));

    /// <summary>Keeps connections to a peer that has come to be trusted.</summary>
    public void Protect(PeerId peer) => Host.Protect(peer, TrustTag);

    /// <summary>Ends discovery, so that no connection is begun any more. The rest goes on until <see cref="DisposeAsync"/>.</summary>
    public async Task StopDiscoveryAsync()
    {
        if (Interlocked.Exchange(ref _discovery, null) is { } discovery)
            await discovery.DisposeAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await StopDiscoveryAsync();
        await _stopping.CancelAsync();
        _heads?.Dispose();
        _protecting?.Dispose();
        _watching.Dispose();
        await Task.WhenAll(_running);
        if (_headsAtOnce is not null)
            await _headsAtOnce.DisposeAsync();
        Ancestors?.Dispose();
        await Gossip.DisposeAsync();
        if (_exchange.Task.IsCompletedSuccessfully)
            await (await _exchange.Task).DisposeAsync();
        else
            _exchange.TrySetCanceled();
        await Dht.DisposeAsync();
        await Host.DisposeAsync();
        _stopping.Dispose();
    }

    /// <summary>Own announcements come by here too; the set knows what it announced.</summary>
    private static async Task PassHeadsAsync(PubsubSubscription heads, ICrdtReplica replica)
    {
        await foreach (var message in heads.Messages.ReadAllAsync(CancellationToken.None))
        {
            if (PeerId.TryFromBytes(message.From.Span, out var author, out _))
                replica.HeadsAnnounced(author, message.Data);
        }
    }

    /// <summary>Connections to trusted peers are kept.</summary>
    private sealed class Protection(ClusterNetwork network) : IHostObserver
    {
        public void OnConnected(PeerConnection connection)
        {
            if (network._replica!.IsTrusted(connection.RemotePeer))
                network.Protect(connection.RemotePeer);
        }
    }
}
