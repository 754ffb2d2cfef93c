using System.Globalization;
using System.Net;

namespace KuboRpc;

/// <summary>
/// Where the daemon's RPC answers: a TCP host and port, or a Unix socket. Plain HTTP only (spec/behaviour.md 16.6).
/// </summary>
public sealed record DaemonAddress
{
    private DaemonAddress(string host, int port, string? socketPath)
    {
        Host = host;
        Port = port;
        SocketPath = socketPath;
    }

    /// <summary>Name or IP address; for a Unix socket the name that the Host header carries.</summary>
    public string Host { get; }

    /// <summary>TCP port, 1..65535; 0 for a Unix socket.</summary>
    public int Port { get; }

    /// <summary>Path of the Unix socket, or null.</summary>
    public string? SocketPath { get; }

    /// <summary>What stands between <c>http://</c> and <c>/api/v0</c>.</summary>
    public string Authority =>
        SocketPath != null ? Host
        : Host.Contains(':', StringComparison.Ordinal) ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
        : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    /// <summary>A daemon on a TCP port.</summary>
    public static DaemonAddress Tcp(string host, int port)
    {
        ArgumentException.ThrowIfNullOrEmpty(host);
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, ushort.MaxValue);
        return new DaemonAddress(host, port, null);
    }

    /// <summary>A daemon on a Unix socket.</summary>
    public static DaemonAddress UnixSocket(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new DaemonAddress("localhost", 0, path);
    }

    /// <summary>
    /// Parses <c>/ip4|ip6|dns|dns4|dns6|dnsaddr/HOST/tcp/PORT[/http]</c> or <c>/unix/PATH</c>.
    /// </summary>
    /// <exception cref="FormatException">The text is neither.</exception>
    public static DaemonAddress Parse(string multiaddress)
    {
        ArgumentNullException.ThrowIfNull(multiaddress);
        if (multiaddress.StartsWith("/unix/", StringComparison.Ordinal) && multiaddress.Length > "/unix/".Length)
            return UnixSocket(multiaddress["/unix".Length..]);
        var parts = multiaddress.TrimEnd('/').Split('/');
        if (parts.Length is 5 or 6 && parts[0].Length == 0 && parts[3] == "tcp" && (parts.Length == 5 || parts[5] == "http"))
        {
            var (family, host, portText) = (parts[1], parts[2], parts[4]);
            var isHost = family switch
            {
                "ip4" => IPAddress.TryParse(host, out var ip) && ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork,
                "ip6" => IPAddress.TryParse(host, out var ip) && ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6,
                "dns" or "dns4" or "dns6" or "dnsaddr" => Uri.CheckHostName(host) == UriHostNameType.Dns,
                _ => false,
            };
            if (isHost && ushort.TryParse(portText, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0)
                return Tcp(host, port);
        }
        throw new FormatException(
            $"\"{multiaddress}\" is no address of an IPFS daemon: expected /ip4/<address>/tcp/<port>, /ip6/..., /dns4/<name>/tcp/<port> or /unix/<path>");
    }

    /// <inheritdoc/>
    public override string ToString() => SocketPath != null ? $"/unix{SocketPath}" : Authority;
}
