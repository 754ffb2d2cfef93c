namespace Cluster.Tracker.Core;

/// <summary>
/// What the tracker knows of one CID (spec/behaviour.md 1.3 and 13). The numbers are written to disk; do not renumber.
/// <see cref="Pinning"/> and <see cref="Unpinning"/> exist in memory only: on disk such an item is still queued, so that a killed
/// process takes it up again.
/// </summary>
public enum PinState : byte
{
    /// <summary>Neither in the pinset nor waiting to be unpinned.</summary>
    Unpinned = 0,
    Pinned = 1,
    PinQueued = 2,
    PinError = 3,
    UnpinQueued = 4,
    UnpinError = 5,

    /// <summary>In the pinset, to be held by others.</summary>
    Remote = 6,

    /// <summary>A meta pin, which is never pinned itself.</summary>
    Sharded = 7,
    UnexpectedlyUnpinned = 8,
    Pinning = 9,
    Unpinning = 10,
}

/// <summary>What kind of entry of the pinset an item is.</summary>
public enum PinKind : byte
{
    Data = 1,
    Meta = 2,
    ClusterDag = 3,
    Shard = 4,
}

/// <summary>What the daemon says of one CID.</summary>
public enum DaemonPinKind
{
    Unpinned,
    Recursive,
    Direct,
    Indirect,
}
