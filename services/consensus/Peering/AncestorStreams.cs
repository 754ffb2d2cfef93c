using Cluster.Consensus.CrdtReplication;
using Crdt;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Peering;

/// <summary>
/// Tells trusted peers nodes of the DAG with all their ancestors in one stream, and reads such streams. The original knows bitswap alone,
/// which costs a round trip a node of a chain. The question is one broadcast (spec/crdt.md 4) that names where to begin, the answer the
/// blocks as <see cref="AncestorWalk"/> gives them, each with its length before it. Who has enough resets the stream.
/// </summary>
internal sealed class AncestorStreams : IDisposable
{
    /// <summary>Name of the protocol, spoken by peers of this program.</summary>
    internal const string Protocol = "/cluster-micro/ancestors/1.0.0";

    /// <summary>Streams that are told at a time, to all peers together.</summary>
    internal const int MaxTold = 8;

    /// <summary>Streams that are told to one peer at a time: a second one may come before the end of the first is noticed.</summary>
    private const int MaxToldToOne = 2;

    private const int LongestQuestion = 1 << 18;

    /// <summary>As much as a bitswap message may have.</summary>
    private const int LongestBlock = 4 << 20;

    /// <summary>Bytes that leave together.</summary>
    private const int Portion = 1 << 16;

    /// <summary>How long a peer that answers may be silent.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>How long a peer that asked may take nothing: it merges what it has before it reads on.</summary>
    private static readonly TimeSpan PatienceWithReader = TimeSpan.FromMinutes(1);

    /// <summary>How long a peer that did not tell what it should is not asked.</summary>
    private static readonly TimeSpan Avoided = TimeSpan.FromSeconds(30);

    private readonly Libp2pHost _host;
    private readonly ICrdtReplica _replica;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly Dictionary<PeerId, DateTimeOffset> _avoided = [];
    private int _told;

    internal AncestorStreams(Libp2pHost host, ICrdtReplica replica, ILogger logger)
    {
        _host = host;
        _replica = replica;
        _logger = logger;
        host.Handle(Protocol, AnswerAsync, MaxToldToOne);
    }

    /// <summary>Streams that are told now.</summary>
    internal int Told => Volatile.Read(ref _told);

    /// <inheritdoc cref="ICrdtNetwork.ReadAncestors"/>
    internal IAncestorReader? Read(IReadOnlyCollection<BlockId> blocks, PeerId? announcedBy)
    {
        if (announcedBy is { } author && ConnectionTo(author) is { } connection)
            return new Reader(this, connection, blocks);
        foreach (var peer in _host.ConnectedPeers)
        {
            if (ConnectionTo(peer) is { } other)
                return new Reader(this, other, blocks);
        }

        return null;
    }

    /// <summary>Answers no more.</summary>
    public void Dispose() => _host.RemoveHandler(Protocol);

    /// <summary>The connection to a peer that may be asked.</summary>
    private PeerConnection? ConnectionTo(PeerId peer)
    {
        if (!_replica.IsTrusted(peer) || !_host.Peerstore.Protocols(peer).Contains(Protocol) || IsAvoided(peer))
            return null;
        return _host.ConnectionsTo(peer).FirstOrDefault(static connection => connection.IsOpen);
    }

    private bool IsAvoided(PeerId peer)
    {
        lock (_lock)
        {
            if (!_avoided.TryGetValue(peer, out var until))
                return false;
            if (_host.Options.Time.GetUtcNow() < until)
                return true;
            _avoided.Remove(peer);
            return false;
        }
    }

    private void Avoid(PeerId peer)
    {
        lock (_lock)
            _avoided[peer] = _host.Options.Time.GetUtcNow() + Avoided;
    }

    private async Task AnswerAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        if (!_replica.IsTrusted(stream.RemotePeer))
        {
            stream.Reset();
            return;
        }

        var told = Interlocked.Increment(ref _told);
        try
        {
            if (told > MaxTold)
                stream.Reset(StreamErrorCode.ResourceLimitExceeded);
            else
                await TellAsync(stream, cancellationToken);
        }
        catch (Exception e) when (e is CrdtFormatException or FrameException)
        {
            PeeringLog.AncestorsNotAsked(_logger, stream.RemotePeer, e.Message);
            stream.Reset();
        }
        finally
        {
            Interlocked.Decrement(ref _told);
        }
    }

    private async Task TellAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        using var silence = new CancellationTokenSource(Patience, _host.Options.Time);
        using var stop = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), silence);
        if (await stream.Input.ReadFrameBytesAsync(LongestQuestion, silence.Token) is not { } question)
            throw new FrameException("The stream ends before its question.");
        var walk = new AncestorWalk(_replica.Blocks);
        foreach (var block in HeadsMessage.Parse(question))
            await walk.BeginAsync(block, cancellationToken);
        while (await walk.NextAsync(cancellationToken) is { } block)
        {
            stream.Output.WriteFrame(block.Span);
            if (stream.Output.UnflushedBytes < Portion)
                continue;
            silence.CancelAfter(PatienceWithReader);
            await stream.Output.FlushAsync(silence.Token);
        }

        silence.CancelAfter(PatienceWithReader);
        await stream.Output.FlushAsync(silence.Token);
        await stream.CloseWriteAsync();
    }

    /// <summary>One question and its answer.</summary>
    private sealed class Reader(AncestorStreams streams, PeerConnection connection, IReadOnlyCollection<BlockId> blocks) : IAncestorReader
    {
        private readonly CancellationTokenSource _silence = new(Timeout.InfiniteTimeSpan, streams._host.Options.Time);
        private PeerStream? _stream;

        public PeerId Peer => connection.RemotePeer;

        public void Avoid() => streams.Avoid(Peer);

        public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancellationToken)
        {
            // Time counts only while something is waited for.
            _silence.CancelAfter(Patience);
            using var stop = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _silence);
            try
            {
                _stream ??= await AskAsync();
                return await _stream.Input.ReadFrameBytesAsync(LongestBlock, _silence.Token) is { } block ? block : (ReadOnlyMemory<byte>?)null;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                Avoid();
                throw new TimeoutException($"{Peer} was silent for {Patience.TotalSeconds} s");
            }
            catch (IOException e) when (e is not ConnectionClosedException)
            {
                // It refuses, or says what is no block. With a lost connection it may be there again at once.
                Avoid();
                throw;
            }
            finally
            {
                _silence.CancelAfter(Timeout.InfiniteTimeSpan);
            }
        }

        public ValueTask DisposeAsync()
        {
            _stream?.Reset();
            _silence.Dispose();
            return default;
        }

        private async Task<PeerStream> AskAsync()
        {
            var stream = await connection.NewStreamAsync(Protocol, _silence.Token);
            try
            {
                stream.Output.WriteFrame(HeadsMessage.Encode(blocks));
                await stream.Output.FlushAsync(_silence.Token);
                await stream.CloseWriteAsync();
                return stream;
            }
            catch
            {
                stream.Reset();
                throw;
            }
        }
    }
}
