namespace Cluster.RestClient;

/// <summary>How endpoints are reached.</summary>
public sealed record EndpointOptions
{
    public bool Https { get; init; }

    public bool SkipCertificateCheck { get; init; }

    /// <summary>For the proxy variables.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}
