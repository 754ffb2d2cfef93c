using Ipld;

namespace Cluster.Tracker.Core;

// How operations get into their queues, and out of them before their turn.
public sealed partial class OperationTracker
{
    /// <summary>Queues a row again by what it failed at.</summary>
    private bool Requeue(TrackedPin pin, DateTimeOffset now)
    {
        switch (pin.State)
        {
            case PinState.PinError:
                QueuePin(pin, pin, pin.Attempts, now);
                return true;
            case PinState.UnexpectedlyUnpinned:
                QueuePin(pin, pin, 0, now);
                return true;
            case PinState.UnpinError:
                QueueUnpin(pin, pin.Cid, pin.Attempts, now);
                return true;
            case PinState.Remote or PinState.Sharded when pin.MayHold && _releases.Count < MaxReleases:
                index.Replace(pin, pin with { RetryAt = now + settings.Backoff(pin.Attempts) });
                Add(NewOperation(OperationKind.Release, pin.Cid, pin.Attempts, false, now));
                return true;
            default:
                return false;
        }
    }

    private void QueuePin(TrackedPin? before, TrackedPin row, int attempts, DateTimeOffset now)
    {
        var priority = now - row.Created < settings.PriorityPinMaxAge && attempts <= settings.PriorityPinMaxRetries;
        var queued = row with
        {
            State = PinState.PinQueued, Since = now, Attempts = attempts, Priority = priority, Error = string.Empty,
            RetryAt = null, DaemonAway = false, MayHold = false,
        };
        if ((priority ? _priority : _normal).Count >= settings.MaxPinQueueSize)
        {
            index.Replace(before, Full(queued, PinState.PinError, now));
            return;
        }

        index.Replace(before, queued);
        Add(NewOperation(OperationKind.Pin, row.Cid, attempts, priority, now));
    }

    private void QueueUnpin(TrackedPin? before, Cid cid, int attempts, DateTimeOffset now)
    {
        // Nothing of the pin is left to show but the CID (recorded: http/rest/ipfs-down, `status after unpin, local`).
        var queued = new TrackedPin
        {
            Cid = cid,
            State = PinState.UnpinQueued,
            Since = now,
            Attempts = attempts,
            Generation = Generation,
            Created = before is { InPinset: false } ? before.Created : now,
        };
        if (_unpins.Count >= settings.MaxPinQueueSize)
        {
            index.Replace(before, Full(queued, PinState.UnpinError, now));
            return;
        }

        index.Replace(before, queued);
        Add(NewOperation(OperationKind.Unpin, cid, attempts, false, now));
    }

    private TrackedPin Full(TrackedPin row, PinState state, DateTimeOffset now) =>
        row with { State = state, Error = QueueFullError, RetryAt = now + settings.Backoff(row.Attempts) };

    private Operation NewOperation(OperationKind kind, Cid cid, int attempts, bool priority, DateTimeOffset since) =>
        new(++_lastId, kind, cid) { Attempts = attempts, Priority = priority, Since = since };

    private void Add(Operation operation)
    {
        _byCid[operation.Cid] = operation;
        operation.Waiting = operation.HasWaited = _ending.ContainsKey(operation.Cid);
        if (!operation.Waiting)
            QueueOf(operation).Enqueue(operation);
    }

    /// <summary>Gives up what waits or runs for a CID.</summary>
    private void Withdraw(Operation? operation, DateTimeOffset now)
    {
        if (operation is null)
            return;
        _byCid.Remove(operation.Cid);
        operation.Cancelled = true;
        if (operation.Running)
        {
            _ending[operation.Cid] = operation;
            _cancelled.Enqueue((now, operation));
            _actions.Add(new CancelOperation(operation.Id));
        }
        else if (!operation.Waiting)
        {
            QueueOf(operation).Withdrawn();
        }
    }

    private static TrackedPin Done(TrackedPin pin, DateTimeOffset now) =>
        pin with { State = PinState.Pinned, Since = now, Attempts = 0, Priority = false, Error = string.Empty };

    private OperationQueue QueueOf(Operation operation) => operation.Kind switch
    {
        OperationKind.Unpin => _unpins,
        OperationKind.Release => _releases,
        _ => operation.Priority ? _priority : _normal,
    };
}
