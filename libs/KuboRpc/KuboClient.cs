using KuboRpc.Http;
using KuboRpc.Json;
using Libp2p;

namespace KuboRpc;

/// <summary>What the daemon says of itself.</summary>
/// <param name="Id">Its peer id.</param>
/// <param name="Addresses">Its swarm addresses as it prints them; those that are no multiaddress are left out.</param>
public sealed record DaemonId(PeerId Id, IReadOnlyList<string> Addresses);

/// <summary>
/// A client of one IPFS daemon's RPC (Kubo's <c>/api/v0</c>), in the request forms of IPFS Cluster v1.1.6 (spec/behaviour.md 16)
/// and tolerant of what other daemons answer (spec/local-ipfs.md). Safe for concurrent use. Failures are <see cref="KuboException"/>;
/// the caller's own cancellation is <see cref="OperationCanceledException"/> and stops the daemon's work.
/// </summary>
public sealed partial class KuboClient : IAsyncDisposable
{
    private readonly KuboOptions _options;
    private readonly KuboObserver _observer;
    private readonly TimeProvider _time;
    private readonly DaemonTransport _transport;

    /// <summary>Makes a client; nothing is sent yet.</summary>
    public KuboClient(KuboOptions options, KuboObserver? observer = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _observer = observer ?? new KuboObserver();
        _time = time ?? TimeProvider.System;
        Gate = new DaemonGate(_time);
        _transport = new DaemonTransport(options, _observer, _time, Gate);
    }

    /// <summary>What holds requests back while the daemon is down.</summary>
    public DaemonGate Gate { get; }

    /// <summary>The daemon's id and addresses.</summary>
    public async Task<DaemonId> IdAsync(CancellationToken cancellationToken = default)
    {
        using var limit = _transport.Limit(_options.RequestTimeout, cancellationToken);
        using var answer = await _transport.PostAsync("id", limit);
        using var document = await answer.ReadDocumentAsync();
        var text = JsonFields.Text(document.RootElement, "ID");
        if (!PeerId.TryParse(text, out var id, out var why))
            throw new DaemonAnswerException($"failed to parse peer ID: {why}");
        var addresses = new List<string>();
        foreach (var item in JsonFields.List(document.RootElement, "Addresses"))
        {
            // A daemon newer than this program may name transports that are unknown here; it is not down for that.
            if (item.ValueKind == System.Text.Json.JsonValueKind.String && Multiaddr.TryParse(JsonFields.Text(item), out _, out _))
                addresses.Add(JsonFields.Text(item));
        }
        return new DaemonId(id, addresses);
    }

    /// <summary>Closes the connections; swarm connects still under way in the background are stopped.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopBackgroundConnectsAsync();
        _transport.Dispose();
    }
}
