using System.Net;
using System.Net.Sockets;

namespace Cluster.Hosting.Clients;

/// <summary>
/// Connects to a service. While nobody listens (the process restarts, which takes well under a second) it tries again after short
/// pauses, until <see cref="Patience"/> is over; then callers get UNAVAILABLE.
/// </summary>
internal sealed class ServiceDialer(ServiceEndpoint endpoint, TimeProvider clock)
{
    /// <summary>A restart with a large database takes about a second; longer outages are reported.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan shortestPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan longestPause = TimeSpan.FromMilliseconds(100);

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        var pause = shortestPause;
        while (true)
        {
            try
            {
                return await ConnectOnceAsync(cancellationToken);
            }
            catch (SocketException error) when (MayPass(error) && clock.GetElapsedTime(started) < Patience)
            {
                await Task.Delay(pause, clock, cancellationToken);
                pause = pause * 2 > longestPause ? longestPause : pause * 2;
            }
        }
    }

    /// <summary>No socket file yet, nobody listening on it, a name not yet known, or a full backlog.</summary>
    private static bool MayPass(SocketException error) => error.SocketErrorCode is
        SocketError.AddressNotAvailable or SocketError.ConnectionRefused or SocketError.HostNotFound or SocketError.TryAgain
        || error.NativeErrorCode is 2 or 11 or 111;

    private async ValueTask<Stream> ConnectOnceAsync(CancellationToken cancellationToken)
    {
        Socket socket;
        EndPoint remote;
        if (endpoint is ServiceEndpoint.Tcp tcp)
        {
            socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            remote = new DnsEndPoint(tcp.Host, tcp.Port);
        }
        else
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            remote = new UnixDomainSocketEndPoint(((ServiceEndpoint.Socket)endpoint).SocketPath);
        }

        try
        {
            await socket.ConnectAsync(remote, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
