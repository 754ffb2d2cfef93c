using System.Net;
using System.Net.Sockets;
using System.Text;
using KuboRpc.Json;

namespace KuboRpc.Http;

/// <summary>
/// Sends requests in the form that daemons know from the original (spec/behaviour.md 16.1) and sorts what comes back.
/// </summary>
internal sealed class DaemonTransport : IDisposable
{
    /// <summary>Redirects followed at most, counting the request itself as the original does (spec/behaviour.md 16.5).</summary>
    private const int MaxRequestsOfOneCall = 10;

    /// <summary>An error's text is read up to here; what is beyond helps nobody.</summary>
    private const int MaxErrorBody = 64 * 1024;

    private static readonly HttpRequestOptionsKey<bool> OpenedConnection = new("KuboRpc.OpenedConnection");
    private readonly DaemonAddress _address;
    private readonly string _base;
    private readonly HttpMessageInvoker _pooled;
    private readonly HttpMessageInvoker _fresh;
    private readonly KuboObserver _observer;
    private readonly TimeProvider _time;

    public DaemonTransport(KuboOptions options, KuboObserver observer, TimeProvider time, DaemonGate gate)
    {
        _observer = observer;
        _address = options.Address;
        _base = $"http://{_address.Authority}/api/v0/";
        _time = time;
        Gate = gate;
        _pooled = new HttpMessageInvoker(Handler(options, Timeout.InfiniteTimeSpan));
        _fresh = new HttpMessageInvoker(Handler(options, TimeSpan.Zero));
    }

    public DaemonGate Gate { get; }

    public CallLimit Limit(TimeSpan limit, CancellationToken caller) => new(limit, CallLimit.DeadlineExceeded, _time, caller);

    public CallLimit PinLimit(TimeSpan limit, CancellationToken caller) => new(limit, CallLimit.Canceled, _time, caller);

    /// <summary>Sends a request without a body; repeats it once when it met a kept connection that the daemon had closed.</summary>
    public async Task<DaemonAnswer> PostAsync(string target, CallLimit limit)
    {
        // Every call of this class repeats without harm, so one more try is safe.
        for (var repeated = false; ; repeated = true)
        {
            var content = new ByteArrayContent([]);
            content.Headers.TryAddWithoutValidation("Content-Type", "");
            using var request = Request(target, content);
            try
            {
                return await SendAsync(_pooled, request, target, limit);
            }
            catch (DaemonUnreachableException failure) when (!repeated && IsStale(request, failure))
            {
                // The next round asks again on another connection.
            }
        }
    }

    /// <summary>Sends a request whose body comes from a stream and cannot be repeated: on a connection of its own.</summary>
    public async Task<DaemonAnswer> PostStreamAsync(string target, HttpContent content, CallLimit limit)
    {
        using var request = Request(target, content);
        return await SendAsync(_fresh, request, target, limit);
    }

    /// <summary>Sends a request with a body that is at hand.</summary>
    public async Task<DaemonAnswer> PostAsync(string target, Func<HttpContent> content, CallLimit limit)
    {
        for (var repeated = false; ; repeated = true)
        {
            using var request = Request(target, content());
            try
            {
                return await SendAsync(_pooled, request, target, limit);
            }
            catch (DaemonUnreachableException failure) when (!repeated && IsStale(request, failure))
            {
                // As above.
            }
        }
    }

    /// <summary>Turns a failure of reading an answer's body into one of this library.</summary>
    public Exception ReadFailure(Exception failure, CallLimit limit) => failure switch
    {
        KuboException => failure,
        OperationCanceledException when limit.Caller.IsCancellationRequested => new OperationCanceledException(CallLimit.Canceled, failure, limit.Caller),
        _ when limit.Expired => new DaemonTimeoutException(limit.Reason),
        InvalidDataException => new DaemonAnswerException("the daemon's answer cannot be decompressed: " + failure.Message, failure),
        IOException or HttpRequestException => new DaemonAnswerException(ConnectionFailure.Describe(failure, _address), failure),
        _ => failure,
    };

