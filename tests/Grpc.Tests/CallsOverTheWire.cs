using System.Security.Cryptography;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.Compression;
using Grpc.Tests.Echo;
using static Grpc.Tests.Echo.Echo;

namespace Grpc.Tests;

/// <summary>The real client against the real server, both bound to the API projects.</summary>
public sealed class CallsOverTheWire(EchoServer server) : IClassFixture<EchoServer>, IDisposable
{
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(60);
    private readonly GrpcChannel channel = server.Channel();

    private EchoClient Client => new(channel);

    private static DateTime Soon => DateTime.UtcNow + patience;

    public void Dispose() => channel.Dispose();

    [Fact]
    public async Task A_unary_call_answers_awaited_or_blocking()
    {
        Assert.Equal("hello", (await Client.SayAsync(new Text { Text_ = "hello" }, deadline: Soon)).Text_);
        Assert.Equal("hello", Client.Say(new Text { Text_ = "hello" }, deadline: Soon).Text_);
        Assert.Equal("hello", (await Client.SayAsync(new Text { Text_ = "hello" }, deadline: Soon).ConfigureAwait(false)).Text_);
    }

    [Fact]
    public async Task A_large_message_arrives_whole()
    {
        var text = Convert.ToHexString(RandomNumberGenerator.GetBytes(1 << 20));
        Assert.Equal(text, (await Client.SayAsync(new Text { Text_ = text }, deadline: Soon)).Text_);
    }

    [Fact]
    public async Task A_client_stream_is_summed()
    {
        using var call = Client.Sum(deadline: Soon);
        for (var i = 1; i <= 100; i++)
            await call.RequestStream.WriteAsync(new Number { Number_ = i });
        await call.RequestStream.CompleteAsync();
        Assert.Equal(5050, (await call).Number_);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task A_server_stream_comes_in_order_and_ends_with_trailers()
    {
        using var call = Client.Count(new Number { Number_ = 1000 }, deadline: Soon);
        var expected = 1L;
        await foreach (var number in call.ResponseStream.ReadAllAsync())
            Assert.Equal(expected++, number.Number_);
        Assert.Equal(1001, expected);
        Assert.Equal("1000", call.GetTrailers().GetValue("counted"));
    }

    [Fact]
    public async Task A_duplex_stream_answers_while_it_is_written()
    {
        using var call = Client.Chat(deadline: Soon);
        for (var i = 0; i < 10; i++)
        {
            await call.RequestStream.WriteAsync(new Text { Text_ = $"line {i}" }, CancellationToken.None);
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal($"LINE {i}", call.ResponseStream.Current.Text_);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task A_deadline_ends_the_call_at_the_client()
    {
        // Whether the server has seen the call by then is a matter of chance.
        var error = await Assert.ThrowsAsync<RpcException>(
            async () => await Client.HangAsync(new Text { Text_ = "client's deadline" }, deadline: DateTime.UtcNow.AddMilliseconds(300)));
        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
    }

    [Fact]
    public async Task A_deadline_is_told_to_the_server_and_ends_the_call_there()
    {
        using var timeouts = new Timeouts();
        using var limited = server.Channel(new GrpcChannelOptions { HttpHandler = timeouts });
        await new EchoClient(limited).SayAsync(new Text(), deadline: Soon);
        Assert.NotNull(timeouts.Told);
        // The client knows of no deadline here, so that it cannot end the call before the server has seen it.
        timeouts.Forced = "300m";
        var error = await Assert.ThrowsAsync<RpcException>(async () => await new EchoClient(limited).HangAsync(new Text { Text_ = "deadline" }));
        Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
        await server.Service.WasCancelled("deadline");
    }

    [Fact]
    public async Task A_cancellation_reaches_the_server()
    {
        using var cancellation = new CancellationTokenSource();
        var call = Client.HangAsync(new Text { Text_ = "cancel" }, cancellationToken: cancellation.Token);
        await server.Service.Started("cancel");
        await cancellation.CancelAsync();
        var error = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.Cancelled, error.StatusCode);
        await server.Service.WasCancelled("cancel");
    }

    [Fact]
    public async Task Disposing_a_call_cancels_it()
    {
        var call = Client.HangAsync(new Text { Text_ = "dispose" }, deadline: Soon);
        await server.Service.Started("dispose");
        call.Dispose();
        await server.Service.WasCancelled("dispose");
    }

    [Fact]
    public async Task A_status_comes_with_its_detail_and_trailers()
    {
        var call = Client.FailAsync(new Text { Text_ = "not today: ünïcode \n%" }, deadline: Soon);
        var error = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
        Assert.Equal("not today: ünïcode \n%", error.Status.Detail);
        Assert.Equal("because", error.Trailers.GetValue("why"));
        Assert.Equal(new byte[] { 8, 9, 18, 2, (byte)'n', (byte)'o' }, error.Trailers.GetValueBytes("grpc-status-details-bin"));
        Assert.Equal(StatusCode.FailedPrecondition, call.GetStatus().StatusCode);
        Assert.Equal("because", call.GetTrailers().GetValue("why"));
    }

    [Fact]
    public async Task A_method_that_nobody_wrote_is_unimplemented()
    {
        var method = new Method<Text, Text>(MethodType.Unary, "grpc.tests.Echo", "Nobody", Text(), Text());
        var error = await Assert.ThrowsAsync<RpcException>(
            async () => await channel.CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(deadline: Soon), new Text()));
        Assert.Equal(StatusCode.Unimplemented, error.StatusCode);
    }

    [Fact]
    public async Task Marshallers_over_arrays_work_on_the_wire()
    {
        var method = new Method<Text, Text>(MethodType.Unary, "grpc.tests.Echo", "Say", Text(), Text());
        var answer = await channel.CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(deadline: Soon), new Text { Text_ = "array" });
        Assert.Equal("array", answer.Text_);
    }

