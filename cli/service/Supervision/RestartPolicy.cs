namespace Cluster.Service.Supervision;

/// <summary>
/// When a service that ended is started again: at once the first time, then after pauses that double, while it does not stay up.
/// </summary>
internal sealed class RestartPolicy
{
    /// <summary>A service that ran this long is healthy: its next end counts as the first.</summary>
    public static readonly TimeSpan Healthy = TimeSpan.FromSeconds(10);

    /// <summary>The pause after the second end in a row.</summary>
    public static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Pauses grow no longer.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private int ends;

    /// <summary>The pause before the next start.</summary>
    /// <param name="ran">How long the service ran.</param>
    public TimeSpan NextPause(TimeSpan ran)
    {
        ends = ran >= Healthy ? 1 : ends + 1;
        if (ends == 1)
            return TimeSpan.Zero;
        var pause = ShortestPause * Math.Pow(2, Math.Min(ends - 2, 30));
        return pause < LongestPause ? pause : LongestPause;
    }
}
