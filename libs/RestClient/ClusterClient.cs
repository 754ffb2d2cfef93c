using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Cluster.Model;
using Ipld;
using Libp2p;

namespace Cluster.RestClient;

/// <summary>Settings of a <see cref="ClusterClient"/>.</summary>
public sealed record ClusterClientOptions
{
    /// <summary>User and password; null for none.</summary>
    public (string User, string Password)? Credentials { get; init; }

    /// <summary>For a whole request; null for none.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Takes what the original's client logs: whether it is an error (else debug), and the text.</summary>
    public Action<bool, string>? Log { get; init; }
}

/// <summary>
/// A client of the REST API (spec/rest-api.md, spec/ctl.md 8). Endpoints are tried in their order for every request; the next one is used
/// when there was no answer. All methods throw <see cref="RestException"/>.
/// </summary>
public sealed class ClusterClient
{
    private readonly IReadOnlyList<RestEndpoint> _endpoints;
    private readonly ClusterClientOptions _options;

    public ClusterClient(IReadOnlyList<RestEndpoint> endpoints, ClusterClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (endpoints.Count == 0)
            throw new ArgumentException("at least one endpoint is needed", nameof(endpoints));
        _endpoints = endpoints;
        _options = options;
    }

    public Task<PeerInfo> IdAsync(CancellationToken cancel) => ReadAsync("GET", "/id", ModelJsonReader.ReadPeerInfo, cancel);

    public Task<string> VersionAsync(CancellationToken cancel) => ReadAsync("GET", "/version", ReadVersion, cancel);

    public IAsyncEnumerable<PeerInfo> PeersAsync(CancellationToken cancel) => StreamAsync("GET", "/peers", ModelJsonReader.ReadPeerInfo, cancel);

    public Task RemovePeerAsync(PeerId peer, CancellationToken cancel) => ReadAsync<object?>("DELETE", "/peers/" + peer, _ => null, cancel);

    /// <summary>Pins a path, which may be a bare CID.</summary>
    /// <exception cref="RequestException">It is no path.</exception>
    public Task<Pin> PinPathAsync(string path, PinOptions options, CancellationToken cancel) =>
        ReadAsync("POST", $"/pins{ContentPath.Normalize(path)}?{PinOptionsQuery.ToQuery(options)}", ModelJsonReader.ReadPin, cancel);

    public Task<Pin> UnpinPathAsync(string path, CancellationToken cancel) =>
        ReadAsync("DELETE", "/pins" + ContentPath.Normalize(path), ModelJsonReader.ReadPin, cancel);

    public IAsyncEnumerable<Pin> AllocationsAsync(PinType filter, CancellationToken cancel)
    {
        var names = filter == PinType.All
            ? "all"
            : string.Join(',', new[] { PinType.Data, PinType.Meta, PinType.ClusterDag, PinType.Shard }.Where(t => filter.HasFlag(t)).Select(t => t.ToText()));
        return StreamAsync("GET", "/allocations?filter=" + GoQuery.Escape(names), ModelJsonReader.ReadPin, cancel);
    }

    public Task<Pin> AllocationAsync(Cid cid, CancellationToken cancel) => ReadAsync("GET", $"/allocations/{cid}", ModelJsonReader.ReadPin, cancel);

    public Task<GlobalPinInfo> StatusAsync(Cid cid, bool local, CancellationToken cancel) =>
        ReadAsync("GET", $"/pins/{cid}?local={Text(local)}", ModelJsonReader.ReadGlobalPinInfo, cancel);

    public IAsyncEnumerable<GlobalPinInfo> StatusAsync(IReadOnlyList<Cid> cids, bool local, CancellationToken cancel) =>
        StreamAsync("GET", $"/pins?local={Text(local)}&filter=&cids={string.Join(',', cids)}", ModelJsonReader.ReadGlobalPinInfo, cancel);

    /// <summary>All statuses that pass the filter; <see cref="TrackerStatus.Undefined"/> lets all pass.</summary>
    public IAsyncEnumerable<GlobalPinInfo> StatusAllAsync(TrackerStatus filter, bool local, CancellationToken cancel)
    {
        return StreamAsync("GET", $"/pins?local={Text(local)}&filter={GoQuery.Escape(filter.ToFilterText())}&cids=", ModelJsonReader.ReadGlobalPinInfo, cancel);
    }

    public Task<GlobalPinInfo> RecoverAsync(Cid cid, bool local, CancellationToken cancel) =>
        ReadAsync("POST", $"/pins/{cid}/recover?local={Text(local)}", ModelJsonReader.ReadGlobalPinInfo, cancel);

