using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Gateway.Http;

/// <summary>How one HTTP face of a peer listens and what it tells every client (<c>spec/rest-api.md</c> sections 1 to 4).</summary>
public sealed record HttpFaceOptions
{
    /// <summary>Name of the component, e.g. "restapi".</summary>
    public required string Name { get; init; }

    /// <summary>Where to listen. Names have been resolved.</summary>
    public required IReadOnlyList<EndPoint> Endpoints { get; init; }

    /// <summary>With a certificate every endpoint speaks TLS, and only TLS.</summary>
    public X509Certificate2Collection? Certificates { get; init; }

    /// <summary>Time for a whole request; zero = none.</summary>
    public TimeSpan ReadTimeout { get; init; }

    /// <summary>Time for a request's head; zero = none.</summary>
    public TimeSpan ReadHeaderTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time for a whole answer; zero = none.</summary>
    public TimeSpan WriteTimeout { get; init; }

    /// <summary>Time that an idle connection is kept; zero = no end.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Bytes of request line and headers, to which 4096 bytes of slack are added. At least 4096.</summary>
    public int MaxHeaderBytes { get; init; } = 4096;

    /// <summary>Headers added to every answer of a handler.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> ExtraHeaders { get; init; } = [];

    /// <summary>Passwords by user; null = open to all.</summary>
    public IReadOnlyDictionary<string, string>? Credentials { get; init; }

    /// <summary>Cross-origin rules.</summary>
    public required CorsSettings Cors { get; init; }
}
