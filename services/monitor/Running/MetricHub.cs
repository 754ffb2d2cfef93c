using System.Threading.Channels;
using Cluster.Model;
using Cluster.Monitor.Core;
using Libp2p;

namespace Cluster.Monitor.Running;

/// <summary>
/// The metrics of this process: the cores behind one lock, and those who watch them. Safe for concurrent use.
/// </summary>
public sealed class MetricHub(TimeProvider time)
{
    /// <summary>Alerts kept for watchers that are not there just now; the oldest goes (spec/behaviour.md 17.3: queue of 256).</summary>
    private const int AlertsKept = 256;

    /// <summary>Changes that a watcher may be behind; then its stream ends and it starts over with a new snapshot.</summary>
    private const int WatcherBacklog = 1024;

    private readonly Lock _lock = new();
    private readonly MetricStore _store = new();
    private readonly LatestChanges _latest = new();
    private readonly Queue<Alert> _unseenAlerts = new();
    private readonly HashSet<ChannelWriter<LatestChange>> _latestWatchers = [];
    private readonly HashSet<ChannelWriter<Alert>> _alertWatchers = [];
    private readonly HashSet<ChannelWriter<IReadOnlyList<Metric>>> _ownWatchers = [];
    private readonly Dictionary<string, Metric> _own = [];
    private FailureDetector? _detector;
    private HashSet<PeerId> _members = [];
    private TaskCompletionSource _deadlineMoved = NewSignal();

    private FailureDetector Detector => _detector ??= new FailureDetector(_store);

    private GoTime Now => GoTime.Now(time);

    /// <summary>Stores metrics that other peers (or tools) sent.</summary>
    public void Receive(IEnumerable<Metric> metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        lock (_lock)
        {
            foreach (var metric in metrics)
                Store(metric);
        }
    }

    /// <summary>Stores metrics of this peer and hands them to those who send them to the others.</summary>
    public void PublishOwn(IReadOnlyList<Metric> metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        lock (_lock)
        {
            foreach (var metric in metrics)
            {
                Store(metric);
                _own[metric.Name] = metric;
            }
            _ownWatchers.RemoveWhere(watcher => !Offer(watcher, metrics));
        }
    }

    /// <summary>The newest metric of each peer that is valid and has not expired; of all names when the name is empty.</summary>
    public IReadOnlyList<Metric> Latest(string name)
    {
        lock (_lock)
        {
            var now = Now;
            var names = name.Length > 0 ? [name] : _store.Names;
            return [.. names.SelectMany(each => _store.LatestValid(each, now)).Where(metric => IsMember(metric.Peer))];
        }
    }

    /// <summary>All names ever received, sorted.</summary>
    public IReadOnlyList<string> Names()
    {
        lock (_lock)
            return _store.Names;
    }

    /// <summary>Only these peers count from now on; with an empty list all do.</summary>
    public void SetMembers(IEnumerable<PeerId> members)
    {
        lock (_lock)
            _members = [.. members];
    }

    /// <summary>Drops all that is known of a peer; a living one is back with its next metric.</summary>
    public void Forget(PeerId peer)
    {
        lock (_lock)
        {
            _store.Forget(peer);
            Detector.Forget(peer);
            Tell(_latest.Forget(peer));
        }
    }

    /// <summary>Looks for metrics that ran out, and alerts.</summary>
    public IReadOnlyList<Alert> Check()
    {
        lock (_lock)
        {
            var alerts = _members.Count == 0 ? Detector.CheckAll(Now) : Detector.CheckPeers(_members, Now);
            foreach (var alert in alerts)
                Tell(alert);
            return alerts;
        }
    }

    /// <summary>Tells watchers of what ran out by now, and when to look again; null when nothing is held.</summary>
    public (TimeSpan? NextLook, Task Moved) Expire()
    {
        lock (_lock)
        {
            var now = Now;
            Tell(_latest.Expire(now));
            if (_deadlineMoved.Task.IsCompleted)
                _deadlineMoved = NewSignal();
            // A metric holds through its last nanosecond: look one timer tick later.
            TimeSpan? next = _latest.NextDeadline is { } deadline
                ? TimeSpan.FromTicks(Math.Max(0, (deadline - now.UnixNanoseconds) / TimeSpan.NanosecondsPerTick) + TimeSpan.TicksPerMillisecond)
                : null;
            return (next, _deadlineMoved.Task);
        }
    }

