using Ipld;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Libp2p.Kademlia;

/// <summary>
/// A Kademlia DHT on a host: finds peers by id and content by who provides it, and answers such queries of others. Peers that name
/// <see cref="KademliaOptions.Protocol"/> in identify are probed and taken into the routing table.
/// </summary>
public sealed partial class KademliaDht : IHostObserver, IAsyncDisposable
{
    private readonly Libp2pHost host;
    private readonly KademliaOptions options;
    private readonly KademliaLog log;
    private readonly Lock gate = new();
    private readonly RoutingTable table;
    private readonly KademliaServer server;
    private readonly HashSet<Task> running = [];
    private readonly HashSet<PeerId> probing = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly IDisposable observing;
    private readonly ITimer refreshTimer;

    /// <summary>Registers on a host.</summary>
    public KademliaDht(Libp2pHost host, KademliaOptions? options = null, ILogger? logger = null)
    {
        this.host = host;
        this.options = options ?? new KademliaOptions();
        log = new KademliaLog(logger ?? NullLogger.Instance);
        table = new RoutingTable(host.Id, this.options.BucketSize, this.options.UsefulFor);
        server = new KademliaServer(host.Id, this.options, table, KnowledgeOf);
        if (this.options.Server) host.Handle(this.options.Protocol, AnswerAsync);
        observing = host.Observe(this);
        foreach (var connection in host.Connections)
        {
            if (connection.Identified.IsCompleted) OnIdentified(connection);
        }
        refreshTimer = host.Options.Time.CreateTimer(_ => Own(RefreshAsync()), null, this.options.RefreshInterval, this.options.RefreshInterval);
    }

    /// <summary>Peers in the routing table.</summary>
    public IReadOnlyList<PeerId> Peers
    {
        get
        {
            lock (gate) return [.. table.Peers];
        }
    }

    /// <inheritdoc/>
    public void OnIdentified(PeerConnection connection)
    {
        if (host.Peerstore.Protocols(connection.RemotePeer).Contains(options.Protocol)) Own(ProbeAsync(connection.RemotePeer));
        else Remove(connection.RemotePeer, "it does not speak the protocol");
    }

    /// <inheritdoc/>
    public void OnUpdated(PeerConnection connection) => OnIdentified(connection);

    private DateTimeOffset Now => host.Options.Time.GetUtcNow();

    private PeerKnowledge KnowledgeOf(PeerId peer) => peer == host.Id
        ? new PeerKnowledge(host.AnnouncedAddresses(), false)
        : new PeerKnowledge(host.Peerstore.Addresses(peer), host.IsConnected(peer));

    /// <summary>A peer that answers one query belongs into the table; the first ones lead to further ones.</summary>
    private async Task ProbeAsync(PeerId peer)
    {
        lock (gate)
        {
            if (table.Contains(peer) || !probing.Add(peer)) return;
        }
        try
        {
            await RequestAsync(peer, new KademliaMessage(KademliaMessageType.FindNode, peer.ToBytes()), stopping.Token);
            int count;
            lock (gate) count = table.Count;
            if (count <= options.BucketSize) await RefreshAsync();
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException or TimeoutException)
        {
            Remove(peer, failure.Message);
        }
        finally
        {
            lock (gate) probing.Remove(peer);
        }
    }

    /// <summary>Looks for our own id, and for places at each distance at which peers are known, so that all buckets fill.</summary>
    private async Task RefreshAsync()
    {
        try
        {
            await FindClosestAsync(host.Id.ToBytes(), stopping.Token);
            var random = new byte[34];
            random[0] = 0x12;
            random[1] = 32;
            host.Options.Random.NextBytes(random.AsSpan(2));
            await FindClosestAsync(random, stopping.Token);
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException or TimeoutException)
        {
            log.RefreshFailed(failure.Message);
        }
    }

