using Ipld;

namespace Cluster.Tracker.Core;

/// <summary>
/// The tracker without I/O (spec/behaviour.md 13): what the pinset wants and what the connector reports come in, requests to the
/// daemon go out as <see cref="TrackerAction"/>s. Operations live in memory while they wait or run; whatever has settled or failed
/// lives in the <see cref="IPinIndex"/> only. Not for several threads at a time.
/// </summary>
public sealed partial class OperationTracker(IPinIndex index, TrackerSettings settings, uint generation = 0)
{
    /// <summary>Of an operation that found no room (v1.1.6 says so).</summary>
    public const string QueueFullError = "pin/unpin operation queue is full. Try increasing max_pin_queue_size";

    // More unpins of remote items than this need not wait in memory: their rows are due for retry anyway.
    private const int MaxReleases = 10_000;

    private readonly Dictionary<Cid, Operation> _byCid = [];
    private readonly Dictionary<Cid, Operation> _ending = [];
    private readonly Dictionary<ulong, Operation> _running = [];
    private readonly Queue<(DateTimeOffset At, Operation Operation)> _cancelled = new();
    private readonly OperationQueue _priority = new();
    private readonly OperationQueue _normal = new();
    private readonly OperationQueue _unpins = new();
    private readonly OperationQueue _releases = new();
    private readonly List<TrackerAction> _actions = [];
    private readonly int[] _runningOf = new int[3];
    private ulong _lastId;
    private int _sinceNormal;
    private bool _connected;
    private int _unknownInSnapshot;
    private bool _anotherLife;

    /// <summary>Number of the last snapshot of the pinset.</summary>
    public uint Generation { get; private set; } = generation;

    /// <summary>Whether the pinset is being read anew.</summary>
    public bool InSnapshot { get; private set; }

    /// <summary>How many operations wait and run; cancelled requests that have not ended count as running.</summary>
    public QueueCounts Counts => new(_priority.Count, _normal.Count, _unpins.Count, _runningOf[0], _runningOf[1], _runningOf[2]);

    /// <summary>When <see cref="Tick"/> wants to be called next; null when nothing is due by itself.</summary>
    public DateTimeOffset? NextWake
    {
        get
        {
            var retry = index.NextRetry;
            if (!_cancelled.TryPeek(out var oldest))
                return retry;
            var grace = oldest.At + settings.CancelGrace;
            return retry < grace ? retry : grace;
        }
    }

    /// <summary>What has to be done now, in order; each action is handed out once.</summary>
    public IReadOnlyList<TrackerAction> TakeActions()
    {
        if (_actions.Count == 0)
            return [];
        var taken = _actions.ToArray();
        _actions.Clear();
        return taken;
    }

    /// <summary>Takes up what waited, or ran, when the last process ended.</summary>
    public void Load(DateTimeOffset now)
    {
        var found = new List<Operation>();
        foreach (var state in (ReadOnlySpan<PinState>)[PinState.PinQueued, PinState.UnpinQueued])
        {
            var kind = state == PinState.PinQueued ? OperationKind.Pin : OperationKind.Unpin;
            Cid? after = null;
            while (index.Page(state, after, 1000) is { Count: > 0 } page)
            {
                foreach (var pin in page)
                    found.Add(NewOperation(kind, pin.Cid, pin.Attempts, pin.Priority, pin.Since));
                after = page[^1].Cid;
            }
        }

        found.Sort((a, b) => a.Since.CompareTo(b.Since));
        foreach (var operation in found)
            Add(operation);
        Pump(now);
    }

    /// <summary>An entry of the pinset was written.</summary>
    public void Track(WantedPin wanted, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        index.TryGet(wanted.Cid, out var before);
        _byCid.TryGetValue(wanted.Cid, out var operation);
        if (wanted.HeldHere && wanted.Kind != PinKind.Meta)
            TrackHeld(wanted, before, operation, now);
        else
            TrackNotHeld(wanted, before, operation, now);
        Pump(now);
    }

    /// <summary>An entry of the pinset was removed. Every peer asks its daemon to unpin, also one that was not allocated (4).</summary>
    public void Untrack(Cid cid, DateTimeOffset now)
    {
        index.TryGet(cid, out var before);
        _byCid.TryGetValue(cid, out var operation);
        if (before is { State: PinState.Sharded, MayHold: false })
        {
            index.Replace(before, null);
        }
        else if (operation is not { Kind: OperationKind.Unpin })
        {
            Withdraw(operation, now);
            QueueUnpin(before, cid, before is { State: PinState.UnpinError } ? before.Attempts : 0, now);
        }

        Pump(now);
    }

