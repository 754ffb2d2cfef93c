using Cluster.Model;
using Libp2p;

namespace Cluster.Monitor.Core;

/// <summary>What changed among the latest valid metrics.</summary>
/// <param name="Metrics">New ones.</param>
/// <param name="Expired">Those that were and are no more: run out, or replaced by an invalid one.</param>
public sealed record LatestChange(IReadOnlyList<Metric> Metrics, IReadOnlyList<Metric> Expired);

/// <summary>
/// Keeps the latest valid metric of each name and peer and tells when one runs out, so that watchers hold the same without asking.
/// Not safe for concurrent use.
/// </summary>
public sealed class LatestChanges
{
    private readonly Dictionary<(PeerId Peer, string Name), Metric> _latest = [];
    private readonly PriorityQueue<(PeerId Peer, string Name), long> _deadlines = new();

    // The earliest deadline queued of each key: one entry a key, however often its metric is renewed.
    private readonly Dictionary<(PeerId Peer, string Name), long> _queued = [];

    /// <summary>All that is valid now.</summary>
    public IReadOnlyList<Metric> Current => [.. _latest.Values];

    /// <summary>When the next one may run out, in Unix nanoseconds; null when nothing is held.</summary>
    public long? NextDeadline => _deadlines.TryPeek(out _, out var deadline) ? deadline : null;

    /// <summary>A metric was stored. Null when nothing changed.</summary>
    public LatestChange? Received(Metric metric, GoTime now)
    {
        ArgumentNullException.ThrowIfNull(metric);
        var key = (metric.Peer, metric.Name);
        if (metric.IsDiscarded(now))
            return _latest.Remove(key, out var replaced) ? new LatestChange([], [replaced]) : null;
        _latest[key] = metric;
        Queue(key, metric.Expire);
        return new LatestChange([metric], []);
    }

    /// <summary>Takes out what has run out by now. Null when nothing has.</summary>
    public LatestChange? Expire(GoTime now)
    {
        List<Metric>? expired = null;
        while (_deadlines.TryPeek(out var key, out var deadline) && deadline < now.UnixNanoseconds)
        {
            _deadlines.Dequeue();
            if (_queued.GetValueOrDefault(key, long.MinValue) == deadline)
                _queued.Remove(key);
            if (!_latest.TryGetValue(key, out var metric))
                continue;
            if (metric.IsExpired(now))
            {
                _latest.Remove(key);
                (expired ??= []).Add(metric);
            }
            else
            {
                Queue(key, metric.Expire);
            }
        }
        return expired == null ? null : new LatestChange([], expired);
    }

    /// <summary>Takes out all of a peer. Null when there was nothing.</summary>
    public LatestChange? Forget(PeerId peer)
    {
        var gone = _latest.Values.Where(metric => metric.Peer == peer).ToList();
        foreach (var metric in gone)
            _latest.Remove((metric.Peer, metric.Name));
        return gone.Count == 0 ? null : new LatestChange([], gone);
    }

    private void Queue((PeerId Peer, string Name) key, long deadline)
    {
        if (_queued.TryGetValue(key, out var earlier) && earlier <= deadline)
            return;
        _queued[key] = deadline;
        _deadlines.Enqueue(key, deadline);
    }
}