    public void Dispose()
    {
        _pooled.Dispose();
        _fresh.Dispose();
    }

    private static bool IsStale(HttpRequestMessage request, DaemonUnreachableException failure) =>
        !request.Options.TryGetValue(OpenedConnection, out _)
        && failure.InnerException is HttpRequestException { HttpRequestError: not HttpRequestError.InvalidResponse };

    private HttpRequestMessage Request(string target, HttpContent content)
    {
        // Verbatim: the daemon must see the escapes that the original sends.
        var uri = new Uri(_base + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        return new HttpRequestMessage(HttpMethod.Post, uri) { Content = content };
    }

    private SocketsHttpHandler Handler(KuboOptions options, TimeSpan connectionLifetime) => new()
    {
        AutomaticDecompression = DecompressionMethods.GZip,
        MaxAutomaticRedirections = MaxRequestsOfOneCall - 1,
        MaxConnectionsPerServer = options.MaxConnections,
        PooledConnectionLifetime = connectionLifetime,
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        ConnectTimeout = options.ConnectTimeout,
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = null,
        // Reading the rest of an abandoned answer would let the daemon go on working; closing stops it.
        MaxResponseDrainSize = 0,
        ConnectCallback = ConnectAsync,
    };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        context.InitialRequestMessage.Options.Set(OpenedConnection, true);
        var socket = _address.SocketPath == null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            EndPoint end = _address.SocketPath is { } path ? new UnixDomainSocketEndPoint(path) : context.DnsEndPoint;
            await socket.ConnectAsync(end, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<DaemonAnswer> SendAsync(HttpMessageInvoker invoker, HttpRequestMessage request, string target, CallLimit limit)
    {
        HttpResponseMessage response;
        try
        {
            if (!await Gate.PassAsync(limit.Token))
                throw new DaemonUnreachableException($"Post \"{_base}{target}\": {Gate.LastFailure}");
            _observer.Posting(target);
            response = await invoker.SendAsync(request, limit.Token);
        }
        catch (Exception failure)
        {
            var post = $"Post \"{_base}{target}\": ";
            if (limit.Caller.IsCancellationRequested)
                throw new OperationCanceledException(post + CallLimit.Canceled, failure, limit.Caller);
            if (limit.Expired)
                throw new DaemonTimeoutException(post + limit.Reason);
            if (failure is not (HttpRequestException or IOException or SocketException or OperationCanceledException { InnerException: TimeoutException }))
                throw;
            var cause = ConnectionFailure.Describe(failure, _address);
            Gate.Failed(cause);
            var unreachable = new DaemonUnreachableException(post + cause, failure);
            _observer.PostFailed(unreachable);
            throw unreachable;
        }
        Gate.Answered();
        if (response.StatusCode == HttpStatusCode.OK)
            return new DaemonAnswer(response, target, limit, this);
        using (response)
        {
            if (IsRedirect(response))
            {
                throw new DaemonUnreachableException(
                    $"Post \"{response.Headers.Location}\": stopped after {MaxRequestsOfOneCall} redirects");
            }
            throw await RefusalAsync(response, target, limit);
        }
    }

    private static bool IsRedirect(HttpResponseMessage response) =>
        response.Headers.Location != null && (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;

    private async Task<Exception> RefusalAsync(HttpResponseMessage response, string target, CallLimit limit)
    {
        var body = new byte[MaxErrorBody];
        int length;
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(limit.Token);
            length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, limit.Token);
        }
        catch (Exception failure)
        {
            return ReadFailure(failure, limit);
        }
        var bytes = body.AsMemory(0, length);
        return new DaemonRefusedException(target, response.StatusCode, JsonFields.ErrorMessage(bytes), Encoding.UTF8.GetString(bytes.Span));
    }
}
