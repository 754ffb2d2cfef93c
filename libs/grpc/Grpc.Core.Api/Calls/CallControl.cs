namespace Grpc.Core;

/// <summary>
/// What every kind of call object shares: headers, status, trailers, disposal. The functions take one state object,
/// so that a transport needs no closure a call; functions without state are their own state.
/// </summary>
internal readonly struct CallControl
{
    private readonly Func<object, Task<Metadata>> responseHeaders;
    private readonly Func<object, Status> status;
    private readonly Func<object, Metadata> trailers;
    private readonly Action<object> dispose;
    private readonly object state;

    public CallControl(
        Func<object, Task<Metadata>> responseHeaders,
        Func<object, Status> status,
        Func<object, Metadata> trailers,
        Action<object> dispose,
        object state)
    {
        this.responseHeaders = responseHeaders;
        this.status = status;
        this.trailers = trailers;
        this.dispose = dispose;
        this.state = state;
    }

    public CallControl(Task<Metadata> responseHeaders, Func<Status> status, Func<Metadata> trailers, Action dispose)
        : this(
            static s => ((Stateless)s).Headers,
            static s => ((Stateless)s).Status(),
            static s => ((Stateless)s).Trailers(),
            static s => ((Stateless)s).Dispose(),
            new Stateless(responseHeaders, status, trailers, dispose))
    {
    }

    public Task<Metadata> ResponseHeadersAsync => responseHeaders(state);

    public Status GetStatus() => status(state);

    public Metadata GetTrailers() => trailers(state);

    public void Dispose() => dispose(state);

    private sealed record Stateless(Task<Metadata> Headers, Func<Status> Status, Func<Metadata> Trailers, Action Dispose);
}