    /// <summary>All latest valid metrics now, then every change. The stream ends with an error when the reader is too slow.</summary>
    public Watch<LatestChange> WatchLatest()
    {
        var channel = NewChannel<LatestChange>();
        lock (_lock)
        {
            var now = Now;
            channel.Writer.TryWrite(new LatestChange([.. _latest.Current.Where(metric => !metric.IsDiscarded(now) && IsMember(metric.Peer))], []));
            _latestWatchers.Add(channel.Writer);
        }
        return new Watch<LatestChange>(channel.Reader, () => Remove(_latestWatchers, channel.Writer));
    }

    /// <summary>Alerts that nobody saw yet, then every new one.</summary>
    public Watch<Alert> WatchAlerts()
    {
        var channel = NewChannel<Alert>();
        lock (_lock)
        {
            while (_unseenAlerts.TryDequeue(out var alert))
                channel.Writer.TryWrite(alert);
            _alertWatchers.Add(channel.Writer);
        }
        return new Watch<Alert>(channel.Reader, () => Remove(_alertWatchers, channel.Writer));
    }

    /// <summary>Own metrics that still hold, then each as it is made.</summary>
    public Watch<IReadOnlyList<Metric>> WatchOwn()
    {
        var channel = NewChannel<IReadOnlyList<Metric>>();
        lock (_lock)
        {
            var now = Now;
            IReadOnlyList<Metric> held = [.. _own.Values.Where(metric => !metric.IsDiscarded(now))];
            if (held.Count > 0)
                channel.Writer.TryWrite(held);
            _ownWatchers.Add(channel.Writer);
        }
        return new Watch<IReadOnlyList<Metric>>(channel.Reader, () => Remove(_ownWatchers, channel.Writer));
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static Channel<T> NewChannel<T>() => Channel.CreateBounded<T>(
        new BoundedChannelOptions(WatcherBacklog) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    /// <summary>False when the watcher is too far behind; it is told so, and starts over.</summary>
    private static bool Offer<T>(ChannelWriter<T> watcher, T item)
    {
        if (watcher.TryWrite(item))
            return true;
        watcher.TryComplete(new WatcherTooSlowException());
        return false;
    }

    private void Store(Metric metric)
    {
        var now = Now;
        var received = metric with { ReceivedAt = now.UnixNanoseconds };
        if (!_store.Add(received))
            return;
        Detector.Received(received, now);
        var before = _latest.NextDeadline;
        Tell(_latest.Received(received, now));
        if (_latest.NextDeadline is { } deadline && (before == null || deadline < before))
            _deadlineMoved.TrySetResult();
    }

    private bool IsMember(PeerId peer) => _members.Count == 0 || _members.Contains(peer);

    private void Tell(LatestChange? change)
    {
        if (change == null)
            return;
        var metrics = change.Metrics.All(metric => IsMember(metric.Peer)) ? change.Metrics : [.. change.Metrics.Where(metric => IsMember(metric.Peer))];
        if (metrics.Count > 0 || change.Expired.Count > 0)
            _latestWatchers.RemoveWhere(watcher => !Offer(watcher, change with { Metrics = metrics }));
    }

    private void Tell(Alert alert)
    {
        _alertWatchers.RemoveWhere(watcher => !Offer(watcher, alert));
        if (_alertWatchers.Count > 0)
            return;
        if (_unseenAlerts.Count == AlertsKept)
            _unseenAlerts.Dequeue();
        _unseenAlerts.Enqueue(alert);
    }

    private void Remove<T>(HashSet<ChannelWriter<T>> watchers, ChannelWriter<T> watcher)
    {
        lock (_lock)
            watchers.Remove(watcher);
    }
}