    public IAsyncEnumerable<GlobalPinInfo> RecoverAllAsync(bool local, CancellationToken cancel) =>
        StreamAsync("POST", "/pins/recover?local=" + Text(local), ModelJsonReader.ReadGlobalPinInfo, cancel);

    public Task<ConnectGraph> GraphAsync(CancellationToken cancel) => ReadAsync("GET", "/health/graph", ModelJsonReader.ReadConnectGraph, cancel);

    public Task<IReadOnlyList<Alert>> AlertsAsync(CancellationToken cancel) =>
        ReadAsync("GET", "/health/alerts", json => ReadList(json, ModelJsonReader.ReadAlert), cancel);

    public Task<IReadOnlyDictionary<string, BandwidthStats>?> BandwidthAsync(CancellationToken cancel) =>
        ReadAsync("GET", "/health/bandwidth", ModelJsonReader.ReadBandwidth, cancel);

    public Task<IReadOnlyList<string>> MetricNamesAsync(CancellationToken cancel) =>
        ReadAsync("GET", "/monitor/metrics", json => ReadList(json, item => item.GetString() ?? string.Empty), cancel);

    public Task<IReadOnlyList<Metric>> MetricsAsync(string name, CancellationToken cancel) =>
        ReadAsync("GET", "/monitor/metrics/" + name, json => ReadList(json, ModelJsonReader.ReadMetric), cancel);

    public Task<GlobalRepoGc> CollectGarbageAsync(bool local, CancellationToken cancel) =>
        ReadAsync("POST", "/ipfs/gc?local=" + Text(local), ModelJsonReader.ReadGlobalRepoGc, cancel);

    /// <summary>Sends files; the objects come while they are being sent.</summary>
    /// <param name="parameters">All query parameters.</param>
    /// <param name="upload">The multipart body.</param>
    /// <param name="cancel">Ends the upload.</param>
    public IAsyncEnumerable<AddedOutput> AddAsync(GoQuery parameters, MultipartUpload upload, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(upload);
        return StreamAsync(
            new HttpRequest("POST", "/add?" + parameters) { Body = upload.WriteAsync, ContentType = upload.ContentType },
            ModelJsonReader.ReadAddedOutput,
            cancel);
    }

    private static string Text(bool value) => value ? "true" : "false";

    private static string ReadVersion(JsonElement json) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty("version", out var version) && version.ValueKind == JsonValueKind.String
            ? version.GetString()!
            : json.ValueKind == JsonValueKind.Object ? string.Empty : throw new FormatException("json: cannot unmarshal into Go value of type api.Version");

    private static IReadOnlyList<T> ReadList<T>(JsonElement json, Func<JsonElement, T> read) => json.ValueKind switch
    {
        JsonValueKind.Array => [.. json.EnumerateArray().Select(read)],
        JsonValueKind.Null => [],
        _ => throw new FormatException("json: cannot unmarshal " + json.ValueKind.ToString().ToLowerInvariant() + " into a list"),
    };

    private async Task<T> ReadAsync<T>(string method, string target, Func<JsonElement, T> read, CancellationToken cancel)
    {
        var request = new HttpRequest(method, target);
        return await TryEndpointsAsync(request, async (endpoint, token) =>
        {
            await using var response = await SendAsync(endpoint, request, token);
            var body = response.Status is 202 or 204 ? [] : await BodyAsync(endpoint, request, response, token);
            Debug("Response body: " + Encoding.UTF8.GetString(body));
            if (response.Status is 202 or 204)
                return default!;
            if (response.Status >= 400)
                throw ErrorOf(response.Status, body);
            try
            {
                using var json = GoJsonSyntax.Parse(body);
                return read(json.RootElement);
            }
            catch (FormatException e)
            {
                throw new RestException(new ApiError(response.Status, e.Message), e);
            }
        }, cancel);
    }

    private IAsyncEnumerable<T> StreamAsync<T>(string method, string target, Func<JsonElement, T> read, CancellationToken cancel) =>
        StreamAsync(new HttpRequest(method, target), read, cancel);

