using Libp2p.Hosting;
using Libp2p.Identify;
using Libp2p.Muxing;
using Libp2p.Ping;
using Libp2p.Transport;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Libp2p;

/// <summary>
/// A peer of a libp2p network: listens, dials, and carries streams on named protocols. Create it, register handlers, then
/// <see cref="StartAsync"/>; disposing closes everything.
/// </summary>
public sealed class Libp2pHost : IAsyncDisposable
{
    // A change of protocols or addresses waits this long for others, because Go limits the rate of identify pushes.
    private static readonly TimeSpan PushDelay = TimeSpan.FromMilliseconds(500);

    private readonly HostOptions options;
    private readonly HostLog log;
    private readonly HostMetrics metrics = new();
    private readonly HostObservers observers;
    private readonly ResourceLedger ledger;
    private readonly ProtocolHandlers handlers = new();
    private readonly ConnectionPool pool = new();
    private readonly ConnectionTrimmer trimmer;
    private readonly ConnectionUpgrader upgrader;
    private readonly Dialer dialer;
    private readonly AddressBook addresses;
    private readonly IdentifyService identify;
    private readonly ConnectionServices services;
    private readonly IReadOnlyList<ITransport> transports;
    private readonly List<ITransportListener> listeners = [];
    private readonly List<Task> background = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private ITimer? pushTimer;
    private bool started;
    private int disposed;

    /// <summary>Makes a host; it does nothing before <see cref="StartAsync"/> but dial.</summary>
    public Libp2pHost(HostOptions options, ILogger? logger = null)
    {
        this.options = options;
        log = new HostLog(logger ?? NullLogger.Instance);
        transports = options.Transports.Count > 0 ? options.Transports : [new TcpTransport()];
        Peerstore = new Peerstore(options.Time);
        observers = new HostObservers(log);
        ledger = new ResourceLedger(options.Limits);
        trimmer = new ConnectionTrimmer(options.Connections, pool, options.Time, log);
        upgrader = new ConnectionUpgrader(options);
        dialer = new Dialer(options, transports, upgrader, metrics, log);
        addresses = new AddressBook(options);
        identify = new IdentifyService(this, options, observers, log);
        services = new ConnectionServices(options, ledger, handlers, metrics, log, Peerstore, stopping.Token);
        if (options.Identify)
        {
            Register(IdentifyService.Protocol, identify.AnswerAsync, null);
            Register(IdentifyService.PushProtocol, identify.ReceivePushAsync, null);
        }
        if (options.Ping) Register(PingService.Protocol, (stream, token) => PingService.AnswerAsync(stream, options.Time, token), PingService.MaxStreamsPerPeer);
    }

    /// <summary>The host's peer id.</summary>
    public PeerId Id => options.Key.PeerId;

    /// <summary>The options it was made of.</summary>
    public HostOptions Options => options;

    /// <summary>What is known about other peers.</summary>
    public Peerstore Peerstore { get; }

    /// <summary>Addresses listened on, with the ports in use.</summary>
    public IReadOnlyList<Multiaddr> ListenAddresses => addresses.Listening;

    /// <summary>Protocols that are answered, sorted.</summary>
    public IReadOnlyList<string> Protocols => handlers.Names;

    /// <summary>All open connections.</summary>
    public IReadOnlyList<PeerConnection> Connections => pool.All;

    /// <summary>All connected peers.</summary>
    public IReadOnlyList<PeerId> ConnectedPeers => pool.Peers;

    /// <summary>Bytes carried, by protocol.</summary>
    public IReadOnlyList<ProtocolTraffic> Traffic => [.. metrics.AllTraffic];

    /// <summary>Addresses that other peers are told, without the peer at their end.</summary>
    public IReadOnlyList<Multiaddr> AnnouncedAddresses() => addresses.Announced();

    /// <summary>The open connections to a peer.</summary>
    public IReadOnlyList<PeerConnection> ConnectionsTo(PeerId peer) => pool.To(peer);

    /// <summary>Whether a connection to the peer is open.</summary>
    public bool IsConnected(PeerId peer) => pool.Best(peer) is not null;

