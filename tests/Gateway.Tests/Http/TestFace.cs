using System.Net;
using Cluster.Gateway.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Http;

/// <summary>A face with a handful of routes, on a port of its own.</summary>
internal sealed class TestFace : IAsyncDisposable
{
    public static readonly CorsSettings DefaultCors = new(["*"], ["GET"], [], ["Content-Type", "X-Stream-Output", "X-Chunked-Output", "X-Content-Length"], true, TimeSpan.Zero);

    private readonly HttpFace face;

    private TestFace(HttpFace face) => this.face = face;

    public IPEndPoint Endpoint { get; private set; } = null!;

    public HttpFace Face => face;

    public static async Task<TestFace> StartAsync(Func<HttpFaceOptions, HttpFaceOptions>? change = null, AccessLog? log = null, params Route[] more) =>
        await StartAsync(TimeProvider.System, change, log, more);

    public static async Task<TestFace> StartAsync(TimeProvider time, Func<HttpFaceOptions, HttpFaceOptions>? change, AccessLog? log, params Route[] more)
    {
        var options = new HttpFaceOptions { Name = "restapi", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Cors = DefaultCors };
        if (change is not null) options = change(options);
        Route[] routes =
        [
            new("GET", "/version", x => Json(x, "{\"version\":\"1.1.6\"}")),
            new("GET", "/health", x =>
            {
                x.AnswerEmpty(204, json: true);
                return ValueTask.CompletedTask;
            }),
            new("POST", "/echo", async x =>
            {
                using var text = new MemoryStream();
                await x.Body.CopyToAsync(text);
                ByteBuffer buffer = new();
                buffer.Append(text.ToArray());
                await x.AnswerJsonAsync(200, buffer);
            }),
            new("GET", "/boom", _ => throw new InvalidOperationException("it broke")),
            .. more,
        ];
        var face = new HttpFace(options, new Router(routes), log ?? new AccessLog(NullLogger.Instance, time), NullLoggerFactory.Instance, time);
        await face.StartAsync(CancellationToken.None);
        var started = new TestFace(face);
        string address = face.Addresses.First();
        if (Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Port > 0) started.Endpoint = new IPEndPoint(IPAddress.Loopback, uri.Port);
        return started;
    }

    public static ValueTask Json(Exchange x, string json)
    {
        ByteBuffer buffer = new();
        buffer.Append(System.Text.Encoding.UTF8.GetBytes(json));
        return x.AnswerJsonAsync(200, buffer);
    }

    public RawAnswer Get(string path, params string[] headers) => Request("GET", path, headers);

    public RawAnswer Request(string method, string path, params string[] headers) =>
        RawHttp.Once(Endpoint, $"{method} {path} HTTP/1.1\r\nHost: x\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n");

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await face.StopAsync(soon.Token);
        await face.DisposeAsync();
    }
}
