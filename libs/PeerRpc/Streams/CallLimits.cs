namespace Cluster.PeerRpc.Streams;

/// <summary>How long the parts of a call may take. Whole calls are bounded by their methods.</summary>
public sealed record CallLimits
{
    /// <summary>From the stream's start until the request is there: service, method and the only argument. Seconds are plenty, for the
    /// caller sends them in one piece.</summary>
    public TimeSpan Request { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A reader that takes nothing for so long has failed.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Clock and timers.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
