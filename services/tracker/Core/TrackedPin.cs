using Ipld;

namespace Cluster.Tracker.Core;

/// <summary>One CID that this peer holds, should hold, must still unpin, or knows to be held by others. A row of the index.</summary>
public sealed record TrackedPin
{
    public required Cid Cid { get; init; }

    /// <summary>Never <see cref="PinState.Pinning"/>, <see cref="PinState.Unpinning"/> or <see cref="PinState.Unpinned"/>.</summary>
    public required PinState State { get; init; }

    /// <summary>When the state was entered.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Tries of the present operation so far; 0 when settled.</summary>
    public int Attempts { get; init; }

    /// <summary>Whether the operation waited, or failed, as a priority pin.</summary>
    public bool Priority { get; init; }

    /// <summary>Why the last try failed; empty otherwise.</summary>
    public string Error { get; init; } = string.Empty;

    /// <summary>When a failed operation is queued again by itself.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>The last try failed because the daemon did not answer.</summary>
    public bool DaemonAway { get; init; }

    /// <summary>A remote item, or a meta pin, which the daemon may still hold.</summary>
    public bool MayHold { get; init; }

    /// <summary>Number of the last snapshot of the pinset in which the item was seen, for the sweep.</summary>
    public uint Generation { get; init; }

    public PinKind Kind { get; init; } = PinKind.Data;

    /// <summary>-1 recursive, 0 direct, more: levels.</summary>
    public int MaxDepth { get; init; } = -1;

    /// <summary>Source of an update, whose blocks the daemon may reuse.</summary>
    public Cid? PinUpdate { get; init; }

    /// <summary>When the pin was submitted.</summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>What else a status shows and a pin needs, encoded; opaque here.</summary>
    public ReadOnlyMemory<byte> Details { get; init; }

    /// <summary>Whether the item is part of the pinset (and not only still to be unpinned).</summary>
    public bool InPinset => State is not (PinState.UnpinQueued or PinState.UnpinError);

    /// <summary>Whether the daemon's word decides between pinned and unexpectedly unpinned.</summary>
    public bool IsSettledHere => State is PinState.Pinned or PinState.UnexpectedlyUnpinned;

    /// <summary>Whether a pin of this kind in the daemon satisfies the item: recursive by recursive, direct by direct (16.2).</summary>
    public bool IsSatisfiedBy(DaemonPinKind kind) => kind == (MaxDepth == 0 ? DaemonPinKind.Direct : DaemonPinKind.Recursive);
}

/// <summary>An entry of the pinset as it concerns this peer.</summary>
public sealed record WantedPin
{
    public required Cid Cid { get; init; }

    public PinKind Kind { get; init; } = PinKind.Data;

    /// <summary>Allocated to this peer, or to be held everywhere.</summary>
    public required bool HeldHere { get; init; }

    public int MaxDepth { get; init; } = -1;

    public Cid? PinUpdate { get; init; }

    public required DateTimeOffset Created { get; init; }

    public ReadOnlyMemory<byte> Details { get; init; }
}
