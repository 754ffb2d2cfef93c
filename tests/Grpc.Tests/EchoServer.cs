using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Tests.Echo;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.Tests;

/// <summary>A real server in this process on a port of the system's choice, shared by the tests of a class.</summary>
public sealed class EchoServer : IAsyncLifetime
{
    private WebApplication app = null!;

    public Uri Address { get; private set; } = null!;

    public EchoService Service { get; } = new();

    public RecordingInterceptor Interceptor { get; } = new();

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(options =>
        {
            options.ResponseCompressionAlgorithm = "gzip";
            options.ResponseCompressionLevel = CompressionLevel.Fastest;
            options.Interceptors.Add<RecordingInterceptor>();
        });
        builder.Services.AddSingleton(Service);
        builder.Services.AddSingleton(Interceptor);
        app = builder.Build();
        app.UseRouting();
        app.MapGrpcService<EchoService>();
        await app.StartAsync();
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public async Task DisposeAsync() => await app.DisposeAsync();

    public GrpcChannel Channel(GrpcChannelOptions? options = null) => GrpcChannel.ForAddress(Address, options ?? new GrpcChannelOptions());
}

public sealed class EchoService : Echo.Echo.EchoBase
{
    private readonly ConcurrentDictionary<string, (TaskCompletionSource Started, TaskCompletionSource Cancelled)> hung = new();

    public Task Started(string text) => Hung(text).Started.Task.WaitAsync(TimeSpan.FromSeconds(60));

    public Task WasCancelled(string text) => Hung(text).Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(60));

    public override async Task<Text> Say(Text request, ServerCallContext context)
    {
        var headers = new Metadata();
        foreach (var entry in context.RequestHeaders.Where(e => e.Key.StartsWith("x-", StringComparison.Ordinal)))
        {
            headers.Add(entry);
            if (entry.IsBinary)
                context.ResponseTrailers.Add("trailer-" + entry.Key, entry.ValueBytes);
            else
                context.ResponseTrailers.Add("trailer-" + entry.Key, entry.Value);
        }

        if (context.GetHttpContext().Request.Headers.TryGetValue("grpc-encoding", out var encoding))
            headers.Add("request-encoding", encoding.ToString());
        if (context.RequestHeaders.GetValue("authorization") is { } authorization)
            headers.Add("seen-authorization", authorization);
        await context.WriteResponseHeadersAsync(headers);
        return new Text { Text_ = request.Text_ };
    }

    public override async Task<Number> Sum(IAsyncStreamReader<Number> requestStream, ServerCallContext context)
    {
        long sum = 0;
        await foreach (var number in requestStream.ReadAllAsync(context.CancellationToken))
            sum += number.Number_;
        return new Number { Number_ = sum };
    }

    public override async Task Count(Number request, IServerStreamWriter<Number> responseStream, ServerCallContext context)
    {
        for (var i = 1; i <= request.Number_; i++)
            await responseStream.WriteAsync(new Number { Number_ = i }, context.CancellationToken);
        context.ResponseTrailers.Add("counted", request.Number_.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    public override async Task Chat(IAsyncStreamReader<Text> requestStream, IServerStreamWriter<Text> responseStream, ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken))
            await responseStream.WriteAsync(new Text { Text_ = requestStream.Current.Text_.ToUpperInvariant() }, context.CancellationToken);
    }

    public override Task<Text> Fail(Text request, ServerCallContext context) => throw new RpcException(
        new Status(StatusCode.FailedPrecondition, request.Text_),
        new Metadata { { "why", "because" }, { "grpc-status-details-bin", [8, 9, 18, 2, (byte)'n', (byte)'o'] } });

    public override async Task<Text> Hang(Text request, ServerCallContext context)
    {
        var (started, cancelled) = Hung(request.Text_);
        using var registration = context.CancellationToken.Register(() => cancelled.TrySetResult());
        started.TrySetResult();
        await cancelled.Task;
        throw new RpcException(Status.DefaultCancelled);
    }

    public override async Task<Number> Begun(Text request, ServerCallContext context)
    {
        await Started(request.Text_);
        return new Number { Number_ = 1 };
    }

    public override async Task<Number> Cancelled(Text request, ServerCallContext context)
    {
        await WasCancelled(request.Text_);
        return new Number { Number_ = 1 };
    }

    private (TaskCompletionSource Started, TaskCompletionSource Cancelled) Hung(string text) => hung.GetOrAdd(
        text,
        _ => (new(TaskCreationOptions.RunContinuationsAsynchronously), new(TaskCreationOptions.RunContinuationsAsynchronously)));
}

/// <summary>Notes every call that passes; a server resolves it from its services.</summary>
public sealed class RecordingInterceptor : Interceptor
{
    public ConcurrentQueue<string> Seen { get; } = new();

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Seen.Enqueue("unary " + context.Method);
        return continuation(request, context);
    }

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Seen.Enqueue("client " + context.Method);
        return continuation(requestStream, context);
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Seen.Enqueue("server " + context.Method);
        return continuation(request, responseStream, context);
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Seen.Enqueue("duplex " + context.Method);
        return continuation(requestStream, responseStream, context);
    }
}
