using Cluster.Contracts.V1;
using Grpc.Core;
using Ipld;

namespace Cluster.Tracker.Daemon;

/// <summary>
/// Keeps a stream of calls to the connector open, for ever: when it breaks, running operations wait and the next stream takes them up.
/// Knows whether the daemon answers, too.
/// </summary>
public sealed class ConnectorLink(
    PinTracker tracker, Connector.ConnectorClient client, TimeProvider time, ILogger logger)
{
    private volatile ConnectorSession? _session;
    private volatile DaemonHealth? _health;

    /// <summary>The last word on the daemon's health; null when nothing is known.</summary>
    public DaemonHealth? Health => _health;

    /// <summary>Text form of the daemon's peer id; empty as long as it was never seen.</summary>
    public string DaemonId { get; private set; } = string.Empty;

    /// <summary>The daemon was down or unknown, and answers now. Raised on the thread of <see cref="WatchHealthAsync"/>.</summary>
    public event Action? DaemonCameUp;

    /// <summary>The daemon answers no more.</summary>
    public event Action? DaemonWentDown;

    /// <summary>Asks the daemon about one CID.</summary>
    /// <exception cref="RpcException">UNAVAILABLE: the connector is not there.</exception>
    public Task<DaemonAnswer> AskAsync(Cid cid, int maxDepth, CancellationToken cancellation) =>
        (_session ?? throw new RpcException(new Status(StatusCode.Unavailable, "the connector is restarting")))
        .AskAsync(cid, maxDepth, cancellation);

    /// <summary>The daemon's own pins, recursive and direct.</summary>
    public AsyncServerStreamingCall<ListPinsResponse> ListPins(CancellationToken cancellation) =>
        client.ListPins(new ListPinsRequest { Recursive = true, Direct = true }, cancellationToken: cancellation);

    /// <summary>Keeps the stream of operations.</summary>
    public Task RunAsync(CancellationToken cancellation) => Reconnection.RunAsync(async connected =>
    {
        using var call = client.Calls(cancellationToken: cancellation);
        // Says nothing, but succeeds only when the connector is there; until then no operation counts as begun.
        await call.RequestStream.WriteAsync(new ConnectorCallBatch(), cancellation);
        var session = new ConnectorSession(tracker, call);
        connected();
        TrackerLog.ConnectorHere(logger);
        tracker.Connect(session);
        _session = session;
        try
        {
            await session.RunAsync(cancellation);
        }
        finally
        {
            _session = null;
            tracker.Disconnect();
        }
    }, e => TrackerLog.ConnectorGone(logger, e), time, cancellation);

    /// <summary>Follows the daemon's health.</summary>
    public Task WatchHealthAsync(CancellationToken cancellation) => Reconnection.RunAsync(async connected =>
    {
        using var call = client.WatchHealth(new Empty(), cancellationToken: cancellation);
        try
        {
            while (await call.ResponseStream.MoveNext(cancellation))
            {
                connected();
                var before = _health;
                var now = call.ResponseStream.Current;
                _health = now;
                // The daemon keeps its name while it is away.
                DaemonId = now.Id is { Id.Length: > 0 } id ? id.Id : DaemonId;
                if (now.Up && before is not { Up: true })
                {
                    TrackerLog.DaemonUp(logger);
                    DaemonCameUp?.Invoke();
                }
                else if (!now.Up && before is not { Up: false })
                {
                    TrackerLog.DaemonDown(logger, now.Error);
                    DaemonWentDown?.Invoke();
                }
            }
        }
        finally
        {
            _health = null;
        }
    }, _ => { }, time, cancellation);
}
