using Cluster.Contracts.V1;
using Cluster.Tracker.Core;
using Cluster.Tracker.Index;
using Cluster.Tracker.State;
using Ipld;

namespace Cluster.Tracker;

/// <summary>Where the tracker's requests to the daemon go. Called while the tracker is locked: must neither block nor call back.</summary>
public interface IRequestSink
{
    void Send(TrackerAction action);
}

/// <summary>The end of one request.</summary>
/// <param name="Error">Null on success.</param>
public readonly record struct RequestResult(ulong Id, string? Error, FailureKind Failure);

/// <summary>
/// The <see cref="OperationTracker"/> with its index, its clock and a lock around them. Every change is committed before the lock is
/// let go, so that whoever reads the index sees what the tracker knows.
/// </summary>
public sealed class PinTracker : IDisposable
{
    private const int ChangesPerCommit = 256;
    private const int SweepPage = 500;

    private readonly Lock _lock = new();
    private readonly PinIndex _index;
    private readonly OperationTracker _core;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly TaskCompletionSource _fault = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IRequestSink? _sink;
    private DateTimeOffset? _wake;
    private bool _disposed;

    public PinTracker(PinIndex index, TrackerSettings settings, TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(time);
        _index = index;
        _time = time;
        _logger = logger;
        Settings = settings;
        _core = new OperationTracker(index, settings, index.Position.Generation);
        _timer = time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Sequence.Reach(index.Position.Sequence);
        Do(now => _core.Load(now));
    }

    public TrackerSettings Settings { get; }

    /// <summary>How far the changes of the pinset have been handled.</summary>
    public SequenceGate Sequence { get; } = new();

    /// <summary>Where to go on watching the pinset.</summary>
    public WatchPosition Position
    {
        get
        {
            lock (_lock)
                return _index.Position;
        }
    }

    /// <summary>Fails when the index can no longer be written; the process is of no use then.</summary>
    public Task Fault => _fault.Task;

    /// <summary>Items in a state, as the index has them: what is being pinned counts as queued.</summary>
    public long Count(PinState state) => _index.Count(state);

    /// <summary>Items of all states.</summary>
    public long Total => _index.Total;

    /// <summary>Whether the pinset is being read anew.</summary>
    public bool InSnapshot
    {
        get
        {
            lock (_lock)
                return _core.InSnapshot;
        }
    }

    public QueueCounts Counts
    {
        get
        {
            lock (_lock)
                return _core.Counts;
        }
    }

    /// <summary>Handles one message of the watch. True when a snapshot has just ended.</summary>
    public bool Apply(StateWatchResponse response, bool first, ReadOnlySpan<byte> self)
    {
        ArgumentNullException.ThrowIfNull(response);
        if (response.Reset || first)
            Begin(response);
        bool inSnapshot;
        uint generation;
        lock (_lock)
            (inSnapshot, generation) = (_core.InSnapshot, _core.Generation);

        var sequence = response.Sequence != 0 || response.Changes.Count == 0 ? response.Sequence : response.Changes[^1].Sequence;
        var reached = new WatchPosition(sequence, response.Epoch.Memory, generation);
        for (var at = 0; at < response.Changes.Count; at += ChangesPerCommit)
        {
            var end = Math.Min(response.Changes.Count, at + ChangesPerCommit);
            ApplyChanges(response, at, end, self, !inSnapshot && end == response.Changes.Count ? reached : null);
        }

        if (inSnapshot && !response.SnapshotDone)
            return false;
        Cid? swept = null;
        while (inSnapshot)
        {
            Do(now => swept = _core.Sweep(swept, SweepPage, now));
            inSnapshot = swept is not null;
        }

        Do(_ => { }, reached);
        Sequence.Reach(sequence);
        return response.SnapshotDone;
    }

    /// <summary>The connector is there: waiting requests go to the sink, now and later.</summary>
    public void Connect(IRequestSink sink) => Do(now =>
    {
        _sink = sink;
        _core.Connected(now);
    });

    /// <summary>The connector is gone.</summary>
    public void Disconnect() => Do(_ =>
    {
        _core.Disconnected();
        _sink = null;
    });

    /// <summary>Requests have ended.</summary>
    public void Report(IReadOnlyCollection<RequestResult> results) => Do(now =>
    {
        foreach (var result in results)
        {
            if (result.Error is null)
                _core.Completed(result.Id, now);
            else
                _core.Failed(result.Id, result.Error, result.Failure, now);
        }
    });

    /// <summary>Status of one CID as the tracker knows it.</summary>
    public PinView View(Cid cid)
    {
        lock (_lock)
            return _core.View(cid);
    }

