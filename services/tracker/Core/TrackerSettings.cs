namespace Cluster.Tracker.Core;

/// <summary>Numbers that steer the queues (spec/config.md 3.7, spec/behaviour.md 13).</summary>
public sealed record TrackerSettings
{
    /// <summary>Pins at a time, and as many unpins.</summary>
    public int ConcurrentPins { get; init; } = 10;

    /// <summary>Items that each queue takes.</summary>
    public int MaxPinQueueSize { get; init; } = 1_000_000;

    /// <summary>A pin older than this waits in the normal queue.</summary>
    public TimeSpan PriorityPinMaxAge { get; init; } = TimeSpan.FromHours(24);

    /// <summary>A pin that failed more often waits in the normal queue.</summary>
    public int PriorityPinMaxRetries { get; init; } = 5;

    /// <summary>The longest a failed operation waits to be tried again.</summary>
    public TimeSpan PinRecoverInterval { get; init; } = TimeSpan.FromMinutes(12);

    /// <summary>Of so many pins that start, one comes from the normal queue when something waits there.</summary>
    public int PriorityShare { get; init; } = 8;

    /// <summary>
    /// How long after the daemon came back those operations wait that failed for its absence. A user who restarts the daemon and
    /// calls `recover` still finds them failed, as v1.1.6 would have it (recorded: http/rest/ipfs-down).
    /// </summary>
    public TimeSpan HealDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an operation waits for the end of a cancelled one on the same CID.</summary>
    public TimeSpan CancelGrace { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// In a snapshot of the pinset the first so many unknown pins are queued at once; those beyond it are marked lost and left to the
    /// comparison with the daemon's own pins, which costs one listing instead of one question a pin.
    /// </summary>
    public int QueuedPerSnapshot { get; init; } = 1000;

    /// <summary>
    /// Wait before try number <paramref name="attempts"/> + 1: a quarter of the recover interval, doubled with each failure up to the
    /// interval itself. So nothing is tried more seldom than v1.1.6 does, and what fails once heals sooner.
    /// </summary>
    public TimeSpan Backoff(int attempts)
    {
        var doublings = Math.Clamp(attempts - 1, 0, 2);
        var wait = PinRecoverInterval.Ticks / 4 * (1L << doublings);
        return TimeSpan.FromTicks(Math.Max(1, Math.Min(wait, PinRecoverInterval.Ticks)));
    }
}
