using Cluster.Gateway.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Http;

public sealed class ProtocolTests
{
    [Theory]
    [InlineData("hello\r\n\r\n", 400, "400 Bad Request")]
    [InlineData("GET /version HTTP/1.1\r\n\r\n", 400, "400 Bad Request: missing required Host header")]
    [InlineData("GET /version HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "400 Bad Request")]
    [InlineData("GET /version HTTP/3.7\r\nHost: a\r\n\r\n", 505, "505 HTTP Version Not Supported: unsupported protocol version")]
    [InlineData("GET /version HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", 400, "400 Bad Request")]
    [InlineData("GET /version HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n", 400, "400 Bad Request")]
    [InlineData("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "400 Bad Request")]
    [InlineData("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: foo\r\n\r\n", 501, "Unsupported transfer encoding")]
    [InlineData("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "400 Bad Request")]
    public async Task Malformed_requests_are_refused_and_lose_the_connection(string request, int status, string text)
    {
        await using TestFace face = await TestFace.StartAsync();
        using var client = new RawHttp(face.Endpoint);
        RawAnswer answer = client.Exchange(request);
        Assert.Equal(status, answer.Status);
        Assert.Equal(text, answer.Body);
        Assert.Equal("text/plain; charset=utf-8", answer["Content-Type"]);
        Assert.True(client.IsClosed());
    }

    [Fact]
    public async Task An_unknown_expectation_is_refused()
    {
        await using TestFace face = await TestFace.StartAsync();
        Assert.Equal(417, face.Request("POST", "/echo", "Expect: magic", "Content-Length: 0").Status);
    }

    [Theory]
    [InlineData(3000, 200)]
    [InlineData(6000, 200)]
    [InlineData(9000, 431)]
    public async Task Headers_have_a_limit(int size, int status)
    {
        await using TestFace face = await TestFace.StartAsync();
        string big = new('a', size);
        Assert.Equal(status, face.Get("/version", $"X-Big: {big}").Status);
        Assert.Equal(status, face.Get($"/version?x={big}").Status);
        Assert.Equal(status, face.Get($"/version?x={big[..(size / 2)]}", $"X-Big: {big[(size / 2)..]}").Status);
    }

    [Fact]
    public async Task HTTP_1_0_keeps_the_connection_only_when_asked()
    {
        await using TestFace face = await TestFace.StartAsync();
        using var closing = new RawHttp(face.Endpoint);
        Assert.Equal(200, closing.Exchange("GET /version HTTP/1.0\r\n\r\n").Status);
        Assert.True(closing.IsClosed());
        RawAnswer kept = RawHttp.Once(face.Endpoint, "GET /version HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        Assert.Equal("keep-alive", kept["Connection"], ignoreCase: true);
    }

    [Fact]
    public async Task Absolute_targets_and_upgrades_are_answered_as_usual()
    {
        await using TestFace face = await TestFace.StartAsync();
        Assert.Equal(200, face.Get("http://example.com/version").Status);
        Assert.Equal(200, face.Get("/version", "Connection: Upgrade", "Upgrade: h2c").Status);
    }

    [Fact]
    public async Task Answers_name_no_server_and_carry_what_is_configured()
    {
        await using TestFace face = await TestFace.StartAsync(o => o with { ExtraHeaders = [new("X-One", "1"), new("X-One", "2")] });
        RawAnswer answer = face.Get("/version");
        Assert.Null(answer["Server"]);
        Assert.Equal("HTTP/1.1 200 OK", answer.StatusLine);
        Assert.Equal(["1", "2"], answer.Headers.Where(h => h.Key == "X-One").Select(h => h.Value));
        Assert.Equal(["Content-Length", "Content-Type", "Date", "Vary", "X-One", "X-One"], answer.Headers.Select(h => h.Key).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(face.Request("PUT", "/version").Headers, h => h.Key == "X-One");
        Assert.Contains(face.Get("/nothing").Headers, h => h.Key == "X-One");
    }

    [Fact]
    public async Task A_failing_handler_is_an_error_object()
    {
        await using TestFace face = await TestFace.StartAsync();
        RawAnswer answer = face.Get("/boom");
        Assert.Equal(500, answer.Status);
        Assert.Equal("{\"code\":500,\"message\":\"it broke\"}\n", answer.Body);
    }

    [Fact]
    public async Task A_stream_ends_with_its_trailers_and_the_connection_lives_on()
    {
        var route = new Route("GET", "/stream", async x =>
        {
            x.ResponseHeaders["Trailer"] = "X-Stream-Error";
            using ChunkedBody body = x.PrepareStream();
            x.StartStream();
            body.Buffer.Append("{\"a\":1}\n"u8);
            await body.FlushAsync(x.Aborted);
            for (int i = 0; i < 100_000; i++) body.Buffer.Append("{\"a\":2}\n"u8);
            await body.FlushAsync(x.Aborted);
            await body.EndAsync([new("X-Stream-Error", ""), new("X-Stream-Error", "bad\r\nthing")], x.Aborted);
        });
        await using TestFace face = await TestFace.StartAsync(more: route);
        using var client = new RawHttp(face.Endpoint);
        for (int round = 0; round < 2; round++)
        {
            RawAnswer answer = client.Exchange("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
            Assert.Equal("{\"a\":1}\n", answer.Chunks[0]);
            Assert.Equal(8 * 100_001, answer.Body.Length);
            Assert.Equal(["X-Stream-Error=", "X-Stream-Error=bad thing"], answer.Trailers.Select(t => $"{t.Key}={t.Value}"));
        }

        RawAnswer old = RawHttp.Once(face.Endpoint, "GET /stream HTTP/1.0\r\n\r\n");
        Assert.Null(old["Transfer-Encoding"]);
        Assert.Equal(8 * 100_001, old.Body.Length);
    }

    [Fact]
    public async Task Unix_sockets_are_listened_on_even_after_a_kill()
    {
        string path = Path.Combine(Path.GetTempPath(), $"gw{Guid.NewGuid():N}.sock");
        await File.WriteAllTextAsync(path, "");
        await using TestFace face = await TestFace.StartAsync(o => o with { Endpoints = [new System.Net.Sockets.UnixDomainSocketEndPoint(path)] });
        Assert.Equal(200, RawHttp.Once(new System.Net.Sockets.UnixDomainSocketEndPoint(path), "GET /version HTTP/1.1\r\nHost: x\r\n\r\n").Status);
        File.Delete(path);
    }

    [Fact]
    public async Task Requests_are_logged_in_the_common_format()
    {
        string path = Path.GetTempFileName();
        await using (TestFace face = await TestFace.StartAsync(log: new AccessLog(path, NullLogger.Instance, TimeProvider.System)))
        {
            using var client = new RawHttp(face.Endpoint);
            client.Exchange("GET /version?x=%22 HTTP/1.1\r\nHost: x\r\n\r\n");
            client.Exchange("PUT /version HTTP/1.1\r\nHost: x\r\n\r\n");
            // A request ends after its answer, with its line.
            await face.Face.StopAsync(CancellationToken.None);
        }

        string[] lines = await File.ReadAllLinesAsync(path);
        Assert.Matches("""^127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /version\?x=%22 HTTP/1\.1" 200 20$""", lines[0]);
        Assert.EndsWith("\"PUT /version HTTP/1.1\" 405 0", lines[1]);
        File.Delete(path);
    }

    [Fact]
    public async Task Requests_are_answered_while_the_disk_of_their_log_is_full()
    {
        // More than wait to be written.
        const int Requests = 5000;
        var failures = new Failures();
        await using (TestFace face = await TestFace.StartAsync(log: new AccessLog("/dev/full", failures, TimeProvider.System)))
        {
            using var client = new RawHttp(face.Endpoint);
            for (int i = 0; i < Requests; i++) Assert.Equal(200, client.Exchange("GET /version HTTP/1.1\r\nHost: x\r\n\r\n").Status);
        }

        Assert.StartsWith("requests are not logged: writing to /dev/full: ", Assert.Single(failures.Lines));
    }

    private sealed class Failures : ILogger
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));
    }
}
