using Ipld;

namespace KuboRpc;

/// <summary>How the daemon holds a CID.</summary>
public enum DaemonPinKind
{
    /// <summary>Not pinned (in the way asked for).</summary>
    Unpinned,

    /// <summary>With everything below it.</summary>
    Recursive,

    /// <summary>The one block.</summary>
    Direct,

    /// <summary>As a part of what is pinned recursively.</summary>
    Indirect,

    /// <summary>In a way that this program does not know.</summary>
    Unknown,
}

/// <summary>A pin of the daemon.</summary>
public readonly record struct DaemonPin(Cid Cid, DaemonPinKind Kind);

/// <summary>What to pin.</summary>
public sealed record DaemonPinRequest
{
    /// <summary>The content.</summary>
    public required Cid Cid { get; init; }

    /// <summary>-1 everything, 0 the one block, above 0 so many levels.</summary>
    public int MaxDepth { get; init; } = -1;

    /// <summary>Multiaddresses where the content is; the first ten are connected to.</summary>
    public IReadOnlyList<string> Origins { get; init; } = [];

    /// <summary>A CID pinned before that shares much with this one, or null.</summary>
    public Cid? UpdateFrom { get; init; }
}

/// <summary>How far a pin is.</summary>
/// <param name="Nodes">Nodes fetched.</param>
/// <param name="Bytes">Bytes fetched; 0 when the daemon does not tell.</param>
public readonly record struct DaemonPinProgress(long Nodes, long Bytes);

/// <summary>What pinning took.</summary>
public enum DaemonPinOutcome
{
    /// <summary>Nothing: it was pinned so.</summary>
    AlreadyPinned,

    /// <summary><c>pin/update</c>.</summary>
    Updated,

    /// <summary><c>pin/add</c>.</summary>
    Added,
}
