using System.Threading.Tasks.Sources;

namespace Libp2p.Muxing;

/// <summary>
/// Wakes one waiter. A set signal stays set until it is waited for once. Waiting allocates nothing. At most one waiter at a time.
/// </summary>
internal sealed class AsyncSignal : IValueTaskSource
{
    private readonly Lock gate = new();
    private ManualResetValueTaskSourceCore<bool> source = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration registration;
    private bool set;
    private bool waiting;

    public void Set()
    {
        lock (gate)
        {
            if (!waiting)
            {
                set = true;
                return;
            }
            waiting = false;
        }
        source.SetResult(true);
    }

    public ValueTask WaitAsync(CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            if (set)
            {
                set = false;
                return default;
            }
            if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
            if (waiting) throw new InvalidOperationException("Two calls wait at the same time; a stream has one reader and one writer.");
            waiting = true;
            source.Reset();
        }
        if (cancellationToken.CanBeCanceled)
            registration = cancellationToken.UnsafeRegister(static (state, token) => ((AsyncSignal)state!).Cancel(token), this);
        return new ValueTask(this, source.Version);
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (!waiting) return;
            waiting = false;
        }
        source.SetException(new OperationCanceledException(cancellationToken));
    }

    void IValueTaskSource.GetResult(short token)
    {
        registration.Dispose();
        registration = default;
        source.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);
}
