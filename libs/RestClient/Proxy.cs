using System.Net;
using System.Text;

namespace Cluster.RestClient;

/// <summary>The proxy that the environment names: <c>HTTP_PROXY</c>, <c>HTTPS_PROXY</c>, <c>NO_PROXY</c>, in upper or lower case.</summary>
internal sealed record Proxy(string Host, int Port, string? Authorization)
{
    private const int LongestAnswer = 16 * 1024;

    /// <summary>Null where the peer is reached directly: always for this machine.</summary>
    public static Proxy? For(string scheme, string host, IReadOnlyDictionary<string, string> environment)
    {
        var value = Variable(environment, scheme == "https" ? "HTTPS_PROXY" : "HTTP_PROXY");
        if (value.Length == 0 || IsLocal(host) || IsExcluded(host, Variable(environment, "NO_PROXY")))
            return null;
        if (!Uri.TryCreate(value.Contains("://", StringComparison.Ordinal) ? value : "http://" + value, UriKind.Absolute, out var url))
            return null;
        var authorization = url.UserInfo.Length == 0
            ? null
            : "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo)));
        return new Proxy(url.IdnHost, url.Port, authorization);
    }

    /// <summary>Asks the proxy for a tunnel.</summary>
    public async Task ConnectAsync(Stream stream, string target, CancellationToken cancel)
    {
        var request = $"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
            + (Authorization is null ? string.Empty : $"Proxy-Authorization: {Authorization}\r\n") + "\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), cancel);
        // Byte by byte: what follows the head belongs to the tunnel.
        var head = new StringBuilder();
        var octet = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (head.Length > LongestAnswer || await stream.ReadAsync(octet, cancel) == 0)
                throw new DialException("proxyconnect tcp: unexpected EOF");
            head.Append((char)octet[0]);
        }

        var status = head.ToString().Split('\r')[0].Split(' ', 3);
        if (status.Length < 2 || status[1] != "200")
            throw new DialException(status.Length > 2 ? status[2] : "proxyconnect tcp: malformed HTTP response");
    }

    private static string Variable(IReadOnlyDictionary<string, string> environment, string name) =>
        environment.GetValueOrDefault(name) is { Length: > 0 } upper ? upper
        : environment.GetValueOrDefault(name.ToLowerInvariant()) ?? string.Empty;

    private static bool IsLocal(string host) => host == "localhost" || (IPAddress.TryParse(host, out var ip) && IPAddress.IsLoopback(ip));

    private static bool IsExcluded(string host, string list) => list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .Any(item => item == "*" || host.Equals(item.TrimStart('.'), StringComparison.OrdinalIgnoreCase)
            || host.EndsWith("." + item.TrimStart('.'), StringComparison.OrdinalIgnoreCase));
}
