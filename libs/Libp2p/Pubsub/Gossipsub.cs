using Libp2p.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Libp2p.Pubsub;

/// <summary>What becomes of a genuine message.</summary>
public enum Validation
{
    /// <summary>Delivered and relayed.</summary>
    Accept,

    /// <summary>Dropped.</summary>
    Reject,
}

/// <summary>
/// gossipsub on a host: opens a stream to every peer that speaks it, keeps meshes, delivers each message once. Messages are signed, and
/// only genuine ones pass (strict signing).
/// </summary>
public sealed class Gossipsub : IHostObserver, IAsyncDisposable
{
    /// <summary>Messages that wait for one subscriber at most; then the oldest are dropped.</summary>
    public const int SubscriberQueue = 4096;

    private readonly Libp2pHost host;
    private readonly GossipsubOptions options;
    private readonly GossipsubLog log;
    private readonly GossipsubMetrics metrics = new();
    private readonly GossipsubCore core;
    private readonly Lock gate = new();
    private readonly Dictionary<PeerId, OutboundGossip> outbound = [];
    private readonly Dictionary<PeerId, PeerStream> inbound = [];
    private readonly Dictionary<string, List<PubsubSubscription>> subscriptions = [];
    private readonly Dictionary<string, Func<PubsubMessage, PeerId, Validation>> validators = [];
    private readonly HashSet<Task> running = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly IDisposable observing;
    private ulong sequence;

    /// <summary>Registers on a host and begins to gossip.</summary>
    public Gossipsub(Libp2pHost host, GossipsubOptions? options = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(host);
        this.host = host;
        this.options = options ?? new GossipsubOptions();
        log = new GossipsubLog(logger ?? NullLogger.Instance);
        core = new GossipsubCore(host.Id, this.options, host.Options.Random)
        {
            SignedPeerRecordOf = peer => host.Peerstore.SignedRecord(peer) ?? ReadOnlyMemory<byte>.Empty,
        };
        // Starts at the clock's nanoseconds, so that a restarted peer does not repeat numbers that others remember.
        sequence = (ulong)(host.Options.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
        foreach (var protocol in PubsubProtocols.All) host.Handle(protocol, ReceiveAsync);
        observing = host.Observe(this);
        foreach (var connection in host.Connections)
            if (connection.Identified.IsCompleted) OnIdentified(connection);
        Own(HeartbeatAsync());
    }

    /// <summary>Peers gossiped with.</summary>
    public IReadOnlyList<PeerId> Peers
    {
        get
        {
            lock (gate) return [.. outbound.Keys];
        }
    }

    /// <summary>Peers in the mesh of a topic.</summary>
    public IReadOnlyList<PeerId> MeshOf(string topic)
    {
        lock (gate) return [.. core.MeshOf(topic)];
    }

    /// <summary>Peers that subscribe to a topic.</summary>
    public IReadOnlyList<PeerId> PeersOf(string topic)
    {
        lock (gate) return [.. core.PeersOf(topic)];
    }

    /// <summary>Judges genuine messages of a topic before they are delivered and relayed. Called from any thread; must be quick.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="validator">Gets the message and its author.</param>
    public void SetValidator(string topic, Func<PubsubMessage, PeerId, Validation> validator)
    {
        lock (gate) validators[topic] = validator;
    }

    /// <summary>
    /// Tells of peers with which we begin to gossip on a topic of ours. What is published then reaches them, as far as they are in the
    /// mesh. Called within the gossip's own work: must return at once, and not publish.
    /// </summary>
    public event Action<string, PeerId>? PeerJoined;

    /// <summary>Joins a topic.</summary>
    public PubsubSubscription Subscribe(string topic)
    {
        var subscription = new PubsubSubscription(topic, SubscriberQueue, () => log.SubscriberLags(topic), End);
        lock (gate)
        {
            if (!subscriptions.TryGetValue(topic, out var list)) subscriptions.Add(topic, list = []);
            list.Add(subscription);
            var output = new GossipsubOutput();
            core.Subscribe(topic, Now, output);
            Apply(output);
        }
        return subscription;
    }

    /// <summary>Signs and sends a message, and delivers it to our own subscribers.</summary>
    /// <returns>To how many peers it went at once; gossip may reach more.</returns>
    /// <exception cref="ArgumentException">It would not fit a frame.</exception>
    public int Publish(string topic, ReadOnlyMemory<byte> data)
    {
        if (data.Length > options.MaxRpcSize - 1024) throw new ArgumentException($"A message has at most {options.MaxRpcSize - 1024} bytes.", nameof(data));
        var message = PubsubMessage.Create(host.Options.Key, topic, data, Interlocked.Increment(ref sequence));
        metrics.Counted("published");
        lock (gate)
        {
            var output = new GossipsubOutput();
            var sent = core.Publish(message, Now, output);
            Apply(output);
            return sent;
        }
    }

    /// <inheritdoc/>
    public void OnIdentified(PeerConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var protocols = host.Peerstore.Protocols(connection.RemotePeer);
        if (PubsubProtocols.All.Any(protocols.Contains)) Own(SendAsync(connection));
    }

    /// <inheritdoc/>
    public void OnUpdated(PeerConnection connection) => OnIdentified(connection);

    /// <inheritdoc/>
    public void OnDisconnected(PeerConnection connection, bool last)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var peer = connection.RemotePeer;
        if (!last) return;
        lock (gate)
        {
            // Late news: the peer is back, and what is known of it belongs to another connection.
            if (host.IsConnected(peer)) return;
            core.ForgetPeer(peer);
            if (outbound.TryGetValue(peer, out var gossip) && gossip.Connection == connection) outbound.Remove(peer);
        }
    }

