namespace Libp2p;

/// <summary>A connection could not be secured.</summary>
public class HandshakeException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>Another peer than the dialled one answered.</summary>
public sealed class PeerMismatchException(PeerId expected, PeerId actual)
    : HandshakeException($"Dialled peer {expected}, but peer {actual} answered at this address.")
{
    /// <summary>The peer that was dialled.</summary>
    public PeerId Expected { get; } = expected;

    /// <summary>The peer that answered.</summary>
    public PeerId Actual { get; } = actual;
}
