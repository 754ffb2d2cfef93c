using Cluster.Consensus.Clients;
using Cluster.Consensus.Metrics;
using Cluster.Consensus.Peering;
using Cluster.Consensus.Rpc;
using Cluster.Model;
using Cluster.Model.Configuration;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Cluster.PeerRpc.Values;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Tests.Peering;

/// <summary>The network side of a peer on a real loopback port, over a set that keeps what it is told.</summary>
internal sealed class NetworkPeer : IAsyncDisposable
{
    public static readonly byte[] Secret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    private NetworkPeer(PeeringSettings settings, LineCollector log, TimeProvider clock, ITracker? tracker)
    {
        Settings = settings;
        Log = log;
        Network = new ClusterNetwork(settings, clock, log);
        Replica = new FakeReplica(Network.Host.Id);
        Network.Attach(Replica);
        Latest = new MetricSnapshot(clock);
        Peering = new ClusterPeering(Network, settings, Replica, new RemotePeers(Network.Host, clock), tracker ?? new FakeTracker(), Latest, _ => Task.CompletedTask, clock, log);
    }

    public PeeringSettings Settings { get; }

    public LineCollector Log { get; }

    public ClusterNetwork Network { get; }

    public ClusterPeering Peering { get; }

    public FakeReplica Replica { get; }

    public MetricSnapshot Latest { get; }

    public PeerId Id => Network.Host.Id;

    /// <summary>Where it listens, with its id.</summary>
    public Multiaddr Address => Network.Host.ListenAddresses[0].WithPeer(Id);

    /// <summary>The configuration of a peer that listens on a loopback port of the system's choice and finds nobody by itself.</summary>
    public static ClusterSection Section(byte[]? secret = null) => new()
    {
        PeerName = "peer",
        Secret = secret ?? Secret,
        ListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")],
        MdnsInterval = GoDuration.Zero,
    };

    /// <summary>
    /// The same, at an address of its own: a port there that was given back is nobody else's, as connections that are being made take ports of
    /// 127.0.0.1 only.
    /// </summary>
    public static ClusterSection SectionAt(string address) => Section() with { ListenAddresses = [Multiaddr.Parse($"/ip4/{address}/tcp/0")] };

    public static PeeringSettings SettingsFor(ClusterSection? section = null, PrivateKey? key = null) =>
        new() { Key = key ?? PrivateKey.GenerateEd25519(), Cluster = section ?? Section() };

    /// <param name="settings">Null for a new peer as <see cref="Section"/> has it.</param>
    /// <param name="prepare">Called before the start.</param>
    /// <param name="clock">The system's if none is given.</param>
    /// <param name="tracker">One that knows nothing if none is given.</param>
    public static async Task<NetworkPeer> StartAsync(
        PeeringSettings? settings = null, Action<NetworkPeer>? prepare = null, TimeProvider? clock = null, ITracker? tracker = null)
    {
        var peer = new NetworkPeer(settings ?? SettingsFor(), new LineCollector(), clock ?? TimeProvider.System, tracker);
        prepare?.Invoke(peer);
        await peer.Peering.StartAsync(CancellationToken.None);
        return peer;
    }

    /// <summary>Answers PeerAdd as a member does, naming other members' addresses.</summary>
    public void TakesIn(params Multiaddr[] members)
    {
        var method = new UnaryMethod<PeerId, PeerInfo>(
            new ServiceId("Cluster", "PeerAdd"), RpcPolicy.Open, static (ref MsgpackReader reader) => reader.Peer(), PeerCodec.Write, static writer => writer.MapHeader(0),
            (_, newcomer, _) => new(new PeerInfo { Id = newcomer, ClusterPeers = [newcomer], ClusterPeersAddresses = members }));
        var server = new RpcServer([method], static _ => true);
        Network.Host.Handle("/ipfscluster/1.0/rpc", (stream, token) => server.ServeAsync(stream.RemotePeer, stream, token));
    }

    public Task DialAsync(NetworkPeer other, CancellationToken cancellationToken) => Network.Host.DialAsync(other.Address, cancellationToken);

    /// <summary>Completes when a connection to the other is there.</summary>
    public async Task ConnectedToAsync(PeerId other, CancellationToken cancellationToken)
    {
        var connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var observing = Network.Host.Observe(new ConnectedObserver(other, connected));
        if (!Network.Host.IsConnected(other))
            await connected.Task.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync() => await Peering.DisposeAsync();

    private sealed class ConnectedObserver(PeerId other, TaskCompletionSource connected) : IHostObserver
    {
        public void OnConnected(PeerConnection connection)
        {
            if (connection.RemotePeer == other)
                connected.TrySetResult();
        }
    }
}

/// <summary>Keeps log lines, and tells when one comes.</summary>
internal sealed class LineCollector : ILoggerFactory
{
    private readonly Lock _lock = new();
    private readonly List<(string Facility, LogLevel Level, string Text)> _lines = [];
    private readonly List<(string Part, TaskCompletionSource<string> Found)> _waiting = [];

    public IReadOnlyList<(string Facility, LogLevel Level, string Text)> Lines
    {
        get
        {
            lock (_lock)
                return [.. _lines];
        }
    }

    public Task<string> LineWithAsync(string part, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_lines.FirstOrDefault(l => l.Text.Contains(part, StringComparison.Ordinal)) is { Text: { } text })
                return Task.FromResult(text);
            var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((part, found));
            return found.Task.WaitAsync(cancellationToken);
        }
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private void Add(string facility, LogLevel level, string text)
    {
        lock (_lock)
        {
            _lines.Add((facility, level, text));
            foreach (var (_, found) in _waiting.Where(w => text.Contains(w.Part, StringComparison.Ordinal)))
                found.TrySetResult(text);
        }
    }

    private sealed class Logger(LineCollector lines, string facility) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Add(facility, logLevel, formatter(state, exception));
    }
}