    /// <summary>What the daemon said of some CIDs at a time; with <paramref name="recover"/> those it lost are queued again.</summary>
    public void Observe(IReadOnlyCollection<(Cid Cid, DaemonPinKind Kind)> pins, DateTimeOffset asOf, bool recover) => Do(now =>
    {
        foreach (var (cid, kind) in pins)
        {
            _core.Observe(cid, kind, asOf, now);
            if (recover && _core.View(cid).State == PinState.UnexpectedlyUnpinned)
                _core.Recover(cid, now);
        }
    });

    /// <summary>Queues failed or lost items again; returns those that were.</summary>
    public IReadOnlyList<PinView> Recover(IReadOnlyCollection<Cid> cids)
    {
        var recovered = new List<PinView>();
        Do(now =>
        {
            foreach (var cid in cids)
            {
                if (_core.Recover(cid, now))
                    recovered.Add(_core.View(cid));
            }
        });
        return recovered;
    }

    /// <summary>What failed because the daemon was away is tried again.</summary>
    public void Heal(CancellationToken cancellation)
    {
        foreach (var state in (ReadOnlySpan<PinState>)[PinState.PinError, PinState.UnpinError])
        {
            Cid? after = null;
            do
            {
                cancellation.ThrowIfCancellationRequested();
                Do(now => after = _core.MakeDue(state, after, SweepPage, now));
            }
            while (after is not null);
        }
    }

    /// <summary>
    /// A consistent view of some states (null: all) for a listing: the rows, and what is being pinned and unpinned right now, which the
    /// rows have as queued.
    /// </summary>
    public (PinReader Reader, Dictionary<Cid, PinView> Running) OpenListing(IReadOnlyCollection<PinState>? states)
    {
        lock (_lock)
            return (_index.Read(states), _core.RunningCids.ToDictionary(c => c, _core.View));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            _index.Commit();
        }

        _timer.Dispose();
        _index.Dispose();
    }

    private void Begin(StateWatchResponse response)
    {
        if (response.Reset)
        {
            // From here to the end of the snapshot a restart begins with nothing again, but knows still which life the items are of.
            var known = Position.Epoch;
            var anotherLife = !known.IsEmpty && !response.Epoch.IsEmpty && !known.Span.SequenceEqual(response.Epoch.Span);
            Sequence.Reach(0);
            Do(_ => _core.BeginSnapshot(anotherLife));
            Do(_ => { }, WatchPosition.Nothing with { Epoch = known, Generation = _core.Generation });
        }
        else
        {
            Do(_ => _core.AbandonSnapshot());
        }
    }

    private void ApplyChanges(StateWatchResponse response, int from, int to, ReadOnlySpan<byte> self, WatchPosition? reached)
    {
        // Outside of the lock: encoding is the dear part.
        var changes = new (WantedPin? Put, Cid Removed)[to - from];
        for (var i = from; i < to; i++)
        {
            var change = response.Changes[i];
            var pin = change.ChangeCase == StateChange.ChangeOneofCase.Put ? change.Put : change.Removed;
            if (pin is null)
                continue;
            if (!Cid.TryFromBytes(pin.Cid.Span, out var cid, out var error))
                TrackerLog.UnreadableCid(_logger, change.Sequence, error);
            else if (change.ChangeCase == StateChange.ChangeOneofCase.Put)
                changes[i - from].Put = PinMapping.ToWanted(cid, pin, self);
            else
                changes[i - from].Removed = cid;
        }

        Do(now =>
        {
            foreach (var (put, removed) in changes)
            {
                if (put is not null)
                    _core.Track(put, now);
                else if (removed.IsDefined)
                    _core.Untrack(removed, now);
            }
        }, reached);
    }

    private void OnTimer()
    {
        try
        {
            Do(now =>
            {
                _wake = null;
                _core.Tick(now);
            });
        }
        catch (Exception e)
        {
            _fault.TrySetException(e);
        }
    }

    /// <summary>One change of state: input, commit, actions out, timer set.</summary>
    private void Do(Action<DateTimeOffset> input, WatchPosition? reached = null)
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            Guarded(() =>
            {
                input(_time.GetUtcNow());
                _index.Commit(reached);
            });
            foreach (var action in _core.TakeActions())
                _sink?.Send(action);
            SetTimer();
        }
    }

    private void Guarded(Action work)
    {
        try
        {
            work();
        }
        catch (Exception e)
        {
            _fault.TrySetException(e);
            throw;
        }
    }

    private void SetTimer()
    {
        var next = _core.NextWake;
        if (next == _wake)
            return;
        _wake = next;
        if (next is not { } at)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        var wait = at - _time.GetUtcNow();
        // A millisecond at least, for a clock that is read in coarser steps than the timer runs; a day at most, for timers have a limit.
        _timer.Change(TimeSpan.FromMilliseconds(Math.Clamp(wait.TotalMilliseconds + 1, 1, 86_400_000)), Timeout.InfiniteTimeSpan);
    }
}
