using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cluster.Load;

/// <summary>A REST endpoint under load: where it is, and what each request to it carries.</summary>
internal sealed class Target
{
    private readonly string headers;

    public Target(Uri url, string? credentials)
    {
        EndPoint = url.Scheme == "unix"
            ? new UnixDomainSocketEndPoint(url.AbsolutePath)
            : IPAddress.TryParse(url.Host.Trim('[', ']'), out var address)
                ? new IPEndPoint(address, url.Port)
                : new IPEndPoint(Dns.GetHostAddresses(url.Host, AddressFamily.InterNetwork)[0], url.Port);
        var authorization = credentials is null ? "" : $"Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))}\r\n";
        headers = $"Host: {(url.Scheme == "unix" ? "localhost" : url.Authority)}\r\n{authorization}";
    }

    public EndPoint EndPoint { get; }

    /// <summary>The bytes of a request without a body.</summary>
    public byte[] Request(string method, string pathAndQuery)
    {
        var length = method is "POST" ? "Content-Length: 0\r\n" : "";
        return Encoding.ASCII.GetBytes($"{method} {pathAndQuery} HTTP/1.1\r\n{headers}{length}\r\n");
    }
}