    /// <summary>
    /// Queues a failed or lost item again (spec/behaviour.md 15; failed unpins too, which v1.1.6 cannot). False when there is nothing
    /// to do.
    /// </summary>
    public bool Recover(Cid cid, DateTimeOffset now)
    {
        if (_byCid.ContainsKey(cid) || !index.TryGet(cid, out var pin) || !Requeue(pin, now))
            return false;
        Pump(now);
        return true;
    }

    /// <summary>
    /// What the daemon said of one CID at the time <paramref name="asOf"/>; of no weight when the item changed since, or a request for
    /// it is under way. A pin that only waits, and is in the daemon already, is done: its request would end with that (16.2).
    /// </summary>
    public void Observe(Cid cid, DaemonPinKind kind, DateTimeOffset asOf, DateTimeOffset now)
    {
        if (!index.TryGet(cid, out var pin) || pin.Since > asOf)
            return;
        if (_byCid.TryGetValue(cid, out var operation))
        {
            if (operation is not { Kind: OperationKind.Pin, Running: false, HasWaited: false } || !pin.IsSatisfiedBy(kind))
                return;
            Withdraw(operation, now);
            index.Replace(pin, Done(pin, now));
            return;
        }

        if (!pin.IsSettledHere)
            return;
        var state = pin.IsSatisfiedBy(kind) ? PinState.Pinned : PinState.UnexpectedlyUnpinned;
        if (state != pin.State)
            index.Replace(pin, pin with { State = state, Since = now });
    }

    /// <summary>Status of one CID (13.4 without the daemon's word).</summary>
    public PinView View(Cid cid)
    {
        index.TryGet(cid, out var pin);
        return View(cid, pin);
    }

    /// <summary>Status of one CID whose row is at hand.</summary>
    public PinView View(Cid cid, TrackedPin? pin)
    {
        if (pin is null)
            return new PinView(PinState.Unpinned, default, 0, false, string.Empty, null);
        if (pin.State is (PinState.PinQueued or PinState.UnpinQueued) && _byCid.TryGetValue(cid, out var operation) && operation.Running)
        {
            var state = pin.State == PinState.PinQueued ? PinState.Pinning : PinState.Unpinning;
            return new PinView(state, operation.Since, operation.Attempts, operation.Priority, string.Empty, pin);
        }

        return new PinView(pin.State, pin.Since, pin.Attempts, pin.Priority, pin.Error, pin);
    }

    /// <summary>The items that a request is under way for, cancelled ones left out.</summary>
    public IEnumerable<Cid> RunningCids => _running.Values.Where(o => !o.Cancelled && o.Kind != OperationKind.Release).Select(o => o.Cid);

    /// <summary>Time has passed: retries become due, cancelled requests are no longer waited for.</summary>
    public void Tick(DateTimeOffset now)
    {
        while (_cancelled.TryPeek(out var oldest) && oldest.At + settings.CancelGrace <= now)
        {
            _cancelled.Dequeue();
            if (_running.ContainsKey(oldest.Operation.Id))
                End(oldest.Operation);
        }

        foreach (var pin in index.DueForRetry(now, 500))
        {
            if (_byCid.ContainsKey(pin.Cid) || !Requeue(pin, now))
                index.Replace(pin, pin with { RetryAt = pin.MayHold ? now + settings.Backoff(pin.Attempts) : null });
        }

        Pump(now);
    }

    /// <summary>
    /// The daemon is back: of the next items in a failed state after the cursor, those that failed for its absence become due. Returns
    /// the cursor for the next call, null at the end.
    /// </summary>
    public Cid? MakeDue(PinState failed, Cid? after, int limit, DateTimeOffset now)
    {
        var page = index.Page(failed, after, limit);
        foreach (var pin in page)
        {
            if (pin.DaemonAway)
                index.Replace(pin, pin with { RetryAt = now });
        }

        return page.Count < limit ? null : page[^1].Cid;
    }

    /// <summary>The whole pinset follows as <see cref="Track"/>s.</summary>
    /// <param name="anotherLife">
    /// The pinset was cleaned or replaced since: what it does not have any more was not unpinned by anybody, and stays in the daemon
    /// (spec/service-cli.md 2.5).
    /// </param>
    public void BeginSnapshot(bool anotherLife = false)
    {
        _anotherLife = anotherLife;
        Generation++;
        InSnapshot = true;
        _unknownInSnapshot = 0;
    }

