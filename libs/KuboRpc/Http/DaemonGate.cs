namespace KuboRpc;

/// <summary>
/// What every request passes before it goes out: open while the daemon answers; after more than ten connection failures in a row
/// it opens once a second, until any answer comes (spec/behaviour.md 16.5). Who does not get through at the next opening learns what came
/// of the request that did: with an answer all go on, without one they are refused, for a crowd of callers must not wait in line for a
/// daemon that is down.
/// </summary>
public sealed class DaemonGate(TimeProvider time)
{
    /// <summary>Failures in a row that are let through at full speed.</summary>
    public const int FailuresAllowed = 10;

    /// <summary>How often the gate opens beyond.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Openings that a caller waits for while those who passed wait for their answers.</summary>
    private const int OpeningsAwaited = 10;

    private readonly Lock _lock = new();
    private TaskCompletionSource _lifted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _nextOpening;
    private int _failures;

    /// <summary>Raised with true when the limit begins (<c>Rate-limiting requests to 1req/s</c>) and with false when it is lifted.</summary>
    public event Action<bool>? LimitChanged;

    /// <summary>Connection failures since the last answer.</summary>
    public int Failures => Volatile.Read(ref _failures);

    /// <summary>Whether requests are let through only once a second.</summary>
    public bool IsLimiting => Failures > FailuresAllowed;

    /// <summary>Why the last request failed.</summary>
    public string LastFailure { get; private set; } = "";

    /// <summary>Whether the caller may send; waits for the next opening and for what comes of it, ten seconds at most.</summary>
    public ValueTask<bool> PassAsync(CancellationToken cancellationToken) =>
        IsLimiting ? WaitAsync(cancellationToken) : ValueTask.FromResult(true);

    /// <summary>An HTTP answer came, whatever its status.</summary>
    public void Answered()
    {
        if (Failures == 0)
            return;
        TaskCompletionSource? lifted = null;
        lock (_lock)
        {
            if (_failures > FailuresAllowed)
            {
                lifted = _lifted;
                _lifted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            _failures = 0;
        }
        if (lifted == null)
            return;
        lifted.SetResult();
        LimitChanged?.Invoke(false);
    }

    /// <summary>A request found no daemon.</summary>
    /// <param name="cause">Why.</param>
    public void Failed(string cause)
    {
        bool begins;
        TaskCompletionSource failed;
        lock (_lock)
        {
            failed = _failed;
            _failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            LastFailure = cause;
            _failures++;
            begins = _failures == FailuresAllowed + 1;
            if (begins)
                _nextOpening = time.GetTimestamp() + Ticks(Interval);
        }
        failed.SetResult();
        if (begins)
            LimitChanged?.Invoke(true);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    private async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        Task lifted;
        TimeSpan wait;
        lock (_lock)
        {
            if (TryPass(out wait))
                return true;
            lifted = _lifted.Task;
        }
        try
        {
            await lifted.WaitAsync(wait, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            // The gate should be open now.
        }

        var (openings, opening) = (0, 0L);
        while (true)
        {
            Task failed;
            lock (_lock)
            {
                if (TryPass(out wait))
                    return true;
                // A timer may wake a little early: then it is still the same opening.
                if (opening != _nextOpening && openings++ == OpeningsAwaited)
                    return !IsLimiting;
                opening = _nextOpening;
                (lifted, failed) = (_lifted.Task, _failed.Task);
            }

            try
            {
                await Task.WhenAny(lifted, failed).WaitAsync(wait, time, cancellationToken);
                return !IsLimiting;
            }
            catch (TimeoutException)
            {
                // Who passed has neither an answer nor a failure: the daemon is slow, as one that has just started.
            }
        }
    }

    private bool TryPass(out TimeSpan wait)
    {
        var now = time.GetTimestamp();
        wait = TimeSpan.Zero;
        if (_failures <= FailuresAllowed)
            return true;
        if (now < _nextOpening)
        {
            // Timers count whole milliseconds, and none would be no wait.
            wait = TimeSpan.FromMilliseconds(Math.Ceiling(time.GetElapsedTime(now, _nextOpening).TotalMilliseconds));
            return false;
        }
        _nextOpening = now + Ticks(Interval);
        return true;
    }
}