    private async IAsyncEnumerable<T> StreamAsync<T>(
        HttpRequest request, Func<JsonElement, T> read, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var limited = WithTimeout(cancel);
        var response = await TryEndpointsAsync(request, async (endpoint, token) =>
        {
            var answer = await SendAsync(endpoint, request, token);
            if (answer.Status < 400)
                return answer;
            await using (answer)
                throw ErrorOf(answer.Status, await BodyAsync(endpoint, request, answer, token));
        }, limited.Token);
        await using (response)
        {
            if (response.Status is 202 or 204)
                yield break;
            if (response.Status != 200)
                throw new RestException(new ApiError(response.Status, "expected streaming response with code 200/204"));
            await using var documents = JsonDocuments.ReadAsync(response.Body, limited.Token).GetAsyncEnumerator(limited.Token);
            while (true)
            {
                T item;
                try
                {
                    if (!await documents.MoveNextAsync())
                        break;
                    using var json = GoJsonSyntax.Parse(documents.Current);
                    item = read(json.RootElement);
                }
                catch (Exception e) when (e is IOException or FormatException or OperationCanceledException && !cancel.IsCancellationRequested)
                {
                    throw new RestException(new ApiError(500, e is OperationCanceledException ? "context deadline exceeded" : e.Message), e);
                }

                yield return item;
            }

            var errors = response.Body.Trailers.Where(t => t.Name.Equals("X-Stream-Error", StringComparison.OrdinalIgnoreCase) && t.Value.Length > 0);
            if (string.Join("; ", errors.Select(t => t.Value)) is { Length: > 0 } error)
                throw new RestException(new ApiError(500, error));
        }
    }

    private async Task<T> TryEndpointsAsync<T>(HttpRequest request, Func<RestEndpoint, CancellationToken, Task<T>> attempt, CancellationToken cancel)
    {
        using var limited = WithTimeout(cancel);
        for (var i = 0; ; i++)
        {
            Debug($"retrying {i + 1} times");
            try
            {
                Debug($"{request.Method}: {UrlOf(_endpoints[i], request)}");
                return await attempt(_endpoints[i], limited.Token);
            }
            catch (RestException e) when (e.Error.Code == 0 && i + 1 < _endpoints.Count && request.Body is null)
            {
                // No answer: the next one may have it.
            }
            catch (RestException e) when (e.Error.Code == 0)
            {
                _options.Log?.Invoke(true, $"reached maximum number of retries without success, retries: {_endpoints.Count}");
                throw;
            }
            catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
            {
                _options.Log?.Invoke(true, $"reached maximum number of retries without success, retries: {_endpoints.Count}");
                var message = $"{request.Verb} \"{UrlOf(_endpoints[i], request)}\": "
                    + "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
                throw new RestException(new ApiError(0, message), e);
            }
        }
    }

    private async Task<HttpResponse> SendAsync(RestEndpoint endpoint, HttpRequest request, CancellationToken cancel)
    {
        var headers = _options.Credentials is { User.Length: > 0 } credentials
            ? new[] { ("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credentials.User}:{credentials.Password}"))) }
            : [];
        try
        {
            return await HttpExchange.SendAsync(endpoint, request with { Headers = headers }, elsewhere: null, cancel);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            throw new RestException(new ApiError(0, $"{request.Verb} \"{UrlOf(endpoint, request)}\": {e.Message}"), e);
        }
    }

    private static async Task<byte[]> BodyAsync(RestEndpoint endpoint, HttpRequest request, HttpResponse response, CancellationToken cancel)
    {
        try
        {
            return await response.Body.ReadAllAsync(cancel);
        }
        catch (IOException e)
        {
            throw new RestException(new ApiError(0, $"{request.Verb} \"{UrlOf(endpoint, request)}\": {e.Message}"), e);
        }
    }

    // The body decides: its code counts, not the status line's. What is no JSON is shown as it is.
    private static RestException ErrorOf(int status, byte[] body)
    {
        try
        {
            using var json = GoJsonSyntax.Parse(body);
            return new RestException(ModelJsonReader.ReadApiError(json.RootElement));
        }
        catch (FormatException)
        {
            return new RestException(new ApiError(status, Encoding.UTF8.GetString(body)));
        }
    }

    private static string UrlOf(RestEndpoint endpoint, HttpRequest request) => $"{endpoint.Scheme}://{endpoint.Authority}{request.Target}";

    private CancellationTokenSource WithTimeout(CancellationToken cancel)
    {
        var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        // Timers take no more than about 49 days; nobody waits for longer.
        if (_options.Timeout is { } timeout && timeout < TimeSpan.FromDays(40))
            limited.CancelAfter(timeout);
        return limited;
    }

    private void Debug(string text) => _options.Log?.Invoke(false, text);
}
