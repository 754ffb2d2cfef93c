using System.Net;
using System.Net.Sockets;

namespace Libp2p.Transport;

/// <summary>TCP over IPv4 and IPv6.</summary>
public sealed class TcpTransport : ITransport
{
    private const int Backlog = 512;
    private static readonly TimeSpan ExhaustedPause = TimeSpan.FromMilliseconds(200);

    /// <inheritdoc/>
    public bool CanDial(Multiaddr address) => address.TryGetTcpEndPoint(out IPEndPoint? endPoint) && endPoint.Port != 0;

    /// <inheritdoc/>
    public bool CanListen(Multiaddr address) => address.TryGetTcpEndPoint(out _);

    /// <inheritdoc/>
    public async Task<RawConnection> DialAsync(Multiaddr address, CancellationToken cancellationToken)
    {
        if (!address.TryGetTcpEndPoint(out IPEndPoint? endPoint)) throw new ArgumentException($"{address} is no TCP address.", nameof(address));
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken);
            return Wrap(socket);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw Explain(e, address);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<ITransportListener> ListenAsync(Multiaddr address, CancellationToken cancellationToken)
    {
        if (!address.TryGetTcpEndPoint(out IPEndPoint? endPoint)) throw new ArgumentException($"{address} is no TCP address.", nameof(address));
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // The IPv4 port is its own listen address, so :: takes IPv6 alone.
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = false;
            socket.Bind(endPoint);
            socket.Listen(Backlog);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw Explain(e, address);
        }
        return Task.FromResult<ITransportListener>(new Listener(socket));
    }

    private static RawConnection Wrap(Socket socket) => new(
        new NetworkStream(socket, ownsSocket: true),
        Multiaddr.FromEndPoint((IPEndPoint)socket.LocalEndPoint!),
        Multiaddr.FromEndPoint((IPEndPoint)socket.RemoteEndPoint!));

    private static TransportException Explain(SocketException e, Multiaddr address) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => new(TransportFailure.Refused, $"{address} refused the connection: nothing listens there.", e),
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.NetworkDown or SocketError.HostDown =>
            new(TransportFailure.Unreachable, $"{address} cannot be reached: no route leads there.", e),
        SocketError.TimedOut => new(TransportFailure.TimedOut, $"{address} did not answer in time.", e),
        SocketError.AddressAlreadyInUse => new(TransportFailure.AddressUnavailable, $"{address} is in use by another program.", e),
        SocketError.AddressNotAvailable => new(TransportFailure.AddressUnavailable, $"{address} is no address of this machine.", e),
        SocketError.AccessDenied => new(TransportFailure.AddressUnavailable, $"{address} may not be used without further privileges.", e),
        _ => new(TransportFailure.Other, $"{address}: {e.Message}", e),
    };

    /// <summary>
    /// The next connection; null when the listener was closed. A connection that went away while it waited is passed over, and what
    /// the machine lacks for a while (descriptors, memory, a network) is waited for: the kernel keeps those who come, and gives no signal.
    /// </summary>
    internal static async Task<Socket?> NextAsync(Func<CancellationToken, ValueTask<Socket>> accept, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await accept(cancellationToken);
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.OperationAborted)
            {
                return null;
            }
            catch (SocketException e) when (e.SocketErrorCode is not (SocketError.NotSocket or SocketError.InvalidArgument))
            {
                if (e.SocketErrorCode is not (SocketError.ConnectionReset or SocketError.ConnectionAborted)) await Task.Delay(ExhaustedPause, cancellationToken);
            }
        }
    }

    private sealed class Listener(Socket socket) : ITransportListener
    {
        public Multiaddr Address { get; } = Multiaddr.FromEndPoint((IPEndPoint)socket.LocalEndPoint!);

        public async Task<RawConnection?> AcceptAsync(CancellationToken cancellationToken)
        {
            while (await NextAsync(socket.AcceptAsync, cancellationToken) is { } connection)
            {
                try
                {
                    connection.NoDelay = true;
                    return Wrap(connection);
                }
                catch (Exception e) when (e is SocketException or NullReferenceException or ObjectDisposedException)
                {
                    // It was reset between the handshake and here; the next one is due.
                    connection.Dispose();
                }
            }
            return null;
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return default;
        }
    }
}
