using System.Collections.Concurrent;
using Ipld;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Libp2p.Bitswap;

/// <summary>
/// bitswap on a host: fetches blocks by CID from connected peers, and serves those of a store to them. Blocks are taken only if they are
/// wanted and their hash is right.
/// </summary>
public sealed class BitswapExchange : IHostObserver, IAsyncDisposable
{
    // The clock of searches and re-sent wants; much finer than any of the times in the options.
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(500);

    private readonly Libp2pHost host;
    private readonly IBlockStore store;
    private readonly BitswapLog log;
    private readonly BitswapMetrics metrics = new();
    private readonly Lock gate = new();
    private readonly WantBook book;
    private readonly Dictionary<PeerId, WantSender> senders = [];
    private readonly ConcurrentDictionary<PeerId, ServedPeer> served = new();
    private readonly HashSet<Task> running = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly IDisposable observing;
    private readonly ITimer timer;

    // How often blocks have come into the store: one that did so between a look and a want would be waited for.
    private long arrivals;

    private sealed class ServedPeer(BitswapOptions options)
    {
        public PeerWants Wants { get; } = new(options);

        public BitswapFeatures Features { get; set; }

        // 1 while answers are being made, 2 if more was asked for meanwhile.
        public int Busy;
    }

    /// <summary>Registers on a host and begins to serve.</summary>
    public BitswapExchange(Libp2pHost host, IBlockStore store, BitswapOptions? options = null, ILogger? logger = null)
    {
        this.host = host;
        this.store = store;
        Options = options ?? new BitswapOptions();
        log = new BitswapLog(logger ?? NullLogger.Instance);
        book = new WantBook(Options);
        foreach (string protocol in BitswapProtocols.All) host.Handle(protocol, ReceiveAsync);
        observing = host.Observe(this);
        foreach (var connection in host.Connections)
        {
            if (connection.Identified.IsCompleted) OnIdentified(connection);
        }
        timer = host.Options.Time.CreateTimer(_ => Tick(), null, TickInterval, TickInterval);
    }

    /// <summary>The options it was made of.</summary>
    public BitswapOptions Options { get; }

    /// <summary>Connected peers that speak bitswap.</summary>
    public IReadOnlyList<PeerId> Peers
    {
        get
        {
            lock (gate) return [.. book.Peers];
        }
    }

    /// <summary>Blocks that are being waited for.</summary>
    public int Wanted
    {
        get
        {
            lock (gate) return book.Count;
        }
    }

    /// <summary>Blocks that a peer waits for.</summary>
    public int WantedBy(PeerId peer) => served.TryGetValue(peer, out var known) ? known.Wants.Count : 0;

    /// <summary>Begins a session: peers that had one block of it are asked first for the next.</summary>
    /// <param name="announcedBy">Peers that are known to have the blocks; they are asked at once.</param>
    public BitswapSession NewSession(params IEnumerable<PeerId> announcedBy) => new(this, announcedBy);

    /// <summary>Gets a block, from the store or from another peer. Waits until some peer has it: pass a deadline.</summary>
    /// <inheritdoc cref="BitswapSession.GetAsync"/>
    public Task<ReadOnlyMemory<byte>> GetAsync(Cid cid, CancellationToken cancellationToken = default) => NewSession().GetAsync(cid, cancellationToken);

    /// <summary>Gets a block that a peer has announced.</summary>
    /// <inheritdoc cref="BitswapSession.GetAsync"/>
    public Task<ReadOnlyMemory<byte>> GetAsync(Cid cid, PeerId announcedBy, CancellationToken cancellationToken = default) =>
        NewSession([announcedBy]).GetAsync(cid, cancellationToken);

    /// <summary>Gets many blocks in one session, in the order of their arrival.</summary>
    public IAsyncEnumerable<Block> GetManyAsync(IEnumerable<Cid> cids, CancellationToken cancellationToken = default) =>
        NewSession().GetManyAsync(cids, cancellationToken);

    /// <summary>Tells that blocks have come into the store: peers that wait for them get them, and callers here.</summary>
    public void NotifyNewBlocks(IEnumerable<Cid> cids)
    {
        var all = cids as IReadOnlyCollection<Cid> ?? [.. cids];
        List<Cid> here;
        lock (gate)
        {
            arrivals++;
            here = [.. all.Where(book.Contains)];
        }
        if (here.Count > 0) Own(Task.Run(() => FindHereAsync(here)));
        foreach (var (peer, wants) in served)
        {
            bool any = false;
            foreach (var cid in all) any |= wants.Wants.Arrived(cid);
            if (any) Serve(peer, wants);
        }
    }

