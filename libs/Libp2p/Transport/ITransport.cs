namespace Libp2p;

/// <summary>A way to reach other hosts, beneath security and multiplexing.</summary>
public interface ITransport
{
    /// <summary>Whether addresses of this form can be dialled.</summary>
    bool CanDial(Multiaddr address);

    /// <summary>Whether addresses of this form can be listened on.</summary>
    bool CanListen(Multiaddr address);

    /// <summary>Connects.</summary>
    /// <exception cref="TransportException">The other side cannot be reached; the kind says why.</exception>
    Task<RawConnection> DialAsync(Multiaddr address, CancellationToken cancellationToken);

    /// <summary>Starts to listen.</summary>
    /// <exception cref="TransportException">The address cannot be listened on.</exception>
    Task<ITransportListener> ListenAsync(Multiaddr address, CancellationToken cancellationToken);
}

/// <summary>An address that is listened on; disposing it stops that.</summary>
public interface ITransportListener : IAsyncDisposable
{
    /// <summary>The address in use, with the port the system chose if none was asked for.</summary>
    Multiaddr Address { get; }

    /// <summary>The next connection; null when the listener was disposed.</summary>
    Task<RawConnection?> AcceptAsync(CancellationToken cancellationToken);
}

/// <summary>A connection as the transport made it: a stream of bytes, neither authenticated nor encrypted.</summary>
/// <param name="Stream">The bytes.</param>
/// <param name="Local">This side's address.</param>
/// <param name="Remote">The other side's address.</param>
public sealed record RawConnection(Stream Stream, Multiaddr Local, Multiaddr Remote);

/// <summary>Why a transport did not connect.</summary>
public enum TransportFailure
{
    /// <summary>Nobody listens there.</summary>
    Refused,

    /// <summary>No way leads there.</summary>
    Unreachable,

    /// <summary>No answer came in time.</summary>
    TimedOut,

    /// <summary>The address is in use, not of this machine, or not permitted.</summary>
    AddressUnavailable,

    /// <summary>Anything else.</summary>
    Other,
}

/// <summary>A transport could not connect or listen.</summary>
public sealed class TransportException(TransportFailure failure, string message, Exception? inner = null) : IOException(message, inner)
{
    /// <summary>What went wrong.</summary>
    public TransportFailure Failure { get; } = failure;
}
