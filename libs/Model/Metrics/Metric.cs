using Libp2p;

namespace Cluster.Model;

/// <summary>A value that a peer publishes about itself for a limited time (spec/behaviour.md 17, 18).</summary>
public sealed record Metric
{
    /// <summary>For example <c>ping</c>, <c>freespace</c>, <c>tag:group</c>.</summary>
    public string Name { get; init; } = string.Empty;

    public PeerId Peer { get; init; }

    public string Value { get; init; } = string.Empty;

    /// <summary>Unix nanoseconds; 0 has expired.</summary>
    public long Expire { get; init; }

    public bool Valid { get; init; }

    /// <summary>Allocations prefer greater weights.</summary>
    public long Weight { get; init; }

    /// <summary>Whether the allocator spreads pins evenly over the metric's values.</summary>
    public bool Partitionable { get; init; }

    /// <summary>Unix nanoseconds, set by the receiver.</summary>
    public long ReceivedAt { get; init; }

    public bool IsExpired(GoTime now) => now.UnixNanoseconds > Expire;

    /// <summary>Not valid, or expired.</summary>
    public bool IsDiscarded(GoTime now) => !Valid || IsExpired(now);
}

/// <summary>A metric that expired, and when that was noticed.</summary>
public sealed record Alert(Metric Metric, GoTime TriggeredAt);
