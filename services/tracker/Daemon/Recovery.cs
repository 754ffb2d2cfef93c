using System.Threading.Channels;
using Cluster.Tracker.Core;
using Cluster.Tracker.State;
using Grpc.Core;

namespace Cluster.Tracker.Daemon;

/// <summary>
/// Brings the index and the daemon together: at the start, every `pin_recover_interval` counted from the end of the last time, after a
/// snapshot with unknown pins, when the daemon comes back, when a large listing asks for it, and when very many pins wait. When each of
/// these looks is written down at <see cref="DaemonWord"/> and <see cref="Backlog"/>.
/// </summary>
public sealed class Recovery
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);

    // A listing spares what waited when it began: it waits for the end of the burst, for so long after each change, and so long in all.
    private static readonly TimeSpan BurstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestBurst = TimeSpan.FromSeconds(5);

    // A peer that holds nothing at its start joins, most likely, and has no use for its daemon's list just then.
    private static readonly TimeSpan FirstLookOfNewPeer = TimeSpan.FromSeconds(10);

    private readonly PinTracker _tracker;
    private readonly ConnectorLink _link;
    private readonly Comparison _comparison;
    private readonly StateWatcher _watcher;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock _lock = new();
    private readonly Backlog _backlog = new();
    private DateTimeOffset? _burstSince;
    private DateTimeOffset _backlogAt = DateTimeOffset.MinValue;
    private bool _isNewPeer;
    private bool _everUp;
    private bool _listingWants;
    private DateTimeOffset? _healAt;
    private DateTimeOffset _recoverAt;
    private DateTimeOffset _comparedAt = DateTimeOffset.MinValue;
    private bool _healCompares;

    public Recovery(
        PinTracker tracker, ConnectorLink link, Comparison comparison, DaemonWord word, StateWatcher watcher, TimeProvider time,
        ILogger logger)
    {
        _tracker = tracker;
        _link = link;
        _comparison = comparison;
        _watcher = watcher;
        _time = time;
        _logger = logger;
        _recoverAt = time.GetUtcNow();
        _isNewPeer = tracker.Total == 0;
        link.DaemonCameUp += OnDaemonUp;

        // Nothing heals without a daemon: attempts in vain would only push the next ones further away.
        link.DaemonWentDown += () => Wake(() => _healAt = null);
        watcher.LookForLost += () => Wake(() => _recoverAt = _time.GetUtcNow());
        watcher.Handled += LookAtBacklog;
        word.ComparisonWanted += () => Wake(() => _listingWants = true);
    }

    public async Task RunAsync(CancellationToken cancellation)
    {
        await _watcher.CaughtUp.WaitAsync(cancellation);
        var retry = FirstRetry;
        while (true)
        {
            var (recover, compare, backlog) = Due();
            if (recover || compare || backlog)
            {
                try
                {
                    await CompareAsync(recover, backlog, cancellation);
                    retry = FirstRetry;
                    if (recover)
                        RecoverAgainIn(_tracker.Settings.PinRecoverInterval);
                }
                catch (RpcException e)
                {
                    TrackerLog.CompareFailed(_logger, retry, e.Status.Detail);
                    if (recover)
                        RecoverAgainIn(retry);
                    if (backlog)
                        Change(() => (_burstSince, _backlogAt) = (_time.GetUtcNow(), _time.GetUtcNow() + retry));
                    retry = retry * 2 < LongestRetry ? retry * 2 : LongestRetry;
                }
            }

            await SleepAsync(cancellation);
        }
    }

    private void OnDaemonUp() => Wake(() =>
    {
        // At the start everything is compared anyway.
        _healCompares |= _everUp;
        _everUp = true;
        _healAt = _time.GetUtcNow() + _tracker.Settings.HealDelay;
    });

    /// <summary>What is to be done now; what was asked for is taken as done.</summary>
    private (bool Recover, bool Compare, bool Backlog) Due()
    {
        var heal = false;
        bool recover;
        bool compare;
        bool backlog;
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            if (_isNewPeer && _recoverAt <= now)
                _recoverAt = now + FirstLookOfNewPeer;
            _isNewPeer = false;
            recover = _recoverAt <= now;
            compare = _listingWants && _comparedAt + DaemonWord.ListingFreshness <= now;
            _listingWants = false;
            backlog = _burstSince is not null && _backlogAt <= now;
            if (backlog)
                _burstSince = null;
            if (_healAt <= now)
            {
                heal = true;
                recover |= _healCompares;
                _healAt = null;
                _healCompares = false;
            }

            // Taken as done; whoever wants it again from now on says so by an earlier time.
            if (recover)
                _recoverAt = DateTimeOffset.MaxValue;
        }

        if (heal)
            _tracker.Heal(CancellationToken.None);
        return (recover, compare, backlog);
    }

    private void LookAtBacklog()
    {
        var waiting = PinsWaiting;
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            if (_burstSince is { } since)
            {
                // Later than was planned: whoever sleeps until then looks again.
                var later = now + BurstPause;
                if (later <= since + LongestBurst && later > _backlogAt)
                    _backlogAt = later;
                return;
            }

            // A daemon that is away is compared with when it comes back.
            if (_link.Health is { Up: false } || !_backlog.IsWorthListing(waiting))
                return;
            (_burstSince, _backlogAt) = (now, now + BurstPause);
            _signal.Writer.TryWrite(true);
        }
    }

    private long PinsWaiting
    {
        get
        {
            var counts = _tracker.Counts;
            return counts.PriorityQueued + counts.NormalQueued;
        }
    }

    /// <summary>Sooner when that was asked for meanwhile: what got lost behind the comparison's back is not left until the next one.</summary>
    private void RecoverAgainIn(TimeSpan wait) => Change(() =>
    {
        var at = _time.GetUtcNow() + wait;
        _recoverAt = at < _recoverAt ? at : _recoverAt;
    });

    private async Task CompareAsync(bool recover, bool backlog, CancellationToken cancellation)
    {
        var waiting = PinsWaiting;
        var result = await _comparison.RunAsync(recover, waiting: recover || backlog, null, cancellation);
        Change(() => _comparedAt = _time.GetUtcNow());
        if (result is not { } found)
            return;
        TrackerLog.Compared(_logger, found.Compared, found.DaemonPins, found.Lost, found.Found);
        if (found.Spared > 0)
            TrackerLog.Spared(_logger, found.Spared, waiting);
        if (backlog)
            Change(() => _backlog.Listed(waiting, found.Spared, found.DaemonPins));
        LookAtBacklog();
    }

    private async Task SleepAsync(CancellationToken cancellation)
    {
        TimeSpan wait;
        lock (_lock)
        {
            var next = _healAt < _recoverAt ? _healAt.Value : _recoverAt;
            if (_burstSince is not null && _backlogAt < next)
                next = _backlogAt;
            wait = next - _time.GetUtcNow();
        }

        if (wait <= TimeSpan.Zero)
            return;
        using var woken = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var pause = Task.Delay(wait < TimeSpan.FromDays(1) ? wait : TimeSpan.FromDays(1), _time, woken.Token);
        await Task.WhenAny(pause, _signal.Reader.ReadAsync(woken.Token).AsTask());
        await woken.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
    }

    private void Wake(Action change)
    {
        lock (_lock)
        {
            change();
            _signal.Writer.TryWrite(true);
        }
    }

    private void Change(Action change)
    {
        lock (_lock)
            change();
    }
}