    private async Task AnswerAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        var peer = stream.RemotePeer;
        bool loopback = stream.Connection.RemoteAddress.IsLoopback;
        try
        {
            while (true)
            {
                using var idle = new CancellationTokenSource(options.StreamIdleTimeout, host.Options.Time);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, cancellationToken);
                if (await stream.Input.ReadFrameBytesAsync(options.MaxMessageSize, both.Token) is not { } frame) return;
                if (frame.Length == 0) continue;
                if (!KademliaMessage.TryParse(frame, out var request, out string reason)) throw new KademliaRequestException(reason);
                KademliaMessage? answer;
                lock (gate) answer = server.Answer(peer, loopback, request, Now);
                if (request.Type == KademliaMessageType.AddProvider) RememberAddresses(request.ProviderPeers.Where(p => p.Peer == peer));
                if (answer is null) continue;
                stream.Output.WriteFrame(answer.Encode());
                await stream.Output.FlushAsync(both.Token);
            }
        }
        catch (Exception refused) when (refused is KademliaRequestException or FrameException)
        {
            log.Refused(peer, refused.Message);
            stream.Reset();
        }
    }

    /// <summary>Asks one peer; it is useful if it answers, and out of the table if not.</summary>
    private async Task<KademliaMessage> RequestAsync(PeerId peer, KademliaMessage request, CancellationToken cancellationToken, bool answer = true)
    {
        using var limit = new CancellationTokenSource(options.RequestTimeout, host.Options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await using var stream = await host.NewStreamAsync(peer, options.Protocol, both.Token);
            try
            {
                stream.Output.WriteFrame(request.Encode());
                await stream.Output.FlushAsync(both.Token);
                await stream.CloseWriteAsync();
                if (!answer) return request;
                byte[] frame = await stream.Input.ReadFrameBytesAsync(options.MaxMessageSize, both.Token) ?? throw new FrameException("The peer closed the stream without an answer.");
                if (!KademliaMessage.TryParse(frame, out var message, out string reason)) throw new FrameException($"The peer's answer is malformed: {reason}.");
                if (message.Type != request.Type) throw new FrameException("The peer answered another question.");
                Add(peer);
                RememberAddresses(message.CloserPeers.Concat(message.ProviderPeers).Where(other => other.Peer != peer && other.Peer != host.Id));
                return message;
            }
            catch
            {
                stream.Reset();
                throw;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Remove(peer, "it does not answer");
            throw new TimeoutException($"Peer {peer} did not answer a DHT request within {options.RequestTimeout.TotalSeconds:0.#} s.");
        }
        catch (IOException failure)
        {
            Remove(peer, failure.Message);
            throw;
        }
    }

    private void RememberAddresses(IEnumerable<KademliaPeer> peers)
    {
        foreach (var peer in peers)
        {
            if (peer.Addresses.Count > 0) host.Peerstore.AddAddresses(peer.Peer, peer.Addresses, AddressTtl.Temporary);
        }
    }

    private void Add(PeerId peer)
    {
        // Only those that answer queries of others, too: a client would be no help to anybody.
        if (!host.Peerstore.Protocols(peer).Contains(options.Protocol)) return;
        lock (gate)
        {
            bool known = table.Contains(peer);
            if (!table.Add(peer, Now) || known) return;
        }
        log.PeerAdded(peer);
    }

    private void Remove(PeerId peer, string reason)
    {
        lock (gate)
        {
            if (!table.Contains(peer)) return;
            table.Remove(peer);
        }
        log.PeerRemoved(peer, reason);
    }

    /// <summary>Work in the background is awaited when this is disposed.</summary>
    private void Own(Task task)
    {
        if (task.IsCompletedSuccessfully) return;
        lock (running)
        {
            running.RemoveWhere(done => done.IsCompletedSuccessfully);
            running.Add(task);
        }
    }

    /// <summary>Ends all queries; the host stays.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested) return;
        observing.Dispose();
        if (options.Server) host.RemoveHandler(options.Protocol);
        await refreshTimer.DisposeAsync();
        await stopping.CancelAsync();
        Task[] tasks;
        lock (running) tasks = [.. running];
        await Task.WhenAll(tasks);
    }
}
