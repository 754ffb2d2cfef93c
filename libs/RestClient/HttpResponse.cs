namespace Cluster.RestClient;

/// <summary>The head of an answer and its body. Dispose it to close the connection.</summary>
internal sealed class HttpResponse(int status, IReadOnlyList<(string Name, string Value)> headers, ResponseBody body, Stream connection) : IAsyncDisposable
{
    public int Status => status;

    /// <summary>Reads the body; its trailers are there when it has ended.</summary>
    public ResponseBody Body => body;

    /// <summary>The first value; empty when there is none.</summary>
    public string Header(string name)
    {
        foreach (var (key, value) in headers)
        {
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
                return value;
        }

        return string.Empty;
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();
}
