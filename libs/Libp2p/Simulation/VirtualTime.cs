namespace Libp2p.Simulation;

/// <summary>
/// A clock that stands still until it is advanced. Timers fire in order of their due times, on the thread that advances.
/// </summary>
public sealed class VirtualTime : TimeProvider
{
    // Longest real time that work set off by one step may take to settle before the clock goes on.
    private static readonly TimeSpan SettleLimit = TimeSpan.FromMilliseconds(200);

    // Time without any work done that counts as rest: longer than one handshake computes.
    private static readonly TimeSpan QuietTime = TimeSpan.FromMilliseconds(1);

    private readonly Lock gate = new();
    private readonly PriorityQueue<(VirtualTimer Timer, long Version), (long Due, long Order)> queue = new();
    private readonly DateTimeOffset start;
    private long now;
    private long order;

    /// <summary>A clock that begins at the given time.</summary>
    public VirtualTime(DateTimeOffset? start = null) => this.start = start ?? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override long GetTimestamp() => Volatile.Read(ref now);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => start + TimeSpan.FromTicks(GetTimestamp());

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Goes on by a span and fires what is due on the way.</summary>
    public void Advance(TimeSpan span)
    {
        long end = GetTimestamp() + span.Ticks;
        while (Fire(end))
        {
        }
        Volatile.Write(ref now, end);
    }

    /// <summary>Goes on by a span in steps; after each the process may come to rest, so that what one step sets off is done before the next.</summary>
    /// <param name="span">Time to pass.</param>
    /// <param name="step">Length of a step; what falls into one step counts as simultaneous.</param>
    public async Task AdvanceAsync(TimeSpan span, TimeSpan step)
    {
        for (var passed = TimeSpan.Zero; passed < span; passed += step)
        {
            Advance(step < span - passed ? step : span - passed);
            await SettleAsync();
        }
    }

    /// <summary>Waits until the thread pool has nothing to do. Other work in the process delays it, but not for long.</summary>
    public static async Task SettleAsync()
    {
        long began = System.GetTimestamp(), quietSince = began, completed = -1;
        while (System.GetElapsedTime(began) < SettleLimit)
        {
            await Task.Yield();
            // The yield above completes one item itself.
            long seen = ThreadPool.CompletedWorkItemCount;
            if (ThreadPool.PendingWorkItemCount > 0 || seen > completed + 1) quietSince = System.GetTimestamp();
            else if (System.GetElapsedTime(quietSince) > QuietTime) return;
            completed = seen;
            Thread.SpinWait(200);
        }
    }

    private bool Fire(long end)
    {
        VirtualTimer timer;
        lock (gate)
        {
            while (true)
            {
                if (!queue.TryPeek(out var entry, out var priority) || priority.Due > end) return false;
                queue.Dequeue();
                if (entry.Timer.Version != entry.Version) continue;
                Volatile.Write(ref now, Math.Max(now, priority.Due));
                timer = entry.Timer;
                break;
            }
        }
        timer.Fire();
        return true;
    }

    private void Schedule(VirtualTimer timer, TimeSpan dueTime)
    {
        if (dueTime < TimeSpan.Zero) return;
        queue.Enqueue((timer, timer.Version), (now + dueTime.Ticks, order++));
    }

    private sealed class VirtualTimer(VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan period = Timeout.InfiniteTimeSpan;

        public long Version { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.gate)
            {
                Version++;
                this.period = period;
                time.Schedule(this, dueTime);
                return true;
            }
        }

        public void Fire()
        {
            lock (time.gate)
            {
                Version++;
                if (period > TimeSpan.Zero) time.Schedule(this, period);
            }
            callback(state);
        }

        public void Dispose()
        {
            lock (time.gate)
            {
                Version++;
                period = Timeout.InfiniteTimeSpan;
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