    internal async Task<ReadOnlyMemory<byte>> GetAsync(Cid cid, SessionPeers session, CancellationToken cancellationToken)
    {
        if (!cid.IsDefined) throw new ArgumentException("The CID is undefined.", nameof(cid));
        if (cid.Multihash.Code == MultihashCode.Identity) return cid.Multihash.Digest.ToArray();
        if (cid.Bytes.Length > Options.MaxCidLength) throw new ArgumentException($"A CID of {cid.Bytes.Length} bytes is longer than peers accept ({Options.MaxCidLength}).", nameof(cid));
        long seen;
        lock (gate) seen = arrivals;
        if (await store.GetAsync(cid, cancellationToken) is { } held) return held;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping.Token);
        Want want;
        bool lookAgain;
        lock (gate)
        {
            var output = new WantOutput();
            want = book.Add(cid, session, Now, output);
            Send(output);
            lookAgain = arrivals != seen;
        }
        try
        {
            if (lookAgain) await FindHereAsync([cid]);
            return await want.Arrived.Task.WaitAsync(stop.Token);
        }
        finally
        {
            lock (gate)
            {
                var output = new WantOutput();
                book.Remove(want, session, output);
                Send(output);
            }
        }
    }

    /// <summary>Blocks that were waited for came into the store by another way.</summary>
    private async Task FindHereAsync(List<Cid> cids)
    {
        foreach (var cid in cids)
        {
            try
            {
                if (await store.GetAsync(cid, stopping.Token) is not { } data) continue;
                Finish(null, new Block(cid, data));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception failure)
            {
                log.StoreFailed(failure, "read", cid);
            }
        }
    }

    /// <summary>Ends a want; tells all who were asked, but the one that gave the block.</summary>
    private void Finish(PeerId? from, Block block)
    {
        Want? want;
        lock (gate)
        {
            var output = new WantOutput();
            want = book.Block(from, block.Cid, output);
            Send(output);
        }
        want?.Arrived.TrySetResult(block.Data);
    }

    /// <inheritdoc/>
    public void OnIdentified(PeerConnection connection)
    {
        var protocols = host.Peerstore.Protocols(connection.RemotePeer);
        if (!BitswapProtocols.All.Any(protocols.Contains)) return;
        lock (gate)
        {
            // It may be gone again.
            if (!connection.IsOpen || stopping.IsCancellationRequested || !senders.TryAdd(connection.RemotePeer, new WantSender(connection.RemotePeer, host, Options, log))) return;
            var output = new WantOutput();
            book.PeerAdded(connection.RemotePeer, Now, output);
            Send(output);
        }
    }

    /// <inheritdoc/>
    public void OnUpdated(PeerConnection connection) => OnIdentified(connection);

    /// <inheritdoc/>
    public void OnDisconnected(PeerConnection connection, bool last)
    {
        if (!last) return;
        var peer = connection.RemotePeer;
        lock (gate)
        {
            var output = new WantOutput();
            if (host.IsConnected(peer))
            {
                // Late news: the peer is back. What was asked of it went with the old connection, what it asks came over the new one.
                book.PeerRemoved(peer, Now, output);
                if (senders.ContainsKey(peer)) book.PeerAdded(peer, Now, output);
            }
            else
            {
                served.TryRemove(peer, out _);
                if (senders.Remove(peer, out var sender)) sender.Stop();
                book.PeerRemoved(peer, Now, output);
            }
            Send(output);
        }
    }

    private DateTimeOffset Now => host.Options.Time.GetUtcNow();

    private void Tick()
    {
        lock (gate)
        {
            if (book.Count == 0) return;
            var output = new WantOutput();
            book.Tick(Now, output);
            Send(output);
        }
    }

    /// <summary>Called under the lock, so that entries of one block keep their order.</summary>
    private void Send(WantOutput output)
    {
        foreach (var (peer, entry) in output.Entries)
        {
            if (senders.TryGetValue(peer, out var sender) && sender.Enqueue(entry)) Own(Task.Run(() => sender.RunAsync(stopping.Token)));
        }
    }

    private async Task ReceiveAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        var peer = stream.RemotePeer;
        try
        {
            while (await stream.Input.ReadFrameBytesAsync(Options.MaxMessageSize, cancellationToken) is { } frame)
            {
                if (!BitswapMessage.TryParse(frame, out var message, out string reason))
                {
                    log.Garbage(peer, reason);
                    stream.Reset();
                    return;
                }
                await HandleAsync(stream, message, cancellationToken);
            }
        }
        catch (FrameException garbage)
        {
            log.Garbage(peer, garbage.Message);
            stream.Reset();
        }
    }

    private async Task HandleAsync(PeerStream stream, BitswapMessage message, CancellationToken cancellationToken)
    {
        var peer = stream.RemotePeer;
        foreach (var block in message.Blocks) await TakeAsync(peer, block, cancellationToken);
        foreach (var data in message.LegacyBlocks) await TakeLegacyAsync(peer, data, cancellationToken);
        if (message.Presences.Count > 0)
        {
            lock (gate)
            {
                var output = new WantOutput();
                foreach (var presence in message.Presences) book.Presence(peer, presence, Now, output);
                Send(output);
            }
        }
        if (message.Wantlist.Count == 0 && !message.Full || !stream.Connection.IsOpen) return;
        var wants = served.GetOrAdd(peer, _ => new ServedPeer(Options));
        wants.Features = FeaturesOf(peer, stream.Protocol);
        if (!wants.Wants.Receive(message)) log.TooManyWants(peer, Options.MaxWantsPerPeer);
        Serve(peer, wants);
    }

    /// <summary>What the peer says it speaks best; or what it has just spoken.</summary>
    private BitswapFeatures FeaturesOf(PeerId peer, string spoken)
    {
        var known = host.Peerstore.Protocols(peer);
        return BitswapProtocols.FeaturesOf(BitswapProtocols.All.FirstOrDefault(known.Contains) ?? spoken);
    }

    private async Task TakeAsync(PeerId peer, Block block, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (!book.Contains(block.Cid))
            {
                metrics.Counted("unwanted", block.Data.Length);
                log.Unwanted(block.Cid, peer);
                return;
            }
        }
        try
        {
            await store.PutAsync(block, cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            log.StoreFailed(failure, "keep", block.Cid);
        }
        metrics.Counted("received", block.Data.Length);
        Finish(peer, block);
        NotifyNewBlocks([block.Cid]);
    }

    /// <summary>A block of an old peer names itself by nothing but its bytes: it may answer any want of its SHA-2 256 hash.</summary>
    private async Task TakeLegacyAsync(PeerId peer, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var hash = MultihashSum.Compute(MultihashCode.Sha2_256, data.Span);
        Cid[] names = [Cid.CreateV0(hash), Cid.CreateV1(Multicodec.DagPb, hash), Cid.CreateV1(Multicodec.Raw, hash), Cid.CreateV1(Multicodec.DagCbor, hash)];
        Cid[] wanted;
        lock (gate) wanted = [.. names.Where(book.Contains)];
        if (wanted.Length == 0) wanted = [names[0]];
        foreach (var cid in wanted) await TakeAsync(peer, new Block(cid, data), cancellationToken);
    }

    private void Serve(PeerId peer, ServedPeer wants)
    {
        if (Interlocked.Exchange(ref wants.Busy, 2) == 0) Own(Task.Run(() => ServeAsync(peer, wants)));
    }

    /// <summary>Answers one peer until nothing is left to answer; one stream an answer, as the original does.</summary>
    private async Task ServeAsync(PeerId peer, ServedPeer wants)
    {
        do
        {
            Volatile.Write(ref wants.Busy, 1);
            try
            {
                while (await wants.Wants.NextAnswerAsync(store, wants.Features, log, stopping.Token) is { } answer) await AnswerAsync(peer, wants.Features, answer);
            }
            catch (Exception failure) when (failure is IOException or OperationCanceledException or TimeoutException)
            {
                log.AnswerFailed(peer, failure.Message);
            }
            catch (Exception failure)
            {
                log.ServingFailed(failure, peer);
            }
        }
        while (Interlocked.CompareExchange(ref wants.Busy, 0, 1) != 1 && !stopping.IsCancellationRequested);
    }

    private async Task AnswerAsync(PeerId peer, BitswapFeatures features, BitswapMessage answer)
    {
        if (host.ConnectionsTo(peer).FirstOrDefault(c => c.IsOpen) is not { } connection) throw new ConnectionClosedException("The peer is not connected.");
        using var limit = new CancellationTokenSource(Options.SendTimeout, host.Options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping.Token);
        string[] protocols = [.. BitswapProtocols.All.Where(protocol => BitswapProtocols.FeaturesOf(protocol) == features)];
        var stream = await connection.NewStreamAsync(protocols, both.Token);
        try
        {
            stream.Output.WriteFrame(answer.Encode());
            await stream.Output.FlushAsync(both.Token);
        }
        catch
        {
            stream.Reset();
            throw;
        }
        await stream.DisposeAsync();
        foreach (var block in answer.Blocks) metrics.Counted("sent", block.Data.Length);
        foreach (var data in answer.LegacyBlocks) metrics.Counted("sent", data.Length);
    }

    /// <summary>Work in the background is awaited when this is disposed.</summary>
    private void Own(Task task)
    {
        lock (running)
        {
            running.RemoveWhere(done => done.IsCompletedSuccessfully);
            running.Add(task);
        }
    }

    /// <summary>Ends all exchange; waiting calls are cancelled. The host stays.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested) return;
        observing.Dispose();
        foreach (string protocol in BitswapProtocols.All) host.RemoveHandler(protocol);
        await timer.DisposeAsync();
        await stopping.CancelAsync();
        lock (gate)
        {
            foreach (var sender in senders.Values) sender.Stop();
        }
        Task[] tasks;
        lock (running) tasks = [.. running];
        await Task.WhenAll(tasks);
        metrics.Dispose();
    }
}
