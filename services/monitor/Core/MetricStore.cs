using Cluster.Model;
using Libp2p;

namespace Cluster.Monitor.Core;

/// <summary>
/// Metrics by name and peer, the last <see cref="MetricWindow.Size"/> of each (spec/behaviour.md 17.1). The metric received last
/// counts, even when it is invalid or has expired. Not safe for concurrent use.
/// </summary>
public sealed class MetricStore
{
    /// <summary>
    /// Names kept at most. Anyone in the private network may publish any name; what comes beyond is not stored.
    /// </summary>
    public const int MaxNames = 10_000;

    /// <summary>Peers kept at most of one name.</summary>
    public const int MaxPeers = 10_000;

    private readonly SortedDictionary<string, SortedDictionary<PeerId, MetricWindow>> _byName = new(StringComparer.Ordinal);

    /// <summary>All names ever received, sorted.</summary>
    public IReadOnlyList<string> Names => [.. _byName.Keys];

    /// <summary>Stores a metric. False when there is no room for its name or peer.</summary>
    public bool Add(Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        if (!_byName.TryGetValue(metric.Name, out var byPeer))
        {
            if (_byName.Count >= MaxNames)
                return false;
            _byName.Add(metric.Name, byPeer = []);
        }
        if (!byPeer.TryGetValue(metric.Peer, out var window))
        {
            if (byPeer.Count >= MaxPeers)
                return false;
            byPeer.Add(metric.Peer, window = new MetricWindow());
        }
        window.Add(metric);
        return true;
    }

    /// <summary>The newest metric of each peer that is valid and has not expired, sorted by the bytes of the peer id.</summary>
    public IEnumerable<Metric> LatestValid(string name, GoTime now) =>
        _byName.TryGetValue(name, out var byPeer)
            ? byPeer.Values.Select(window => window.Newest).Where(metric => !metric.IsDiscarded(now))
            : [];

    /// <summary>The newest metric of every name and peer that was sent as valid, expired ones included.</summary>
    public IEnumerable<Metric> All() =>
        _byName.Values.SelectMany(byPeer => byPeer.Values).Select(window => window.Newest).Where(metric => metric.Valid);

    /// <summary>The newest metrics of a peer that were sent as valid, by name.</summary>
    public IEnumerable<Metric> OfPeer(PeerId peer) =>
        Windows(peer).Select(window => window.Newest).Where(metric => metric.Valid);

    /// <summary>The newest metric of a name and peer, whatever its state; null when none was received.</summary>
    public Metric? Newest(string name, PeerId peer) => Window(name, peer)?.Newest;

    /// <summary>All metrics kept of a name and peer, newest first.</summary>
    public IEnumerable<Metric> History(string name, PeerId peer) => Window(name, peer)?.NewestFirst() ?? [];

    /// <summary>Drops all of a peer.</summary>
    public void Forget(PeerId peer)
    {
        foreach (var byPeer in _byName.Values)
            byPeer.Remove(peer);
    }

    private IEnumerable<MetricWindow> Windows(PeerId peer) =>
        _byName.Values.Select(byPeer => byPeer.GetValueOrDefault(peer)).OfType<MetricWindow>();

    private MetricWindow? Window(string name, PeerId peer) =>
        _byName.TryGetValue(name, out var byPeer) ? byPeer.GetValueOrDefault(peer) : null;
}
