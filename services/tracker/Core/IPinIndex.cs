using System.Diagnostics.CodeAnalysis;
using Ipld;

namespace Cluster.Tracker.Core;

/// <summary>The durable half of the tracker's state. What has been written is read back at once; it becomes durable in batches.</summary>
public interface IPinIndex
{
    bool TryGet(Cid cid, [NotNullWhen(true)] out TrackedPin? pin);

    /// <summary>Puts <paramref name="after"/> in the place of <paramref name="before"/>; null is "no such item".</summary>
    void Replace(TrackedPin? before, TrackedPin? after);

    long Count(PinState state);

    /// <summary>When the next item wants to be tried again; null when none waits.</summary>
    DateTimeOffset? NextRetry { get; }

    /// <summary>The first items whose time to be tried again has come, longest waiting first.</summary>
    IReadOnlyList<TrackedPin> DueForRetry(DateTimeOffset now, int limit);

    /// <summary>Up to <paramref name="limit"/> items after the given CID (from the first when null), in the order of the CIDs.</summary>
    IReadOnlyList<TrackedPin> Page(Cid? after, int limit);

    /// <summary>The same, of one state only.</summary>
    IReadOnlyList<TrackedPin> Page(PinState state, Cid? after, int limit);
}
