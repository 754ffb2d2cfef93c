namespace Cluster.RestClient;

/// <summary>A request, before an endpoint is chosen for it.</summary>
/// <param name="Method"><c>GET</c>, <c>POST</c>, <c>DELETE</c>.</param>
/// <param name="Target">Path and query, as they go out.</param>
internal sealed record HttpRequest(string Method, string Target)
{
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>Writes the body; it is sent in chunks. Null for none.</summary>
    public Func<Stream, CancellationToken, Task>? Body { get; init; }

    public string ContentType { get; init; } = string.Empty;

    /// <summary><c>Get</c>, as it stands in front of failed URLs.</summary>
    public string Verb => Method[..1] + Method[1..].ToLowerInvariant();
}