    [Fact]
    public async Task Metadata_travels_as_text_and_bytes_in_headers_and_trailers()
    {
        var headers = new Metadata { { "X-Text", "one" }, { "x-text", "two" }, { "x-blob-bin", [0, 255, 7] } };
        var call = Client.SayAsync(new Text { Text_ = "m" }, headers, Soon);
        var back = await call.ResponseHeadersAsync;
        await call;
        Assert.Equal("one, two", string.Join(", ", back.GetAll("x-text").Select(e => e.Value)));
        Assert.Equal(new byte[] { 0, 255, 7 }, back.GetValueBytes("x-blob-bin"));
        Assert.Equal("one, two", string.Join(", ", call.GetTrailers().GetAll("trailer-x-text").Select(e => e.Value)));
        Assert.Equal(new byte[] { 0, 255, 7 }, call.GetTrailers().GetValueBytes("trailer-x-blob-bin"));
    }

    [Fact]
    public async Task Gzip_goes_both_ways()
    {
        using var looking = new LookingAtEncoding();
        using var compressing = server.Channel(new GrpcChannelOptions
        {
            HttpHandler = looking,
            CompressionProviders = [new GzipCompressionProvider(System.IO.Compression.CompressionLevel.Optimal)],
        });
        var text = new string('a', 100_000);
        var call = new EchoClient(compressing).SayAsync(new Text { Text_ = text }, new Metadata { { "grpc-internal-encoding-request", "gzip" } }, Soon);
        var headers = await call.ResponseHeadersAsync;
        Assert.Equal(text, (await call).Text_);
        Assert.Equal("gzip", headers.GetValue("request-encoding"));
        Assert.Equal("gzip", looking.ResponseEncoding);
    }

    [Fact]
    public async Task Server_interceptors_see_every_kind_of_call()
    {
        await Client.SayAsync(new Text(), deadline: Soon);
        await A_client_stream_is_summed();
        await A_server_stream_comes_in_order_and_ends_with_trailers();
        await A_duplex_stream_answers_while_it_is_written();
        foreach (var seen in new[] { "unary /grpc.tests.Echo/Say", "client /grpc.tests.Echo/Sum", "server /grpc.tests.Echo/Count", "duplex /grpc.tests.Echo/Chat" })
            Assert.Contains(seen, server.Interceptor.Seen);
    }

    [Fact]
    public async Task Client_interceptors_run_first_to_last_and_may_change_headers()
    {
        var order = new List<string>();
        var invoker = channel
            .Intercept(headers => { headers.Add("x-text", "by function"); return headers; })
            .Intercept(new Noting("first", order), new Noting("second", order));
        var client = new EchoClient(invoker);
        var call = client.SayAsync(new Text { Text_ = "i" }, deadline: Soon);
        Assert.Equal("by function", (await call.ResponseHeadersAsync).GetValue("x-text"));
        await call;
        Assert.Equal("i", client.Say(new Text { Text_ = "i" }, deadline: Soon).Text_);
        using (var count = client.Count(new Number { Number_ = 1 }, deadline: Soon))
            Assert.True(await count.ResponseStream.MoveNext());
        using (client.Sum(deadline: Soon)) { }
        using (client.Chat(deadline: Soon)) { }
        string[] each = ["Say", "Say", "Count", "Sum", "Chat"];
        Assert.Equal(each.SelectMany(m => new[] { $"first {m}", $"second {m}" }), order);
    }