    private DateTimeOffset Now => host.Options.Time.GetUtcNow();

    /// <summary>Our own stream to a peer, from its opening to its end. A peer that resets it gets one more try per connection.</summary>
    private async Task SendAsync(PeerConnection connection)
    {
        var peer = connection.RemotePeer;
        for (var attempt = 0; attempt < 2 && connection.IsOpen && !stopping.IsCancellationRequested; attempt++)
        {
            OutboundGossip? gossip = null;
            try
            {
                lock (gate)
                {
                    if (IsServed(peer)) return;
                }
                var stream = await connection.NewStreamAsync(PubsubProtocols.All, stopping.Token);
                gossip = new OutboundGossip(stream, options.OutboundQueue, () => Dropped(peer));
                lock (gate)
                {
                    if (IsServed(peer))
                    {
                        stream.Reset();
                        return;
                    }
                    outbound[peer] = gossip;
                    var output = new GossipsubOutput();
                    core.AddPeer(peer, stream.Protocol, gossip.Outbound, Now, output);
                    Apply(output);
                }
                log.PeerAdded(peer, stream.Protocol);
                var reason = await gossip.RunAsync(stopping.Token);
                log.PeerRemoved(peer, reason);
            }
            catch (Exception failure) when (failure is IOException or OperationCanceledException or TimeoutException)
            {
                log.PeerRemoved(peer, failure.Message);
            }
            finally
            {
                lock (gate)
                {
                    if (gossip is not null && outbound.GetValueOrDefault(peer) == gossip)
                    {
                        outbound.Remove(peer);
                        core.RemovePeer(peer);
                    }
                }
            }
        }
        // Several connections to one peer are usual after simultaneous dials: when this one has ended, another carries on.
        if (!stopping.IsCancellationRequested && host.ConnectionsTo(peer).FirstOrDefault(other => other.IsOpen && other != connection) is { } next) OnIdentified(next);
    }

    /// <summary>Whether a stream to the peer is open on a connection that lives.</summary>
    private bool IsServed(PeerId peer) => outbound.TryGetValue(peer, out var gossip) && gossip.Connection.IsOpen;

    /// <summary>A stream that a peer opened to us: read only. A second one replaces the first.</summary>
    private async Task ReceiveAsync(PeerStream stream, CancellationToken cancellation)
    {
        var peer = stream.RemotePeer;
        PeerStream? former;
        lock (gate)
        {
            inbound.TryGetValue(peer, out former);
            inbound[peer] = stream;
        }
        former?.Reset();
        try
        {
            while (await stream.Input.ReadFrameBytesAsync(options.MaxRpcSize, cancellation) is { } frame)
            {
                if (frame.Length == 0) continue;
                if (!PubsubRpc.TryParse(frame, out var rpc))
                {
                    log.Garbage(peer, "a frame is no protobuf");
                    stream.Reset();
                    return;
                }
                Handle(peer, rpc);
            }
        }
        catch (FrameException garbage)
        {
            log.Garbage(peer, garbage.Message);
            stream.Reset();
        }
        finally
        {
            lock (gate)
            {
                if (inbound.GetValueOrDefault(peer) == stream) inbound.Remove(peer);
            }
        }
    }

