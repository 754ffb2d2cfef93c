using Libp2p;

namespace Cluster.RestClient;

/// <summary>How endpoints are reached.</summary>
public sealed record EndpointOptions
{
    public bool Https { get; init; }

    public bool SkipCertificateCheck { get; init; }

    /// <summary>For the proxy variables.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Makes an endpoint of an address with a peer id; null refuses such addresses.</summary>
    public Func<Multiaddr, RestEndpoint>? Libp2p { get; init; }
}
