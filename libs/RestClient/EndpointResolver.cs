using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Libp2p;

namespace Cluster.RestClient;

/// <summary>Turns multiaddresses into endpoints (spec/ctl.md 1.2).</summary>
public static class EndpointResolver
{
    private const int DefaultPort = 80;

    /// <summary>Whether an address is reached over libp2p, which this library does not do: it ends with a peer id, or stands for such ones.</summary>
    public static bool IsLibp2p(Multiaddr address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.PeerId is not null || Name(address, 0) == "dnsaddr";
    }

    /// <summary>
    /// The endpoints of an address, in order of preference: names of plain HTTP are resolved here, one endpoint for every address that they
    /// have.
    /// </summary>
    /// <exception cref="RequestException">The address cannot be used, or its name not be resolved.</exception>
    public static async Task<IReadOnlyList<RestEndpoint>> ResolveAsync(Multiaddr address, EndpointOptions options, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(options);
        if (IsLibp2p(address))
            throw new RequestException("not an address of plain HTTP: " + address);

        var first = Name(address, 0);
        if (first == "unix")
        {
            var path = "/" + address.Components[0].Value.TrimStart('/');
            // TLS would have no name to check on a socket: it is plain.
            return [new RestEndpoint("http", "unix", token => DialUnixAsync(path, token))];
        }

        if (first is not ("ip4" or "ip6" or "dns" or "dns4" or "dns6"))
            throw new RequestException($"{address} is not a \"thin waist\" address");
        var host = address.Components[0].Value;
        var port = Name(address, 1) is "tcp" or "udp" ? int.Parse(address.Components[1].Value, null) : DefaultPort;
        var named = first.StartsWith("dns", StringComparison.Ordinal);
        if (!named || options.Https)
            return [Create(host, port, options, address.Components.Count > 1)];

        var family = first switch { "dns4" => AddressFamily.InterNetwork, "dns6" => AddressFamily.InterNetworkV6, _ => AddressFamily.Unspecified };
        try
        {
            var found = await Dns.GetHostAddressesAsync(host, family, cancel);
            return [.. found.Select(ip => Create(ip.ToString(), port, options, withPort: true))];
        }
        catch (SocketException e)
        {
            throw new RequestException($"lookup {host}: no such host", e);
        }
    }

    /// <summary>The endpoint of a web server, for downloads.</summary>
    public static RestEndpoint OfUrl(Uri url, EndpointOptions options)
    {
        ArgumentNullException.ThrowIfNull(url);
        ArgumentNullException.ThrowIfNull(options);
        return Create(url.IdnHost, url.Port, options with { Https = url.Scheme == "https" }, !url.IsDefaultPort);
    }

    private static string Name(Multiaddr address, int index) =>
        index < address.Components.Count ? address.Components[index].Protocol.ToString() ?? string.Empty : string.Empty;

    private static RestEndpoint Create(string host, int port, EndpointOptions options, bool withPort)
    {
        var shown = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        var authority = withPort ? $"{shown}:{port}" : shown;
        var scheme = options.Https ? "https" : "http";
        var target = $"{shown}:{port}";
        var proxy = Proxy.For(scheme, host, options.Environment);
        if (proxy is null)
        {
            return new RestEndpoint(scheme, authority, async cancel =>
            {
                var stream = await DialTcpAsync(host, port, target, cancel);
                return options.Https ? await EncryptAsync(stream, host, options, cancel) : stream;
            });
        }

        if (!options.Https)
        {
            return new RestEndpoint(scheme, authority, cancel => DialTcpAsync(proxy.Host, proxy.Port, $"{proxy.Host}:{proxy.Port}", cancel))
            {
                NeedsAbsoluteTarget = true, ProxyAuthorization = proxy.Authorization,
            };
        }

        return new RestEndpoint(scheme, authority, async cancel =>
        {
            var stream = await DialTcpAsync(proxy.Host, proxy.Port, $"{proxy.Host}:{proxy.Port}", cancel);
            await proxy.ConnectAsync(stream, target, cancel);
            return await EncryptAsync(stream, host, options, cancel);
        });
    }

    private static async Task<Stream> DialTcpAsync(string host, int port, string shown, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, port, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw e.SocketErrorCode == SocketError.HostNotFound
                ? new DialException($"dial tcp: lookup {host}: no such host", e)
                : DialException.Of("tcp", shown, e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Stream> DialUnixAsync(string path, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw DialException.Of("unix", path, e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Stream> EncryptAsync(Stream stream, string host, EndpointOptions options, CancellationToken cancel)
    {
        var recorded = new FirstBytes(stream);
        var encrypted = new SslStream(recorded);
        try
        {
            await encrypted.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = host,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning disable CA5359 // what --no-check-certificate asks for
                    RemoteCertificateValidationCallback = options.SkipCertificateCheck ? (_, _, _, _) => true : null,
#pragma warning restore CA5359
                },
                cancel);
            return encrypted;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            await encrypted.DisposeAsync();
            throw new DialException(
                recorded.Start.StartsWith("HTTP/", StringComparison.Ordinal)
                    ? "http: server gave HTTP response to HTTPS client"
                    : "tls: failed to verify certificate: " + e.Message,
                e);
        }
    }

    /// <summary>Keeps the first bytes that arrive, to recognise a server that does not speak TLS.</summary>
    private sealed class FirstBytes(Stream inner) : PassThroughStream(inner)
    {
        private readonly byte[] _start = new byte[5];
        private int _length;

        public string Start => Encoding.ASCII.GetString(_start, 0, _length);

        protected override void OnRead(ReadOnlySpan<byte> data)
        {
            var count = Math.Min(data.Length, _start.Length - _length);
            data[..count].CopyTo(_start.AsSpan(_length));
            _length += count;
        }
    }
}