    /// <summary>The snapshot was cut off, and changes follow instead of it.</summary>
    public void AbandonSnapshot() => InSnapshot = false;

    /// <summary>
    /// After the last entry of a snapshot: of the next items after the cursor, those that the snapshot did not have are untracked, or
    /// forgotten when the pinset lives another life.
    /// Returns the cursor for the next call; null at the end, when the snapshot is over.
    /// </summary>
    public Cid? Sweep(Cid? after, int limit, DateTimeOffset now)
    {
        var page = index.Page(after, limit);
        foreach (var pin in page)
        {
            if (!pin.InPinset || pin.Generation == Generation)
                continue;
            if (_anotherLife)
                Forget(pin, now);
            else
                Untrack(pin.Cid, now);
        }

        if (page.Count == limit)
            return page[^1].Cid;
        InSnapshot = false;
        return null;
    }

    private void Forget(TrackedPin pin, DateTimeOffset now)
    {
        _byCid.TryGetValue(pin.Cid, out var operation);
        Withdraw(operation, now);
        index.Replace(pin, null);
        Pump(now);
    }

    /// <summary>What others hold, and meta pins, which nobody does: unpinned here if the daemon may have it.</summary>
    private void TrackNotHeld(WantedPin wanted, TrackedPin? before, Operation? operation, DateTimeOffset now)
    {
        var meta = wanted.Kind == PinKind.Meta;
        var row = Row(wanted, meta ? PinState.Sharded : PinState.Remote, now);
        if (operation is { Kind: OperationKind.Release })
        {
            index.Replace(before, row with { MayHold = true, RetryAt = before?.RetryAt, Attempts = before?.Attempts ?? 0 });
            return;
        }

        // An unknown CID may be in the daemon since before the index was made (13.2: pin/rm at once); as a meta pin it never was.
        var mayHold = operation is not null ||
            (before is null ? !meta : before is not { State: PinState.Remote or PinState.Sharded, MayHold: false });
        Withdraw(operation, now);
        if (!mayHold)
        {
            index.Replace(before, row);
            return;
        }

        // Due once more by itself, so that neither a restart nor a full queue loses it.
        index.Replace(before, row with { MayHold = true, RetryAt = now + settings.Backoff(1) });
        if (_releases.Count < MaxReleases)
            Add(NewOperation(OperationKind.Release, wanted.Cid, 0, false, now));
    }

    private void TrackHeld(WantedPin wanted, TrackedPin? before, Operation? operation, DateTimeOffset now)
    {
        var row = Row(wanted, PinState.PinQueued, now);
        if (operation is { Kind: OperationKind.Pin })
        {
            // Not queued again: only the options are swapped in. A running request that was sent with another depth is repeated.
            operation.Again = operation.Running && operation.StartedDepth != wanted.MaxDepth;
            index.Replace(before, row with { Since = before!.Since, Attempts = before.Attempts, Priority = before.Priority });
            return;
        }

        if (InSnapshot && operation is null)
        {
            if (before is not null && SameOnceMore(before, wanted))
            {
                index.Replace(before, row with
                {
                    State = before.State, Since = before.Since, Attempts = before.Attempts, Priority = before.Priority,
                    Error = before.Error, RetryAt = before.RetryAt, DaemonAway = before.DaemonAway,
                });
                return;
            }

            if (before is null && ++_unknownInSnapshot > settings.QueuedPerSnapshot)
            {
                index.Replace(null, row with { State = PinState.UnexpectedlyUnpinned });
                return;
            }
        }

        Withdraw(operation, now);
        QueuePin(before, row, before is { State: PinState.PinError } ? before.Attempts : 0, now);
    }

    private static bool SameOnceMore(TrackedPin before, WantedPin wanted) =>
        before.State is PinState.Pinned or PinState.UnexpectedlyUnpinned or PinState.PinError &&
        before.MaxDepth == 0 == (wanted.MaxDepth == 0);

    private TrackedPin Row(WantedPin wanted, PinState state, DateTimeOffset since) => new()
    {
        Cid = wanted.Cid,
        State = state,
        Since = since,
        Generation = Generation,
        Kind = wanted.Kind,
        MaxDepth = wanted.MaxDepth,
        PinUpdate = wanted.PinUpdate,
        Created = wanted.Created,
        Details = wanted.Details,
    };
}
