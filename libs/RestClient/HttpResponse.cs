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

    /// <summary>The request's body as far as it is still being sent.</summary>
    public SendingBody? Sending { get; set; }

    public async ValueTask DisposeAsync()
    {
        if (Sending is not null)
            await Sending.Cancellation.CancelAsync();
        await connection.DisposeAsync();
    }
}

/// <summary>A body under way: what stops it, and its end, which never fails.</summary>
internal sealed record SendingBody(CancellationTokenSource Cancellation, Task End);
