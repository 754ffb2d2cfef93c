namespace Cluster.Tracker.State;

/// <summary>Lets callers wait until a change of the pinset has been handled.</summary>
public sealed class SequenceGate
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<TaskCompletionSource, ulong> _waiting = new();
    private ulong _reached;

    /// <summary>The last change that was handled.</summary>
    public ulong Reached => Volatile.Read(ref _reached);

    /// <summary>A number has been reached; it may be smaller than before when the pinset began another life.</summary>
    public void Reach(ulong sequence)
    {
        lock (_lock)
        {
            Volatile.Write(ref _reached, sequence);
            while (_waiting.TryPeek(out _, out var wanted) && wanted <= sequence)
                _waiting.Dequeue().TrySetResult();
        }
    }

    /// <summary>Completes when the number has been reached.</summary>
    public ValueTask WaitAsync(ulong sequence, CancellationToken cancellation)
    {
        if (sequence <= Reached)
            return ValueTask.CompletedTask;
        lock (_lock)
        {
            if (sequence <= _reached)
                return ValueTask.CompletedTask;
            var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(waiter, sequence);
            return new ValueTask(waiter.Task.WaitAsync(cancellation));
        }
    }
}
