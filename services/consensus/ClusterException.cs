namespace Cluster.Consensus;

/// <summary>Why a request cannot be fulfilled; each kind is one gRPC status.</summary>
public enum ClusterErrorKind
{
    /// <summary>The request itself is wrong.</summary>
    InvalidArgument,

    /// <summary>What it is about does not exist.</summary>
    NotFound,

    /// <summary>Not in the present state of the peer or the pin.</summary>
    FailedPrecondition,

    /// <summary>Too few peers, or too much is waiting.</summary>
    ResourceExhausted,

    /// <summary>A part of the peer is not there right now; retry.</summary>
    Unavailable,

    /// <summary>The other peer does not trust this one: it is left out of what many peers answer together.</summary>
    NotTrusted,

    /// <summary>Not with this kind of consensus.</summary>
    Unimplemented,

    /// <summary>Something broke (the disk, the daemon).</summary>
    Internal,
}

/// <summary>A refusal or failure with the text that users get.</summary>
public sealed class ClusterException : Exception
{
    /// <summary>An internal error.</summary>
    public ClusterException()
        : this(ClusterErrorKind.Internal, "internal error")
    {
    }

    /// <summary>An internal error.</summary>
    public ClusterException(string message)
        : this(ClusterErrorKind.Internal, message)
    {
    }

    /// <summary>An internal error with its cause.</summary>
    public ClusterException(string message, Exception innerException)
        : this(ClusterErrorKind.Internal, message, innerException)
    {
    }

    /// <summary>An error of a kind.</summary>
    public ClusterException(ClusterErrorKind kind, string message, Exception? innerException = null)
        : base(message, innerException) => Kind = kind;

    /// <summary>What sort of refusal this is.</summary>
    public ClusterErrorKind Kind { get; }
}
