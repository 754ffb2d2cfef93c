namespace Libp2p;

/// <summary>The other side does not speak multistream-select, or not correctly.</summary>
public sealed class NegotiationException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>The other side supports none of the proposed protocols.</summary>
public sealed class ProtocolNotSupportedException(IReadOnlyList<string> protocols)
    : IOException($"The peer supports none of the protocols {string.Join(", ", protocols)}.")
{
    /// <summary>What was proposed, in order.</summary>
    public IReadOnlyList<string> Protocols { get; } = protocols;
}
