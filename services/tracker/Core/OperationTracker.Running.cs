using System.Diagnostics.CodeAnalysis;
using Ipld;

namespace Cluster.Tracker.Core;

/// <summary>How a request to the daemon failed.</summary>
public enum FailureKind
{
    /// <summary>The daemon refused, or gave up.</summary>
    Refused,

    /// <summary>The daemon does not answer.</summary>
    DaemonAway,

    /// <summary>The connector gave the request back undone, though nobody cancelled it.</summary>
    Returned,
}

public sealed partial class OperationTracker
{
    // A connector that stops gives its requests back; one that does so again and again has a fault that the user must see.
    private const int MaxReturns = 3;

    /// <summary>The connector takes requests from now on.</summary>
    public void Connected(DateTimeOffset now)
    {
        _connected = true;
        Pump(now);
    }

    /// <summary>The connection to the connector is gone, and with it every running request: they wait again, at the head, uncounted.</summary>
    public void Disconnected()
    {
        _connected = false;
        foreach (var operation in _running.Values.OrderByDescending(o => o.Id).ToArray())
        {
            End(operation);
            if (!operation.Cancelled)
                TakeBack(operation).EnqueueFirst(operation);
        }
    }

    /// <summary>A request succeeded.</summary>
    public void Completed(ulong id, DateTimeOffset now)
    {
        if (!TryGetRunning(id, out var operation))
            return;
        End(operation);
        if (!operation.Cancelled)
            Settle(operation, now);
        Pump(now);
    }

    /// <summary>A request failed.</summary>
    public void Failed(ulong id, string error, FailureKind kind, DateTimeOffset now)
    {
        if (!TryGetRunning(id, out var operation))
            return;
        End(operation);
        if (operation.Cancelled)
        {
            // Its end was all that mattered.
        }
        else if (kind == FailureKind.Returned && ++operation.Returned <= MaxReturns)
        {
            TakeBack(operation).Enqueue(operation);
        }
        else if (operation.Again)
        {
            operation.Again = false;
            operation.Running = false;
            QueueOf(operation).Enqueue(operation);
        }
        else
        {
            Fail(operation, error, kind, now);
        }

        Pump(now);
    }

    private void Settle(Operation operation, DateTimeOffset now)
    {
        if (operation.Again)
        {
            operation.Again = false;
            operation.Running = false;
            QueueOf(operation).Enqueue(operation);
            return;
        }

        Forget(operation);
        if (!index.TryGet(operation.Cid, out var pin))
            return;
        switch (operation.Kind)
        {
            case OperationKind.Pin:
                index.Replace(pin, Done(pin, now));
                break;
            case OperationKind.Unpin:
                index.Replace(pin, null);
                break;
            case OperationKind.Release:
                index.Replace(pin, pin with { MayHold = false, RetryAt = null, Attempts = 0, Error = string.Empty, DaemonAway = false });
                break;
        }
    }

    private void Fail(Operation operation, string error, FailureKind kind, DateTimeOffset now)
    {
        Forget(operation);
        if (!index.TryGet(operation.Cid, out var pin))
            return;
        var failed = pin with
        {
            State = pin.State switch
            {
                PinState.PinQueued => PinState.PinError,
                PinState.UnpinQueued => PinState.UnpinError,
                var other => other,
            },
            Attempts = operation.Attempts,
            Priority = operation.Priority,
            Error = error,
            RetryAt = now + settings.Backoff(operation.Attempts),
            DaemonAway = kind == FailureKind.DaemonAway,
        };
        // A remote item stays as it is, with the error (13.2).
        index.Replace(pin, operation.Kind == OperationKind.Release ? failed : failed with { Since = now });
    }

    private void Forget(Operation operation)
    {
        _byCid.Remove(operation.Cid);
        // After a burst: the room for a million operations is not needed for none.
        if (_byCid.Count == 0 && _byCid.Capacity > 8192)
            _byCid.TrimExcess();
    }

    /// <summary>Makes a running operation one that waits; the try does not count.</summary>
    private OperationQueue TakeBack(Operation operation)
    {
        operation.Running = false;
        operation.Again = false;
        operation.Attempts--;
        return QueueOf(operation);
    }

    /// <summary>A request has ended, one way or another: its place is free, and so is its CID.</summary>
    private void End(Operation operation)
    {
        _running.Remove(operation.Id);
        _runningOf[(int)operation.Kind]--;
        if (!operation.Cancelled)
            return;
        _ending.Remove(operation.Cid);
        if (_byCid.TryGetValue(operation.Cid, out var next) && next.Waiting)
        {
            next.Waiting = false;
            QueueOf(next).EnqueueFirst(next);
        }
    }

    private void Pump(DateTimeOffset now)
    {
        if (!_connected)
            return;
        while (_runningOf[(int)OperationKind.Pin] < settings.ConcurrentPins && TryNextPin(out var pin))
            Start(pin, now);
        while (_runningOf[(int)OperationKind.Unpin] < settings.ConcurrentPins && _unpins.TryDequeue(out var unpin))
            Start(unpin, now);
        while (_runningOf[(int)OperationKind.Release] < settings.ConcurrentPins && _releases.TryDequeue(out var release))
            Start(release, now);
    }

    /// <summary>Priority pins first, but every so often the normal queue has its turn: v1.1.6 lets it starve.</summary>
    private bool TryNextPin(out Operation operation)
    {
        if (_normal.Count > 0 && (_priority.Count == 0 || _sinceNormal >= settings.PriorityShare - 1))
        {
            _sinceNormal = 0;
            return _normal.TryDequeue(out operation);
        }

        _sinceNormal++;
        return _priority.TryDequeue(out operation);
    }

    private void Start(Operation operation, DateTimeOffset now)
    {
        if (!index.TryGet(operation.Cid, out var pin))
        {
            _byCid.Remove(operation.Cid);
            return;
        }

        operation.Running = true;
        operation.Attempts++;
        operation.Since = now;
        operation.StartedDepth = pin.MaxDepth;
        _running.Add(operation.Id, operation);
        _runningOf[(int)operation.Kind]++;
        _actions.Add(operation.Kind == OperationKind.Pin ? new StartPin(operation.Id, pin) : new StartUnpin(operation.Id, operation.Cid));
    }

    private bool TryGetRunning(ulong id, [NotNullWhen(true)] out Operation? operation) => _running.TryGetValue(id, out operation);
}