    /// <summary>Starts to listen on all addresses of the options. Those that cannot be used are logged.</summary>
    /// <exception cref="TransportException">Addresses were given, and none of them can be listened on.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(disposed != 0, this);
        TransportException? failure = null;
        foreach (var address in options.Listen)
        {
            try
            {
                var transport = transports.FirstOrDefault(t => t.CanListen(address))
                    ?? throw new TransportException(TransportFailure.AddressUnavailable, $"No transport listens on addresses like {address}.");
                var listener = await transport.ListenAsync(address, cancellationToken);
                lock (gate) listeners.Add(listener);
                log.Listening(listener.Address);
            }
            catch (TransportException e)
            {
                failure = e;
                log.ListenFailed(address, e.Message);
            }
        }
        if (listeners.Count == 0 && failure is not null) throw failure;
        addresses.Listening = [.. listeners.Select(l => l.Address)];
        lock (gate)
        {
            foreach (var listener in listeners) background.Add(AcceptAsync(listener));
            background.Add(Quietly(trimmer.RunAsync(stopping.Token)));
            started = true;
        }
    }

    /// <summary>Answers streams on a protocol. The stream is closed when the handler returns and reset when it throws.</summary>
    /// <param name="protocol">Name, such as <c>/ipfs/ping/1.0.0</c>; matched exactly.</param>
    /// <param name="handler">Serves one stream; the token is cancelled when the host stops.</param>
    /// <param name="maxInboundPerPeer">Streams of one peer at a time; null for the host's limit.</param>
    public void Handle(string protocol, Func<PeerStream, CancellationToken, Task> handler, int? maxInboundPerPeer = null)
    {
        Register(protocol, handler, maxInboundPerPeer);
        SchedulePush();
    }

    private void Register(string protocol, Func<PeerStream, CancellationToken, Task> handler, int? maxInboundPerPeer) =>
        handlers.Set(protocol, new ProtocolHandlers.Handler(handler, maxInboundPerPeer));

    /// <summary>Answers a protocol no more.</summary>
    public void RemoveHandler(string protocol)
    {
        if (handlers.Remove(protocol)) SchedulePush();
    }

    /// <summary>Hears of connections until disposed.</summary>
    public IDisposable Observe(IHostObserver observer) => observers.Add(observer);

    /// <summary>Keeps the connections to a peer from being trimmed; each tag must be taken back by itself.</summary>
    public void Protect(PeerId peer, string tag) => trimmer.Protect(peer, tag);

    /// <summary>Takes a protection back; true if another one remains.</summary>
    public bool Unprotect(PeerId peer, string tag) => trimmer.Unprotect(peer, tag);

    /// <summary>Values a peer: connections to less valued peers are trimmed first.</summary>
    public void Tag(PeerId peer, string tag, int value) => trimmer.Tag(peer, tag, value);

    /// <summary>Takes a value back.</summary>
    public void Untag(PeerId peer, string tag) => trimmer.Untag(peer, tag);

    /// <summary>Connects to the peer at the end of an address, or returns the connection there is.</summary>
    /// <exception cref="DialException">It cannot be reached; the message says why.</exception>
    public Task<PeerConnection> DialAsync(Multiaddr address, CancellationToken cancellationToken = default)
    {
        if (address.PeerId is not { } peer) throw new ArgumentException($"{address} does not end with the peer to dial (/p2p/…).", nameof(address));
        return DialAsync(peer, [address.WithoutPeer()], cancellationToken);
    }

    /// <summary>Connects to a peer at given addresses, or returns the connection there is. Earlier failures do not hold it back.</summary>
    /// <exception cref="DialException">It cannot be reached; the message says why.</exception>
    public Task<PeerConnection> DialAsync(PeerId peer, IReadOnlyList<Multiaddr> at, CancellationToken cancellationToken = default)
    {
        var bare = at.Select(a => a.PeerId == peer ? a.WithoutPeer() : a).ToList();
        return DialAsync(peer, bare, ignoreBackoff: true, cancellationToken);
    }

    /// <summary>Connects to a peer at its known addresses, or returns the connection there is.</summary>
    /// <exception cref="DialException">It cannot be reached; the message says why.</exception>
    public Task<PeerConnection> DialAsync(PeerId peer, CancellationToken cancellationToken = default) =>
        DialAsync(peer, Peerstore.Addresses(peer), ignoreBackoff: false, cancellationToken);

    private async Task<PeerConnection> DialAsync(PeerId peer, IReadOnlyList<Multiaddr> at, bool ignoreBackoff, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(disposed != 0, this);
        cancellationToken.ThrowIfCancellationRequested();
        if (peer == Id) throw new DialException(peer, DialFailure.Self, "it is this host.");
        if (pool.Best(peer) is { } open) return open;
        var connection = await dialer.DialAsync(peer, at, ignoreBackoff, () => pool.Best(peer), s => AdoptAsync(s, inbound: false), stopping.Token, cancellationToken);
        // An address that worked is worth keeping, names and all.
        Peerstore.AddAddresses(peer, at, AddressTtl.RecentlyConnected);
        return connection;
    }

    /// <summary>The addresses that an address with a name stands for, <c>/dnsaddr</c> records included; itself if it has no name in it.</summary>
    public Task<IReadOnlyList<Multiaddr>> ResolveAsync(Multiaddr address, CancellationToken cancellationToken = default) =>
        dialer.ResolveAsync(address, cancellationToken);

    /// <summary>Opens a stream to a peer, connecting to it first if need be, on the first of the protocols that it supports.</summary>
    /// <exception cref="DialException">It cannot be reached.</exception>
    /// <exception cref="ProtocolNotSupportedException">It supports none of the protocols.</exception>
    public async Task<PeerStream> NewStreamAsync(PeerId peer, IReadOnlyList<string> protocols, CancellationToken cancellationToken = default)
    {
        var connection = await DialAsync(peer, cancellationToken);
        return await connection.NewStreamAsync(protocols, cancellationToken);
    }

    /// <summary>Opens a stream to a peer on one protocol.</summary>
    public Task<PeerStream> NewStreamAsync(PeerId peer, string protocol, CancellationToken cancellationToken = default) =>
        NewStreamAsync(peer, [protocol], cancellationToken);

    /// <summary>Measures the round trip to a peer by <c>/ipfs/ping/1.0.0</c>.</summary>
    public async Task<TimeSpan> PingAsync(PeerId peer, CancellationToken cancellationToken = default) =>
        await PingService.PingAsync(await DialAsync(peer, cancellationToken), cancellationToken);

    /// <summary>Closes all connections to a peer.</summary>
    public Task DisconnectAsync(PeerId peer) => Task.WhenAll(pool.To(peer).Select(c => c.CloseAsync()));

    /// <summary>Inbound connections that are not secured yet.</summary>
    internal int PendingInbound => ledger.PendingInbound;

    /// <summary>Another peer says at which address it reached this host.</summary>
    internal void ObserveAddress(PeerConnection connection, Multiaddr address)
    {
        // The address of an outbound connection ends in a passing port that nobody listens on.
        if (connection.IsInbound && addresses.Observe(address.WithoutPeer())) SchedulePush();
    }

    private async Task AcceptAsync(ITransportListener listener)
    {
        try
        {
            while (await listener.AcceptAsync(stopping.Token) is { } raw)
            {
                if (ledger.TryBeginInbound() is { } refusal)
                {
                    log.ConnectionRefused(raw.Remote, refusal);
                    await raw.Stream.DisposeAsync();
                    continue;
                }
                _ = SecureInboundAsync(raw);
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
        catch (Exception e)
        {
            log.ListenerFailed(e, listener.Address);
        }
    }

    private async Task SecureInboundAsync(RawConnection raw)
    {
        await Task.Yield();
        using var activity = HostActivities.Source.StartActivity("libp2p.accept");
        try
        {
            using var limit = new CancellationTokenSource(options.HandshakeTimeout, options.Time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping.Token);
            // A blocked read or write ends with the connection, whatever the layers do with the token.
            using var abort = both.Token.UnsafeRegister(static state => ((Stream)state!).Dispose(), raw.Stream);
            var secured = await upgrader.UpgradeAsync(raw, initiator: false, expected: null, both.Token);
            await AdoptAsync(secured, inbound: true);
        }
        catch (ResourceLimitException e)
        {
            log.ConnectionRefused(raw.Remote, e.Limit);
        }
        catch (OperationCanceledException)
        {
            InboundFailed(raw.Remote, DialFailure.TimedOut, $"it was not secured within {options.HandshakeTimeout.TotalSeconds:0.#} s");
        }
        catch (Exception e)
        {
            InboundFailed(raw.Remote, (e as UpgradeException)?.Failure ?? DialFailure.Other, e.Message);
        }
        finally
        {
            ledger.EndInbound();
        }
    }

    private void InboundFailed(Multiaddr remote, DialFailure failure, string reason)
    {
        log.InboundFailed(remote, reason);
        observers.Tell(o => o.OnInboundFailed(remote, failure, reason));
    }

    private async Task<PeerConnection> AdoptAsync(SecuredConnection secured, bool inbound)
    {
        var peer = secured.RemoteKey.PeerId;
        string? refusal = disposed != 0 ? "the host stops" : ledger.TryAddConnection(peer, inbound);
        if (refusal is not null)
        {
            await secured.Stream.DisposeAsync();
            throw new ResourceLimitException(refusal);
        }
        var session = new YamuxSession(secured.Stream, client: !inbound, options.Yamux, ledger.MemoryOf(peer), options.Time);
        var connection = new PeerConnection(services, session, secured, inbound);
        pool.Add(connection);
        metrics.ConnectionOpened(inbound);
        log.Connected(peer, secured.Remote, inbound ? "inbound" : "outbound", secured.Security);
        session.Start();
        observers.Tell(o => o.OnConnected(connection));
        _ = RunAsync(connection);
        // The host may have stopped since it was asked for above, and not have seen this connection.
        if (disposed != 0) await connection.CloseAsync();
        if (options.Identify) _ = IdentifyAsync(connection);
        else connection.SetIdentified();
        return connection;
    }

    /// <summary>Serves a connection until it ends, then takes it out of the books.</summary>
    private async Task RunAsync(PeerConnection connection)
    {
        await connection.ServeAsync();
        var reason = await connection.Closed;
        bool last = pool.Remove(connection);
        ledger.RemoveConnection(connection.RemotePeer, connection.IsInbound);
        metrics.ConnectionClosed(connection.IsInbound);
        if (last) Peerstore.ChangeTtl(connection.RemotePeer, AddressTtl.Connected, AddressTtl.RecentlyConnected);
        log.Disconnected(connection.RemotePeer, reason.Message);
        connection.SetIdentified();
        observers.Tell(o => o.OnDisconnected(connection, last));
    }

    private async Task IdentifyAsync(PeerConnection connection)
    {
        try
        {
            await identify.QueryAsync(connection, stopping.Token);
            connection.SetIdentified();
            observers.Tell(o => o.OnIdentified(connection));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or TimeoutException)
        {
            log.IdentifyFailed(connection.RemotePeer, e.Message);
            connection.SetIdentified();
        }
    }

    private void SchedulePush()
    {
        lock (gate)
        {
            if (!started || !options.Identify || disposed != 0) return;
            pushTimer ??= options.Time.CreateTimer(_ => _ = PushAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            pushTimer.Change(PushDelay, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task PushAsync()
    {
        foreach (var peer in pool.Peers)
        {
            if (!Peerstore.Protocols(peer).Contains(IdentifyService.PushProtocol) || pool.Best(peer) is not { } connection) continue;
            try
            {
                await identify.PushAsync(connection, stopping.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or TimeoutException)
            {
                log.IdentifyFailed(peer, e.Message);
            }
        }
    }

    private static async Task Quietly(Task task)
    {
        try
        {
            await task;
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    /// <summary>Stops listening and closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        ITransportListener[] open;
        Task[] tasks;
        lock (gate)
        {
            open = [.. listeners];
            tasks = [.. background];
            pushTimer?.Dispose();
        }
        foreach (var listener in open) await listener.DisposeAsync();
        await stopping.CancelAsync();
        await Task.WhenAll(pool.All.Select(c => c.CloseAsync()));
        await Task.WhenAll(tasks);
        metrics.Dispose();
        // The token source stays: handlers may still look at its token.
    }
}
