namespace Libp2p.Security;

/// <summary>A way to authenticate and encrypt a connection.</summary>
internal interface ISecurityProtocol
{
    /// <summary>Its multistream name.</summary>
    string Id { get; }

    /// <summary>Secures a connection. On failure the caller closes it.</summary>
    /// <param name="raw">The connection beneath.</param>
    /// <param name="initiator">Whether this side dialled.</param>
    /// <param name="expected">The peer that must answer; null accepts any.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="HandshakeException">The other side failed to prove its identity or broke the protocol.</exception>
    Task<SecureChannel> SecureAsync(Stream raw, bool initiator, PeerId? expected, CancellationToken cancellationToken);
}

/// <summary>A secured connection.</summary>
/// <param name="Stream">Plain text above, cipher text beneath.</param>
/// <param name="RemoteKey">The proven identity of the other side.</param>
/// <param name="Muxer">The muxer agreed during the handshake, or null.</param>
internal sealed record SecureChannel(Stream Stream, PublicKey RemoteKey, string? Muxer);