    [Fact]
    public async Task A_client_for_another_host_calls_all_the_same()
    {
        var client = new EchoClient(channel.CreateCallInvoker()).WithHost("elsewhere.example");
        Assert.Equal("h", (await client.SayAsync(new Text { Text_ = "h" }, deadline: Soon)).Text_);
    }

    [Fact]
    public async Task Call_credentials_compose_and_travel()
    {
        using var secured = server.Channel(new GrpcChannelOptions { UnsafeUseInsecureChannelCallCredentials = true });
        var credentials = CallCredentials.Compose(
            CallCredentials.FromInterceptor((_, metadata) => { metadata.Add("authorization", "Bearer abc"); return Task.CompletedTask; }),
            CallCredentials.FromInterceptor((context, metadata) =>
            {
                metadata.Add("x-text", context.ServiceUrl.EndsWith("/grpc.tests.Echo", StringComparison.Ordinal) ? "url" : context.ServiceUrl);
                return Task.CompletedTask;
            }));
        var call = new EchoClient(secured).SayAsync(new Text(), new CallOptions(deadline: Soon, credentials: credentials));
        var headers = await call.ResponseHeadersAsync;
        await call;
        Assert.Equal("Bearer abc", headers.GetValue("seen-authorization"));
        Assert.Equal("url", headers.GetValue("x-text"));
    }

    [Fact]
    public void Channel_credentials_are_understood_by_the_client()
    {
        var call = CallCredentials.FromInterceptor((_, _) => Task.CompletedTask);
        Assert.Throws<ArgumentException>(() => ChannelCredentials.Create(ChannelCredentials.Insecure, call));
        using var tls = GrpcChannel.ForAddress("https://localhost:1", new GrpcChannelOptions { Credentials = ChannelCredentials.Create(ChannelCredentials.SecureSsl, call) });
        Assert.Throws<InvalidOperationException>(() => server.Channel(new GrpcChannelOptions { Credentials = ChannelCredentials.SecureSsl }));
        using var plain = server.Channel(new GrpcChannelOptions { Credentials = ChannelCredentials.Insecure });
        Assert.Equal("p", new EchoClient(plain).Say(new Text { Text_ = "p" }, deadline: Soon).Text_);
    }

    [Fact]
    public async Task An_unreachable_server_is_unavailable()
    {
        using var nobody = GrpcChannel.ForAddress("http://127.0.0.1:1");
        var error = await Assert.ThrowsAsync<RpcException>(async () => await new EchoClient(nobody).SayAsync(new Text(), deadline: Soon));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.NotNull(error.Status.DebugException);
    }

    private static Marshaller<Text> Text() => Marshallers.Create(Google.Protobuf.MessageExtensions.ToByteArray, Echo.Text.Parser.ParseFrom);

    /// <summary>Looks at the time limit that requests tell the server, or puts one in.</summary>
    private sealed class Timeouts() : DelegatingHandler(new SocketsHttpHandler())
    {
        private const string Header = "grpc-timeout";

        public string? Told { get; private set; }

        public string? Forced { get; set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Told = request.Headers.TryGetValues(Header, out var values) ? values.Single() : null;
            if (Forced != null)
                request.Headers.Add(Header, Forced);
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class LookingAtEncoding() : DelegatingHandler(new SocketsHttpHandler())
    {
        public string? ResponseEncoding { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            ResponseEncoding = response.Headers.TryGetValues("grpc-encoding", out var values) ? values.Single() : null;
            return response;
        }
    }

    private sealed class Noting(string name, List<string> order) : Interceptor
    {
        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context, BlockingUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            order.Add($"{name} {context.Method.Name}");
            return base.BlockingUnaryCall(request, context, continuation);
        }

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            order.Add($"{name} {context.Method.Name}");
            return base.AsyncUnaryCall(request, context, continuation);
        }

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            order.Add($"{name} {context.Method.Name}");
            return base.AsyncServerStreamingCall(request, context, continuation);
        }

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            ClientInterceptorContext<TRequest, TResponse> context, AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            order.Add($"{name} {context.Method.Name}");
            return base.AsyncClientStreamingCall(context, continuation);
        }

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            ClientInterceptorContext<TRequest, TResponse> context, AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            order.Add($"{name} {context.Method.Name}");
            return base.AsyncDuplexStreamingCall(context, continuation);
        }
    }
}
