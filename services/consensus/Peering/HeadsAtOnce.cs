using Cluster.Consensus.CrdtReplication;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Peering;

/// <summary>
/// Asks a trusted peer for its heads as soon as it is known to answer, and answers the same question. The original knows no such question:
/// there a peer that joins waits for the next announcement, up to a minute. The question is the opening of a stream, the answer one
/// broadcast (spec/crdt.md 4) with its length before it, empty when there are no heads.
/// </summary>
internal sealed class HeadsAtOnce : IHostObserver, IAsyncDisposable
{
    /// <summary>Name of the protocol, spoken by peers of this program.</summary>
    internal const string Protocol = "/cluster-micro/heads/1.0.0";

    /// <summary>As many bytes as a gossiped broadcast may have.</summary>
    private const int LongestAnswer = 1 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Libp2pHost _host;
    private readonly ICrdtReplica _replica;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly IDisposable _observing;
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _asking = [];

    // The connection on which a peer was last asked: a push of its identity is no reason to ask again.
    private readonly Dictionary<PeerId, PeerConnection> _asked = [];

    internal HeadsAtOnce(Libp2pHost host, ICrdtReplica replica, ILogger logger)
    {
        _host = host;
        _replica = replica;
        _logger = logger;
        host.Handle(Protocol, AnswerAsync);
        _observing = host.Observe(this);
    }

    /// <inheritdoc/>
    public void OnIdentified(PeerConnection connection)
    {
        var peer = connection.RemotePeer;
        if (!_replica.IsTrusted(peer) || !_host.Peerstore.Protocols(peer).Contains(Protocol))
            return;
        lock (_lock)
        {
            if (_stopping.IsCancellationRequested || (_asked.TryGetValue(peer, out var known) && known.IsOpen))
                return;
            _asked[peer] = connection;
            _asking.RemoveWhere(static task => task.IsCompletedSuccessfully);
            _asking.Add(Task.Run(() => AskAsync(connection)));
        }
    }

    /// <inheritdoc/>
    public void OnUpdated(PeerConnection connection) => OnIdentified(connection);

    /// <inheritdoc/>
    public void OnDisconnected(PeerConnection connection, bool last)
    {
        lock (_lock)
        {
            if (_asked.TryGetValue(connection.RemotePeer, out var known) && known == connection)
                _asked.Remove(connection.RemotePeer);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _observing.Dispose();
        _host.RemoveHandler(Protocol);
        await _stopping.CancelAsync();
        Task[] asking;
        lock (_lock)
            asking = [.. _asking];
        await Task.WhenAll(asking);
    }

    private async Task AnswerAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        stream.Output.WriteFrame(_replica.CurrentHeads().Span);
        await stream.CloseWriteAsync();
    }

    private async Task AskAsync(PeerConnection connection)
    {
        using var limit = new CancellationTokenSource(Patience, _host.Options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stopping.Token);
        try
        {
            await using var stream = await connection.NewStreamAsync(Protocol, both.Token);
            await stream.CloseWriteAsync();
            if (await stream.Input.ReadFrameBytesAsync(LongestAnswer, both.Token) is { Length: > 0 } heads)
                _replica.HeadsAnnounced(connection.RemotePeer, heads);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or TimeoutException)
        {
            // The next announcement tells the same.
            PeeringLog.HeadsNotTold(_logger, connection.RemotePeer, e.Message);
        }
    }
}
