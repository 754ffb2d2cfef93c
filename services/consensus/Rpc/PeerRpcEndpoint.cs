using System.Collections.Concurrent;
using Cluster.PeerRpc.Streams;
using Libp2p;

namespace Cluster.Consensus.Rpc;

/// <summary>How many calls of others this peer serves at a time.</summary>
public sealed record ServedCallLimits
{
    /// <summary>Calls of one peer.</summary>
    public int PerPeer { get; init; } = 256;

    /// <summary>Calls of all peers.</summary>
    public int Total { get; init; } = 1024;

    /// <summary>Times that a call's parts may take.</summary>
    public CallLimits Times { get; init; } = new();
}

/// <summary>
/// Serves the peer RPC on a host: each stream is one call. Beyond the limits a call is answered with an error that names the limit; a
/// caller that does not even wait for that has its streams reset by the host.
/// </summary>
public sealed class PeerRpcEndpoint : IDisposable
{
    /// <summary>Streams that may wait for their refusal, beside those that are served.</summary>
    private const int Refusals = 128;

    private readonly Libp2pHost _host;
    private readonly RpcServer _server;
    private readonly StatusLineEndpoint _statuses;
    private readonly ServedCallLimits _limits;
    private readonly ConcurrentDictionary<PeerId, int> _underWay = new();
    private int _total;

    /// <summary>Begins to serve.</summary>
    /// <param name="host">Its handler of the protocol is this endpoint's until it is disposed of.</param>
    /// <param name="parts">What the methods work on.</param>
    /// <param name="limits">The usual ones if none are given.</param>
    public PeerRpcEndpoint(Libp2pHost host, RpcParts parts, ServedCallLimits? limits = null)
    {
        _host = host;
        _limits = limits ?? new ServedCallLimits();
        _server = new RpcServer(RpcTable.MethodsOf(parts), parts.Consensus.IsTrusted, _limits.Times);
        host.Handle(PeerCalls.Protocol, ServeAsync, _limits.PerPeer + Refusals);
        _statuses = new StatusLineEndpoint(host, parts, _limits.Times.Stall);
    }

    /// <summary>Calls under way now.</summary>
    public int UnderWay => Volatile.Read(ref _total);

    /// <inheritdoc/>
    public void Dispose()
    {
        _host.RemoveHandler(PeerCalls.Protocol);
        _statuses.Dispose();
    }

    private async Task ServeAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        var caller = stream.RemotePeer;
        var ofCaller = _underWay.AddOrUpdate(caller, 1, static (_, count) => count + 1);
        var total = Interlocked.Increment(ref _total);
        try
        {
            var refusal = ofCaller > _limits.PerPeer ? $"too many calls at a time: {_limits.PerPeer} of this peer are being served"
                : total > _limits.Total ? $"too many calls at a time: {_limits.Total} are being served"
                : null;
            // A caller that has sent all its arguments can be heard giving up in this way only.
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(stream.Aborted, cancellationToken);
            await _server.ServeAsync(caller, stream, refusal, ending.Token);
        }
        finally
        {
            Interlocked.Decrement(ref _total);
            if (_underWay.AddOrUpdate(caller, 0, static (_, count) => count - 1) == 0)
                _underWay.TryRemove(KeyValuePair.Create(caller, 0));
        }
    }
}
