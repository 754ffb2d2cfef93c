using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Cluster.Model;
using Cluster.Model.Configuration;
using Libp2p;

namespace Cluster.Gateway.Http;

/// <summary>From a section of <c>service.json</c> to the settings of a face (<c>spec/config.md</c> section 3.4).</summary>
public static class FaceConfiguration
{
    /// <summary>Takes the settings over; names are resolved and certificates read here.</summary>
    /// <exception cref="IOException">A name does not resolve or a certificate cannot be read.</exception>
    public static async Task<HttpFaceOptions> FromAsync(HttpApiSection section, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(section);
        var endpoints = new List<EndPoint>();
        foreach (Multiaddr address in section.HttpListenAddresses) endpoints.AddRange(await EndpointsOfAsync(address.ToString(), cancellation).ConfigureAwait(false));
        return new HttpFaceOptions
        {
            Name = section.Component,
            Endpoints = endpoints,
            Certificates = section.Tls is { } tls ? ReadCertificates(tls.Certificate, tls.Key) : null,
            ReadTimeout = section.ReadTimeout.ToTimeSpan(),
            ReadHeaderTimeout = section.ReadHeaderTimeout.ToTimeSpan(),
            WriteTimeout = section.WriteTimeout.ToTimeSpan(),
            IdleTimeout = section.IdleTimeout.ToTimeSpan(),
            MaxHeaderBytes = section.MaxHeaderBytes,
            ExtraHeaders = [.. (section.Headers ?? new Dictionary<string, IReadOnlyList<string>>())
                .SelectMany(header => header.Value.Select(value => KeyValuePair.Create(header.Key, value)))],
            Credentials = section.BasicAuthCredentials,
            Cors = new CorsSettings(
                section.CorsAllowedOrigins ?? [],
                section.CorsAllowedMethods ?? [],
                section.CorsAllowedHeaders ?? [],
                section.CorsExposedHeaders ?? [],
                section.CorsAllowCredentials,
                section.CorsMaxAge.ToTimeSpan()),
        };
    }

    /// <summary>What a listen address stands for: <c>/ip4|ip6|dns|dns4|dns6/…/tcp/…</c> or <c>/unix/…</c>.</summary>
    public static async Task<IReadOnlyList<EndPoint>> EndpointsOfAsync(string address, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.StartsWith("/unix/", StringComparison.Ordinal)) return [new UnixDomainSocketEndPoint(address["/unix".Length..])];
        string[] parts = address.Split('/');
        if (parts is not ["", var kind, var host, "tcp", var portText] || !ushort.TryParse(portText, out ushort port))
            throw new IOException($"cannot listen on {address}: only tcp and unix addresses will do");
        switch (kind)
        {
            case "ip4" or "ip6" when IPAddress.TryParse(host, out IPAddress? ip):
                return [new IPEndPoint(ip, port)];
            case "dns" or "dns4" or "dns6":
                AddressFamily family = kind switch { "dns4" => AddressFamily.InterNetwork, "dns6" => AddressFamily.InterNetworkV6, _ => AddressFamily.Unspecified };
                try
                {
                    return [.. (await Dns.GetHostAddressesAsync(host, family, cancellation).ConfigureAwait(false)).Select(ip => new IPEndPoint(ip, port))];
                }
                catch (SocketException error)
                {
                    throw new IOException($"cannot listen on {address}: {error.Message}", error);
                }

            default:
                throw new IOException($"cannot listen on {address}: only tcp and unix addresses will do");
        }
    }

    /// <summary>Certificate and chain of a PEM file, with the key of another.</summary>
    private static X509Certificate2Collection ReadCertificates(string certificateFile, string keyFile)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(certificateFile);
        chain[0].Dispose();
        chain[0] = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        return chain;
    }
}