    private void Handle(PeerId peer, PubsubRpc rpc)
    {
        List<PubsubMessage> unseen = [];
        lock (gate)
        {
            var output = new GossipsubOutput();
            core.Receive(peer, rpc, Now, output);
            Apply(output);
            foreach (var message in rpc.Publish)
            {
                if (core.Wants(message)) unseen.Add(message);
                else metrics.Counted("duplicate");
            }
        }
        foreach (var message in unseen)
        {
            // Signatures are verified outside of the lock: they cost more than all else.
            if (!message.Verify(out var author, out var reason))
            {
                metrics.Counted("refused");
                log.MessageRefused(peer, reason);
                continue;
            }
            var accepted = Judge(message, author) == Validation.Accept;
            metrics.Counted(accepted ? "delivered" : "refused");
            lock (gate)
            {
                var output = new GossipsubOutput();
                if (accepted) core.Deliver(message, peer, Now, output);
                else core.Refuse(message, Now);
                Apply(output);
            }
        }
    }

    private Validation Judge(PubsubMessage message, PeerId author)
    {
        Func<PubsubMessage, PeerId, Validation>? validator;
        lock (gate) validators.TryGetValue(message.Topic, out validator);
        try
        {
            return validator?.Invoke(message, author) ?? Validation.Accept;
        }
        catch (Exception failure)
        {
            log.ValidatorFailed(failure, message.Topic);
            return Validation.Reject;
        }
    }

    private async Task HeartbeatAsync()
    {
        try
        {
            await Task.Delay(options.HeartbeatInitialDelay, host.Options.Time, stopping.Token);
            using var timer = new PeriodicTimer(options.HeartbeatInterval, host.Options.Time);
            do
            {
                lock (gate)
                {
                    var output = new GossipsubOutput();
                    core.Heartbeat(Now, output);
                    Apply(output);
                }
            }
            while (await timer.WaitForNextTickAsync(stopping.Token));
        }
        catch (OperationCanceledException)
        {
            // The host's gossip ends.
        }
        catch (Exception failure)
        {
            log.HeartbeatFailed(failure);
            throw;
        }
    }

    /// <summary>Does what the core wants; called under the lock, so that frames keep their order.</summary>
    private void Apply(GossipsubOutput output)
    {
        foreach (var (peer, rpc) in output.Frames)
            if (!rpc.IsEmpty && outbound.TryGetValue(peer, out var gossip)) gossip.Enqueue(rpc);
        foreach (var message in output.Deliveries)
            if (subscriptions.TryGetValue(message.Topic, out var list))
                foreach (var subscription in list) subscription.Deliver(message);
        foreach (var (topic, peer) in output.Joined) PeerJoined?.Invoke(topic, peer);
        foreach (var exchanged in output.Exchanged) Own(ConnectAsync(exchanged));
    }

    private async Task ConnectAsync(ExchangedPeer exchanged)
    {
        if (!PeerId.TryFromBytes(exchanged.PeerId.Span, out var peer, out _) || peer == host.Id || host.IsConnected(peer)) return;
        if (PeerRecord.TryOpen(exchanged.SignedPeerRecord.Span, out var record) && record.Peer == peer)
            host.Peerstore.AddAddresses(peer, record.Addresses, AddressTtl.Temporary);
        if (host.Peerstore.Addresses(peer).Count == 0) return;
        try
        {
            await host.DialAsync(peer, stopping.Token);
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            log.ExchangeFailed(failure.Message);
        }
    }

    private void Dropped(PeerId peer)
    {
        metrics.FrameDropped();
        log.FrameDropped(peer);
    }

    private void End(PubsubSubscription subscription)
    {
        lock (gate)
        {
            if (!subscriptions.TryGetValue(subscription.Topic, out var list) || !list.Remove(subscription) || list.Count > 0) return;
            subscriptions.Remove(subscription.Topic);
            var output = new GossipsubOutput();
            core.Unsubscribe(subscription.Topic, Now, output);
            Apply(output);
        }
    }

    /// <summary>Work in the background is awaited when this is disposed.</summary>
    private void Own(Task task)
    {
        if (task.IsCompletedSuccessfully) return;
        lock (gate)
        {
            running.RemoveWhere(done => done.IsCompletedSuccessfully);
            running.Add(task);
        }
    }

    /// <summary>Ends all gossip; the host stays.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested) return;
        observing.Dispose();
        foreach (var protocol in PubsubProtocols.All) host.RemoveHandler(protocol);
        await stopping.CancelAsync();
        Task[] tasks;
        PeerStream[] streams;
        lock (gate)
        {
            tasks = [.. running];
            streams = [.. inbound.Values];
        }
        foreach (var stream in streams) stream.Reset();
        await Task.WhenAll(tasks);
        metrics.Dispose();
    }
}
