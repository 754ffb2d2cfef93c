namespace Cluster.PinState.Changes;

/// <summary>
/// The last changes in memory, so that who follows closely needs no disk; bounded in number and bytes, the oldest go first. Also the
/// bell that wakes those who wait for the next one.
/// </summary>
internal sealed class RecentChanges
{
    private const int MaxChanges = 8192;
    private const long MaxBytes = 2 << 20;

    private readonly Lock _lock = new();
    private readonly StateChange[] _ring = new StateChange[MaxChanges];
    private int _head;
    private int _count;
    private long _bytes;
    private ulong _last;
    private TaskCompletionSource _next = NewBell();

    internal RecentChanges(ulong last) => _last = last;

    internal void Publish(ReadOnlySpan<StateChange> changes, ulong last)
    {
        TaskCompletionSource rung;
        lock (_lock)
        {
            foreach (var change in changes)
            {
                if (_count == MaxChanges)
                    DropOldest();
                _ring[(_head + _count++) % MaxChanges] = change;
                _bytes += change.Record.Length;
            }

            while (_bytes > MaxBytes)
                DropOldest();
            _last = last;
            rung = _next;
            _next = NewBell();
        }

        rung.SetResult();
    }

    /// <summary>After a replacement of the state: nothing that was remembered holds any more.</summary>
    internal void Restart(ulong last)
    {
        TaskCompletionSource rung;
        lock (_lock)
        {
            Array.Clear(_ring);
            _count = 0;
            _bytes = 0;
            _last = last;
            rung = _next;
            _next = NewBell();
        }

        rung.SetResult();
    }

    /// <summary>Adds what follows a number; false when it has been forgotten and must come from the disk.</summary>
    internal bool TryRead(ulong after, int maxChanges, int maxBytes, List<StateChange> into)
    {
        lock (_lock)
        {
            if (after >= _last)
                return true;
            // Numbers follow each other without gaps, so the place of one is known.
            if (_count == 0 || _ring[_head].Sequence > after + 1)
                return false;
            var bytes = 0;
            for (var i = (int)(after + 1 - _ring[_head].Sequence); i < _count; i++)
            {
                ref readonly var change = ref _ring[(_head + i) % MaxChanges];
                if (into.Count == maxChanges || (into.Count > 0 && bytes + change.Record.Length > maxBytes))
                    break;
                bytes += change.Record.Length;
                into.Add(change);
            }

            return true;
        }
    }

    /// <summary>Completes when a change after the number exists, or the state was replaced.</summary>
    internal Task WaitAsync(ulong after, CancellationToken cancellationToken)
    {
        lock (_lock)
            return _last > after ? Task.CompletedTask : _next.Task.WaitAsync(cancellationToken);
    }

    private void DropOldest()
    {
        _bytes -= _ring[_head].Record.Length;
        _ring[_head] = default;
        _head = (_head + 1) % MaxChanges;
        _count--;
    }

    private static TaskCompletionSource NewBell() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
