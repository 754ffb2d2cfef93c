namespace Cluster.Model;

/// <summary>Status of one CID on one peer; the numbers are bits of a filter (spec/rest-api.md 5.4).</summary>
[Flags]
public enum TrackerStatus
{
    /// <summary>Never for healthy items; as a filter: everything.</summary>
    Undefined = 0,

    /// <summary>The peer could not be asked, or could not read its state or ask its daemon.</summary>
    ClusterError = 1 << 1,
    PinError = 1 << 2,
    UnpinError = 1 << 3,
    Pinned = 1 << 4,
    Pinning = 1 << 5,
    Unpinning = 1 << 6,

    /// <summary>Not in the pinset.</summary>
    Unpinned = 1 << 7,

    /// <summary>In the pinset, allocated to others.</summary>
    Remote = 1 << 8,
    PinQueued = 1 << 9,
    UnpinQueued = 1 << 10,

    /// <summary>A meta pin, never pinned itself.</summary>
    Sharded = 1 << 11,

    /// <summary>Should be pinned, is not, and nothing is under way.</summary>
    UnexpectedlyUnpinned = 1 << 12,

    /// <summary>Filter only; does not include <see cref="UnexpectedlyUnpinned"/>.</summary>
    Error = ClusterError | PinError | UnpinError,

    /// <summary>Filter only.</summary>
    Queued = PinQueued | UnpinQueued,
}

/// <summary>Names and filters of <see cref="TrackerStatus"/>.</summary>
public static class TrackerStatuses
{
    // In ascending order of the bits, groups after their members: the order in which a mask is printed.
    private static readonly (string Name, TrackerStatus Status)[] Names =
    [
        ("cluster_error", TrackerStatus.ClusterError),
        ("pin_error", TrackerStatus.PinError),
        ("unpin_error", TrackerStatus.UnpinError),
        ("error", TrackerStatus.Error),
        ("pinned", TrackerStatus.Pinned),
        ("pinning", TrackerStatus.Pinning),
        ("unpinning", TrackerStatus.Unpinning),
        ("unpinned", TrackerStatus.Unpinned),
        ("remote", TrackerStatus.Remote),
        ("pin_queued", TrackerStatus.PinQueued),
        ("unpin_queued", TrackerStatus.UnpinQueued),
        ("queued", TrackerStatus.Queued),
        ("sharded", TrackerStatus.Sharded),
        ("unexpectedly_unpinned", TrackerStatus.UnexpectedlyUnpinned),
    ];

    /// <summary>
    /// The name of a status or group; any other mask prints, comma-joined, every name that shares a bit with it. The original prints
    /// these in random order, this one in a fixed order.
    /// </summary>
    public static string ToText(this TrackerStatus status)
    {
        switch (status)
        {
            case TrackerStatus.Undefined: return "undefined";
            case TrackerStatus.ClusterError: return "cluster_error";
            case TrackerStatus.PinError: return "pin_error";
            case TrackerStatus.UnpinError: return "unpin_error";
            case TrackerStatus.Error: return "error";
            case TrackerStatus.Pinned: return "pinned";
            case TrackerStatus.Pinning: return "pinning";
            case TrackerStatus.Unpinning: return "unpinning";
            case TrackerStatus.Unpinned: return "unpinned";
            case TrackerStatus.Remote: return "remote";
            case TrackerStatus.PinQueued: return "pin_queued";
            case TrackerStatus.UnpinQueued: return "unpin_queued";
            case TrackerStatus.Queued: return "queued";
            case TrackerStatus.Sharded: return "sharded";
            case TrackerStatus.UnexpectedlyUnpinned: return "unexpectedly_unpinned";
            default: return string.Join(',', Names.Where(n => (n.Status & status) != 0).Select(n => n.Name));
        }
    }

    /// <summary>
    /// The filter as a comma list that reads back as exactly these bits: unlike <see cref="ToText"/>, no group is named that goes beyond
    /// them. Empty for everything.
    /// </summary>
    public static string ToFilterText(this TrackerStatus filter)
    {
        foreach (var (name, status) in Names)
        {
            if (status == filter)
                return name;
        }

        return string.Join(',', Names.Where(n => int.IsPow2((int)n.Status) && (n.Status & filter) != 0).Select(n => n.Name));
    }

    /// <summary>The bits of a comma list of names; spaces count for nothing, unknown names neither; 0 when nothing is known.</summary>
    public static TrackerStatus Parse(ReadOnlySpan<char> filter)
    {
        if (filter.Contains(' '))
            filter = filter.ToString().Replace(" ", string.Empty, StringComparison.Ordinal);
        var status = TrackerStatus.Undefined;
        foreach (var range in filter.Split(','))
        {
            foreach (var (name, known) in Names)
            {
                if (filter[range].SequenceEqual(name))
                {
                    status |= known;
                    break;
                }
            }
        }

        return status;
    }

    /// <summary>Reads a filter; false when it is not empty and no name of it is known (<c>invalid filter value</c>).</summary>
    public static bool TryParseFilter(ReadOnlySpan<char> filter, out TrackerStatus status)
    {
        status = Parse(filter);
        return status != TrackerStatus.Undefined || filter.IsEmpty;
    }

    /// <summary>Whether a status passes a filter: they share a bit, or one of them is <see cref="TrackerStatus.Undefined"/>.</summary>
    public static bool Matches(this TrackerStatus status, TrackerStatus filter) =>
        status == TrackerStatus.Undefined || filter == TrackerStatus.Undefined || (status & filter) != 0;
}
