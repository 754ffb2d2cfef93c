using System.Net.Sockets;

namespace Cluster.RestClient;

/// <summary>A connection that could not be made, in the words of Go's package <c>net</c>.</summary>
public sealed class DialException : IOException
{
    public DialException(string message)
        : base(message)
    {
    }

    public DialException()
    {
    }

    public DialException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal static DialException Of(string network, string address, SocketException e) =>
        new($"dial {network} {address}: {Words(e)}", e);

    private static string Words(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "connect: connection refused",
        SocketError.TimedOut => "connect: connection timed out",
        SocketError.HostUnreachable => "connect: no route to host",
        SocketError.NetworkUnreachable => "connect: network is unreachable",
        SocketError.AddressNotAvailable => "connect: cannot assign requested address",
        SocketError.ConnectionReset => "connect: connection reset by peer",
        _ when e.NativeErrorCode == 2 => "connect: no such file or directory",
        _ when e.NativeErrorCode == 13 => "connect: permission denied",
        _ => "connect: " + e.Message,
    };
}
