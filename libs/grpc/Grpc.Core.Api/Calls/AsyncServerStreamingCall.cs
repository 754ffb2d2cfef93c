namespace Grpc.Core;

/// <summary>A call with one request and a stream of responses. Disposing an unfinished call cancels it.</summary>
public sealed class AsyncServerStreamingCall<TResponse> : IDisposable
{
    private readonly CallControl control;

    /// <summary>A call over functions without state.</summary>
    public AsyncServerStreamingCall(
        IAsyncStreamReader<TResponse> responseStream,
        Task<Metadata> responseHeadersAsync,
        Func<Status> getStatusFunc,
        Func<Metadata> getTrailersFunc,
        Action disposeAction)
    {
        ResponseStream = responseStream;
        control = new CallControl(responseHeadersAsync, getStatusFunc, getTrailersFunc, disposeAction);
    }

    /// <summary>A call over functions that take a state.</summary>
    public AsyncServerStreamingCall(
        IAsyncStreamReader<TResponse> responseStream,
        Func<object, Task<Metadata>> responseHeadersAsync,
        Func<object, Status> getStatusFunc,
        Func<object, Metadata> getTrailersFunc,
        Action<object> disposeAction,
        object state)
    {
        ResponseStream = responseStream;
        control = new CallControl(responseHeadersAsync, getStatusFunc, getTrailersFunc, disposeAction, state);
    }

    /// <summary>Receives responses.</summary>
    public IAsyncStreamReader<TResponse> ResponseStream { get; }

    /// <summary>The response headers, once they are here.</summary>
    public Task<Metadata> ResponseHeadersAsync => control.ResponseHeadersAsync;

    /// <summary>The status of a finished call.</summary>
    /// <exception cref="InvalidOperationException">The call is under way.</exception>
    public Status GetStatus() => control.GetStatus();

    /// <summary>The trailers of a finished call.</summary>
    /// <exception cref="InvalidOperationException">The call is under way.</exception>
    public Metadata GetTrailers() => control.GetTrailers();

    /// <summary>Ends the call; an unfinished one is cancelled.</summary>
    public void Dispose() => control.Dispose();
}
