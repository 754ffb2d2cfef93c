using Cluster.Model;
using Libp2p;

namespace Cluster.Monitor.Core;

/// <summary>
/// Notices metrics that ran out (spec/behaviour.md 17.3): a peer's metric has failed when its newest one has expired. The first check
/// after that alerts; then every 300 counts, until a valid metric arrives. Time comes in; nothing else does. Not safe for
/// concurrent use.
/// </summary>
public sealed class FailureDetector(MetricStore store)
{
    /// <summary>A counter that has reached this starts anew.</summary>
    private const int CounterLimit = 300;

    private readonly Dictionary<(PeerId Peer, string Name), int> _failures = [];

    /// <summary>Whether the newest metric has expired, or none was ever received.</summary>
    public bool HasFailed(PeerId peer, string name, GoTime now) => store.Newest(name, peer) is not { } newest || newest.IsExpired(now);

    /// <summary>Checks the newest metric of every name and peer that was sent as valid.</summary>
    public IReadOnlyList<Alert> CheckAll(GoTime now) => Check(store.All(), now);

    /// <summary>
    /// Checks these peers only, as with Raft, where every kept metric counts: a full window repeats its alert after 12 checks.
    /// </summary>
    public IReadOnlyList<Alert> CheckPeers(IEnumerable<PeerId> peers, GoTime now)
    {
        ArgumentNullException.ThrowIfNull(peers);
        return Check(peers.SelectMany(peer => store.Names.SelectMany(name => store.History(name, peer))), now);
    }

    /// <summary>A metric arrived: a valid one that has not expired ends the failure of its name and peer.</summary>
    public void Received(Metric metric, GoTime now)
    {
        ArgumentNullException.ThrowIfNull(metric);
        if (!metric.IsDiscarded(now))
            _failures.Remove((metric.Peer, metric.Name));
    }

    /// <summary>Drops what is remembered of a peer.</summary>
    public void Forget(PeerId peer)
    {
        foreach (var key in _failures.Keys.Where(key => key.Peer == peer).ToList())
            _failures.Remove(key);
    }

    private List<Alert> Check(IEnumerable<Metric> metrics, GoTime now)
    {
        var alerts = new List<Alert>();
        foreach (var metric in metrics)
        {
            if (!HasFailed(metric.Peer, metric.Name, now))
                continue;
            var key = (metric.Peer, metric.Name);
            var count = _failures.GetValueOrDefault(key) + 1;
            if (count == 1)
                alerts.Add(new Alert(store.Newest(metric.Name, metric.Peer)!, now));
            if (count >= CounterLimit)
                _failures.Remove(key);
            else
                _failures[key] = count;
        }

        // In the order in which they ran out, as if they had been watched all the time.
        alerts.Sort(static (a, b) => a.Metric.Expire.CompareTo(b.Metric.Expire));
        return alerts;
    }
}
