using Ipld;

namespace Cluster.Tracker.Core;

/// <summary>What an operation asks of the daemon.</summary>
public enum OperationKind : byte
{
    Pin,
    Unpin,

    /// <summary>Unpin what others hold from now on; the item stays `remote` whatever comes of it.</summary>
    Release,
}

/// <summary>An operation that waits or runs. There is at most one for each CID that is not cancelled.</summary>
internal sealed class Operation(ulong id, OperationKind kind, Cid cid)
{
    public ulong Id { get; } = id;

    public OperationKind Kind { get; } = kind;

    public Cid Cid { get; } = cid;

    public bool Priority { get; set; }

    public bool Running { get; set; }

    /// <summary>Tries, the running one included.</summary>
    public int Attempts { get; set; }

    public DateTimeOffset Since { get; set; }

    /// <summary>Depth that the running request was sent with.</summary>
    public int StartedDepth { get; set; }

    /// <summary>The options changed while the request ran: once more when it ends.</summary>
    public bool Again { get; set; }

    /// <summary>Cancelled requests end somewhen; until then the CID belongs to them.</summary>
    public bool Cancelled { get; set; }

    /// <summary>Not yet in a queue: a cancelled request on the same CID has not ended.</summary>
    public bool Waiting { get; set; }

    /// <summary>It once was <see cref="Waiting"/>: what the daemon was seen to have meanwhile, that request may have taken away since.</summary>
    public bool HasWaited { get; set; }

    /// <summary>Times the connector gave the request back undone.</summary>
    public int Returned { get; set; }
}

/// <summary>What the tracker wants done.</summary>
public abstract record TrackerAction(ulong Id);

/// <summary>Pin in the daemon.</summary>
public sealed record StartPin(ulong Id, TrackedPin Pin) : TrackerAction(Id);

/// <summary>Unpin in the daemon.</summary>
public sealed record StartUnpin(ulong Id, Cid Cid) : TrackerAction(Id);

/// <summary>End the request of this id; its end is still to be reported.</summary>
public sealed record CancelOperation(ulong Id) : TrackerAction(Id);

/// <summary>Status of one CID, derived.</summary>
/// <param name="State">As a user sees it.</param>
/// <param name="Since">When the state was entered.</param>
/// <param name="Pin">The row of the index; null when the CID is unknown.</param>
public readonly record struct PinView(PinState State, DateTimeOffset Since, int Attempts, bool Priority, string Error, TrackedPin? Pin);

/// <summary>How many operations wait and run.</summary>
public readonly record struct QueueCounts(int PriorityQueued, int NormalQueued, int UnpinQueued, int Pinning, int Unpinning, int Releasing);
