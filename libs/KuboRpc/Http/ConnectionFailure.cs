using System.Net.Sockets;

namespace KuboRpc.Http;

/// <summary>Says why no answer came, in the words that users of the original know.</summary>
internal static class ConnectionFailure
{
    public static string Describe(Exception failure, DaemonAddress address)
    {
        for (var cause = failure; cause != null; cause = cause.InnerException)
        {
            if (cause is SocketException socket)
                return Describe(socket, address);
        }
        return failure is OperationCanceledException ? $"{Dial(address)}: i/o timeout"
            : failure is HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } ? "EOF"
            : failure is HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } ? "unexpected EOF"
            : failure.Message;
    }

    private static string Dial(DaemonAddress address) => address.SocketPath is { } path ? $"dial unix {path}" : $"dial tcp {address.Authority}";

    private static string Describe(SocketException socket, DaemonAddress address)
    {
        var dial = Dial(address);
        return socket.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => $"{dial}: connect: connection refused",
            SocketError.HostUnreachable => $"{dial}: connect: no route to host",
            SocketError.NetworkUnreachable => $"{dial}: connect: network is unreachable",
            SocketError.TimedOut => $"{dial}: connect: connection timed out",
            SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => $"dial tcp: lookup {address.Host}: no such host",
            SocketError.ConnectionReset or SocketError.NotConnected => "read: connection reset by peer",
            SocketError.Shutdown or SocketError.ConnectionAborted => "write: broken pipe",
            SocketError.AddressNotAvailable when address.SocketPath != null => $"{dial}: connect: no such file or directory",
            _ => $"{dial}: {socket.Message}",
        };
    }
}
