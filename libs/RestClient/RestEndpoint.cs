namespace Cluster.RestClient;

/// <summary>One place where the API can be reached.</summary>
/// <param name="Scheme"><c>http</c>, <c>https</c> or <c>libp2p</c>: how URLs of this endpoint begin.</param>
/// <param name="Authority">Host and port as they stand in URLs and in the header <c>Host</c>.</param>
/// <param name="Dial">Opens a connection, encrypted where the scheme asks for it.</param>
public sealed record RestEndpoint(string Scheme, string Authority, Func<CancellationToken, Task<Stream>> Dial)
{
    /// <summary>Behind a proxy for plain HTTP the request line carries the whole URL.</summary>
    public bool NeedsAbsoluteTarget { get; init; }

    /// <summary>For the proxy, not for the peer; null for none.</summary>
    public string? ProxyAuthorization { get; init; }
}
