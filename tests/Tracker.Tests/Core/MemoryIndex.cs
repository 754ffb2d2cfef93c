using System.Diagnostics.CodeAnalysis;
using Cluster.Tracker.Core;
using Ipld;

namespace Cluster.Tracker.Tests.Core;

/// <summary>The index without a disk, which checks what it is told.</summary>
internal sealed class MemoryIndex : IPinIndex
{
    private readonly SortedDictionary<Cid, TrackedPin> _rows = [];

    public IReadOnlyCollection<TrackedPin> Rows => _rows.Values;

    public DateTimeOffset? NextRetry => _rows.Values.Where(r => r.RetryAt is not null).Min(r => r.RetryAt);

    public bool TryGet(Cid cid, [NotNullWhen(true)] out TrackedPin? pin) => _rows.TryGetValue(cid, out pin);

    public void Replace(TrackedPin? before, TrackedPin? after)
    {
        var cid = (after ?? before)?.Cid ?? default;
        if (!cid.IsDefined)
            return;
        _rows.TryGetValue(cid, out var present);
        Assert.Equal(present, before);
        if (after is null)
        {
            _rows.Remove(cid);
            return;
        }

        Assert.False(after.State is PinState.Pinning or PinState.Unpinning or PinState.Unpinned);
        _rows[cid] = after;
    }

    public long Count(PinState state) => _rows.Values.Count(r => r.State == state);

    public IReadOnlyList<TrackedPin> DueForRetry(DateTimeOffset now, int limit) =>
        [.. _rows.Values.Where(r => r.RetryAt <= now).OrderBy(r => r.RetryAt).Take(limit)];

    public IReadOnlyList<TrackedPin> Page(Cid? after, int limit) =>
        [.. _rows.Values.Where(r => after is null || r.Cid > after).Take(limit)];

    public IReadOnlyList<TrackedPin> Page(PinState state, Cid? after, int limit) =>
        [.. _rows.Values.Where(r => r.State == state && (after is null || r.Cid > after)).Take(limit)];
}
