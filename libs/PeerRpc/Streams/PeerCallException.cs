namespace Cluster.PeerRpc.Streams;

/// <summary>Another peer answered a call with an error.</summary>
public sealed class PeerCallException(string message, CallErrorKind kind) : Exception(message)
{
    /// <summary>Who is to blame; a peer that does not trust us is left out of aggregated answers (peer-rpc §1).</summary>
    public CallErrorKind Kind { get; } = kind;
}
