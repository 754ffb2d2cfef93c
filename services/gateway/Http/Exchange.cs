using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net;
using Cluster.Gateway.Json;
using Cluster.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cluster.Gateway.Http;

/// <summary>One request and its answer. Lives as long as its connection and is used again for the next request of it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "the buffer is memory alone; it goes with the connection")]
public sealed class Exchange
{
    // Larger buffers are not kept for the next request of the connection.
    private const int LargestKept = 64 * 1024;

    private ByteBuffer buffer = new(1024);
    private IHttpRequestFeature request = null!;
    private IHttpResponseFeature response = null!;
    private IHttpResponseBodyFeature responseBody = null!;
    private IHttpRequestLifetimeFeature lifetime = null!;
    private IFeatureCollection features = null!;
    private GoQuery? query;
    private RequestTarget target;

    /// <summary>Extra headers that every handler's answer gets (<c>headers</c> in <c>service.json</c>).</summary>
    internal IReadOnlyList<KeyValuePair<string, string>> ExtraHeaders { get; set; } = [];

    /// <summary>As sent.</summary>
    public string Method => request.Method;

    /// <summary>As sent, with query.</summary>
    public string RawTarget => request.RawTarget;

    /// <summary>The target, taken apart.</summary>
    public ref readonly RequestTarget Target => ref target;

    /// <summary>The percent-decoded path.</summary>
    public string Path => target.Path;

    /// <summary>Values of the route's parameters.</summary>
    public RouteParameters Parameters { get; internal set; }

    /// <summary>The user whom the credentials prove; null without authentication.</summary>
    public string? User { get; internal set; }

    /// <summary>The query, parsed when first asked for.</summary>
    public GoQuery Query => query ??= GoQuery.Parse(target.Query);

    /// <summary>Headers of the request.</summary>
    public IHeaderDictionary RequestHeaders => request.Headers;

    /// <summary>Headers of the answer.</summary>
    public IHeaderDictionary ResponseHeaders => response.Headers;

    /// <summary>"HTTP/1.1" or "HTTP/1.0".</summary>
    public string Protocol => request.Protocol;

    /// <summary>The body as it arrives.</summary>
    public PipeReader Body => features.Get<IRequestBodyPipeFeature>()?.Reader ?? PipeReader.Create(request.Body);

    /// <summary>Fires when the client has gone.</summary>
    public CancellationToken Aborted => lifetime.RequestAborted;

    /// <summary>Whether the head of the answer is on its way.</summary>
    public bool HasStarted => response.HasStarted;

    /// <summary>The status of the answer.</summary>
    public int Status => response.StatusCode;

    /// <summary>Bytes of the answer's body so far.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>The client's address, for the log.</summary>
    public IPAddress? RemoteAddress => features.Get<IHttpConnectionFeature>()?.RemoteIpAddress;

    /// <summary>Where the body of the answer goes.</summary>
    internal PipeWriter Output => responseBody.Writer;

    /// <summary>Memory for one answer.</summary>
    internal ByteBuffer Scratch
    {
        get
        {
            buffer.Truncate();
            return buffer;
        }
    }

    internal void Begin(IFeatureCollection of)
    {
        features = of;
        request = of.GetRequiredFeature<IHttpRequestFeature>();
        response = of.GetRequiredFeature<IHttpResponseFeature>();
        responseBody = of.GetRequiredFeature<IHttpResponseBodyFeature>();
        lifetime = of.GetRequiredFeature<IHttpRequestLifetimeFeature>();
        query = null;
        target = default;
        Parameters = default;
        User = null;
        BytesWritten = 0;
        if (buffer.Capacity > LargestKept) buffer = new ByteBuffer(1024);
    }

    internal bool TryReadTarget() => RequestTarget.TryParse(request.RawTarget, out target);

    /// <summary>Cuts the connection.</summary>
    public void Abort() => lifetime.Abort();

    /// <summary>The connection ends with this answer.</summary>
    public void CloseAfterwards() => response.Headers.Connection = "close";

    /// <summary>Answers without a body.</summary>
    /// <param name="status">E.g. 204.</param>
    /// <param name="json">Whether the content type is set and the extra headers are, as handlers do even so.</param>
    public void AnswerEmpty(int status, bool json)
    {
        response.StatusCode = status;
        if (json) SetJsonHeaders();
        if (status is not (204 or 304)) response.Headers.ContentLength = 0;
    }

    /// <summary>Answers with a text.</summary>
    public ValueTask AnswerTextAsync(int status, string contentType, string text)
    {
        response.StatusCode = status;
        response.Headers.ContentType = contentType;
        ByteBuffer bytes = Scratch;
        bytes.Append(System.Text.Encoding.UTF8.GetBytes(text));
        return SendAsync(bytes);
    }

    /// <summary>Answers with the JSON document in a buffer, to which a line end is added.</summary>
    public ValueTask AnswerJsonAsync(int status, ByteBuffer document)
    {
        ArgumentNullException.ThrowIfNull(document);
        response.StatusCode = status;
        SetJsonHeaders();
        document.Append((byte)'\n');
        return SendAsync(document);
    }

    /// <summary>Answers with an error object.</summary>
    public ValueTask AnswerErrorAsync(int status, string message)
    {
        ByteBuffer bytes = Scratch;
        ErrorJson.Write(bytes, status, message);
        return AnswerJsonAsync(status, bytes);
    }

    /// <summary>Memory for a streamed answer with trailers; nothing is sent before <see cref="StartStream"/>.</summary>
    public ChunkedBody PrepareStream() => new(responseBody.Writer, Protocol == "HTTP/1.0");

    /// <summary>Sets the head of a streamed answer, which leaves with the first flush.</summary>
    public void StartStream()
    {
        response.StatusCode = 200;
        SetJsonHeaders();
        if (Protocol == "HTTP/1.0") CloseAfterwards();
        else response.Headers.TransferEncoding = "chunked";
    }

    /// <summary>Sends the head of the answer before there is a body. A client that waits to be told to go on with its own body is told
    /// first, because afterwards it would not be.</summary>
    public async ValueTask SendHeadAsync()
    {
        if (RequestHeaders.Expect.Count > 0)
        {
            ReadResult read = await Body.ReadAsync(Aborted).ConfigureAwait(false);
            Body.AdvanceTo(read.Buffer.Start);
        }

        await responseBody.StartAsync(Aborted).ConfigureAwait(false);
    }

    /// <summary>Counts bytes of a streamed answer.</summary>
    internal void Count(long bytes) => BytesWritten += bytes;

    /// <summary>Sets what every handler's answer carries.</summary>
    public void SetJsonHeaders()
    {
        response.Headers.ContentType = "application/json";
        foreach ((string name, string value) in ExtraHeaders) response.Headers.Append(name, value);
    }

    private async ValueTask SendAsync(ByteBuffer bytes)
    {
        response.Headers.ContentLength = bytes.Length;
        if (Method == "HEAD") return;
        BytesWritten += bytes.Length;
        await responseBody.Writer.WriteAsync(bytes.WrittenMemory, Aborted).ConfigureAwait(false);
    }
}
