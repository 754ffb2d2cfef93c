using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1;
using Cluster.Contracts.V1;
using Cluster.Hosting.Health;
using Google.Protobuf.Reflection;
using Microsoft.Extensions.DependencyInjection;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Cluster.Hosting.Tests;

public sealed class EndpointTests
{
    private static DateTime Soon => DateTime.UtcNow.AddMinutes(2);

    [Fact]
    public async Task A_service_answers_health_on_its_socket_that_only_the_owner_reaches()
    {
        await using var peer = new TestPeer();
        await peer.StartAsync(ServiceName.Monitor);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(Path.Combine(peer.Folder, "run")));
        var health = new Grpc.Health.V1.Health.HealthClient(peer.Channels.For(ServiceName.Monitor));
        foreach (var name in new[] { "", "grpc.health.v1.Health", "ipfscluster.v1.ServiceInfo" })
            Assert.Equal(ServingStatus.Serving, (await health.CheckAsync(new HealthCheckRequest { Service = name }, deadline: Soon)).Status);
        var error = await Assert.ThrowsAsync<RpcException>(async () => await health.CheckAsync(new HealthCheckRequest { Service = "nobody" }, deadline: Soon));
        Assert.Equal(StatusCode.NotFound, error.StatusCode);
        var all = await health.ListAsync(new HealthListRequest(), deadline: Soon);
        Assert.Contains("grpc.reflection.v1.ServerReflection", all.Statuses.Keys);
    }

    [Fact]
    public async Task A_watch_of_health_tells_every_change()
    {
        await using var peer = new TestPeer();
        var application = await peer.StartAsync(ServiceName.Monitor);
        var health = application.Services.GetRequiredService<ServiceHealth>();
        using var watch = new Grpc.Health.V1.Health.HealthClient(peer.Channels.For(ServiceName.Monitor)).Watch(new HealthCheckRequest { Service = "x.Y" }, deadline: Soon);
        Assert.True(await watch.ResponseStream.MoveNext());
        Assert.Equal(ServingStatus.ServiceUnknown, watch.ResponseStream.Current.Status);
        health.Set("x.Y", serving: false);
        Assert.True(await watch.ResponseStream.MoveNext());
        Assert.Equal(ServingStatus.NotServing, watch.ResponseStream.Current.Status);
        health.Set(serving: true);
        Assert.True(await watch.ResponseStream.MoveNext());
        Assert.Equal(ServingStatus.Serving, watch.ResponseStream.Current.Status);
    }

    [Fact]
    public async Task A_watch_of_health_does_not_hold_up_the_stop()
    {
        await using var peer = new TestPeer();
        var application = await peer.StartAsync(ServiceName.Monitor);
        using var watch = new Grpc.Health.V1.Health.HealthClient(peer.Channels.For(ServiceName.Monitor)).Watch(new HealthCheckRequest(), deadline: Soon);
        Assert.True(await watch.ResponseStream.MoveNext());
        Assert.Equal(ServingStatus.Serving, watch.ResponseStream.Current.Status);
        var stopping = application.StopAsync();
        Assert.True(await watch.ResponseStream.MoveNext());
        Assert.Equal(ServingStatus.NotServing, watch.ResponseStream.Current.Status);
        var end = await Assert.ThrowsAsync<RpcException>(() => watch.ResponseStream.MoveNext());
        Assert.Equal((StatusCode.Unavailable, "the service stops"), (end.StatusCode, end.Status.Detail));
        await stopping;
    }

    [Fact]
    public async Task Reflection_tells_services_files_and_symbols()
    {
        await using var peer = new TestPeer();
        await peer.StartAsync(ServiceName.Tracker, service => service.MapGrpc<EchoTracker>());
        using var call = new ServerReflection.ServerReflectionClient(peer.Channels.For(ServiceName.Tracker)).ServerReflectionInfo(deadline: Soon);

        async Task<ServerReflectionResponse> AskAsync(ServerReflectionRequest request)
        {
            await call.RequestStream.WriteAsync(request);
            Assert.True(await call.ResponseStream.MoveNext());
            Assert.Equal(request, call.ResponseStream.Current.OriginalRequest);
            return call.ResponseStream.Current;
        }

        var services = (await AskAsync(new() { ListServices = "" })).ListServicesResponse.Service.Select(s => s.Name);
        Assert.Equal(
            ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "ipfscluster.v1.ServiceInfo", "ipfscluster.v1.Tracker"],
            services);
        var files = (await AskAsync(new() { FileContainingSymbol = "ipfscluster.v1.Tracker.Status" })).FileDescriptorResponse.FileDescriptorProto
            .Select(FileDescriptorProto.Parser.ParseFrom).ToArray();
        Assert.Equal(["ipfscluster/v1/tracker.proto", "ipfscluster/v1/types.proto"], files.Select(f => f.Name));
        Assert.Contains(files[0].Service[0].Method, m => m is { Name: "Calls", ClientStreaming: true, ServerStreaming: true });
        // Imports come once a stream, what is asked for always.
        Assert.Single((await AskAsync(new() { FileByFilename = "ipfscluster/v1/tracker.proto" })).FileDescriptorResponse.FileDescriptorProto);
        Assert.Equal((int)StatusCode.NotFound, (await AskAsync(new() { FileContainingSymbol = "no.Such" })).ErrorResponse.ErrorCode);
        Assert.Empty((await AskAsync(new() { AllExtensionNumbersOfType = "ipfscluster.v1.Pin" })).AllExtensionNumbersResponse.ExtensionNumber);
        Assert.Equal((int)StatusCode.NotFound, (await AskAsync(new() { FileContainingExtension = new() { ContainingType = "a.B", ExtensionNumber = 1 } })).ErrorResponse.ErrorCode);
        Assert.Equal((int)StatusCode.InvalidArgument, (await AskAsync(new())).ErrorResponse.ErrorCode);
    }

    [Fact]
    public async Task Over_TCP_a_call_needs_the_token_and_a_health_check_does_not()
    {
        var free = TestPeer.FreeEndPoint();
        await using var peer = new TestPeer(new() { ["CLUSTER_TRACKER_ENDPOINT"] = $"http://{free}" });
        await peer.StartAsync(ServiceName.Tracker, service => service.MapGrpc<EchoTracker>());
        var withToken = new Tracker.TrackerClient(peer.Channels.For(ServiceName.Tracker));
        Assert.NotNull(await withToken.QueueSizeAsync(new Empty(), deadline: Soon));
        using var bare = GrpcChannel.ForAddress($"http://{free}");
        foreach (var headers in new[] { new Metadata(), new Metadata { { "authorization", "Bearer " + new string('0', 64) } } })
        {
            var error = await Assert.ThrowsAsync<RpcException>(
                async () => await new Tracker.TrackerClient(bare).QueueSizeAsync(new Empty(), headers, deadline: Soon));
            Assert.Equal(StatusCode.Unauthenticated, error.StatusCode);
        }

        Assert.Equal(ServingStatus.Serving, (await new Grpc.Health.V1.Health.HealthClient(bare).CheckAsync(new HealthCheckRequest(), deadline: Soon)).Status);
    }

    [Fact]
    public async Task Without_a_cluster_secret_no_service_listens_on_TCP()
    {
        await using var peer = new TestPeer(new() { ["CLUSTER_TRACKER_ENDPOINT"] = "127.0.0.1:0" }, withSecret: false);
        var error = await Assert.ThrowsAsync<ServiceStartException>(() => peer.StartAsync(ServiceName.Tracker));
        Assert.Contains("cluster.secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_of_ours_is_INTERNAL_and_logged()
    {
        await using var peer = new TestPeer();
        await peer.StartAsync(ServiceName.Tracker, service => service.MapGrpc<EchoTracker>());
        var client = new Tracker.TrackerClient(peer.Channels.For(ServiceName.Tracker));
        var error = await Assert.ThrowsAsync<RpcException>(async () => await client.StatusAsync(new TrackerStatusRequest(), deadline: Soon));
        Assert.Equal(StatusCode.Internal, error.StatusCode);
        Assert.Equal("no such luck", error.Status.Detail);
        Assert.Contains("/ipfscluster.v1.Tracker/Status failed", System.Text.Encoding.UTF8.GetString(peer.LogText.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_made_while_the_service_restarts_waits_for_it()
    {
        await using var peer = new TestPeer();
        var client = new Tracker.TrackerClient(peer.Channels.For(ServiceName.Tracker));
        var early = client.QueueSizeAsync(new Empty(), deadline: Soon).ResponseAsync;
        var first = await peer.StartAsync(ServiceName.Tracker, service => service.MapGrpc<EchoTracker>());
        Assert.NotNull(await early);
        await first.StopAsync();
        var between = client.QueueSizeAsync(new Empty(), deadline: Soon).ResponseAsync;
        await peer.StartAsync(ServiceName.Tracker, service => service.MapGrpc<EchoTracker>());
        Assert.NotNull(await between);
    }

    [Fact]
    public async Task Calls_over_and_over_see_nothing_of_restarts()
    {
        await using var peer = new TestPeer();
        var client = new Tracker.TrackerClient(peer.Channels.For(ServiceName.Tracker));
        using var enough = new CancellationTokenSource();
        var calling = Task.Run(async () =>
        {
            var calls = 0;
            for (; !enough.IsCancellationRequested; calls++)
                Assert.NotNull(await client.QueueSizeAsync(new Empty(), deadline: Soon));
            return calls;
        });
        for (var i = 0; i < 5; i++)
        {
            var service = await peer.StartAsync(ServiceName.Tracker, builder => builder.MapGrpc<EchoTracker>());
            await client.QueueSizeAsync(new Empty(), deadline: Soon);
            await service.StopAsync();
        }

        await peer.StartAsync(ServiceName.Tracker, builder => builder.MapGrpc<EchoTracker>());
        await client.QueueSizeAsync(new Empty(), deadline: Soon);
        await enough.CancelAsync();
        Assert.True(await calling > 0);
    }

    [Fact]
    public async Task A_socket_file_left_by_a_killed_process_is_replaced()
    {
        await using var peer = new TestPeer();
        peer.Endpoints.CreateSocketFolder();
        await File.WriteAllTextAsync(Path.Combine(peer.Folder, "run", "tracker.sock"), "");
        await peer.StartAsync(ServiceName.Tracker);
        var health = new Grpc.Health.V1.Health.HealthClient(peer.Channels.For(ServiceName.Tracker));
        Assert.Equal(ServingStatus.Serving, (await health.CheckAsync(new HealthCheckRequest(), deadline: Soon)).Status);
    }

    [Theory]
    [InlineData("unix:/a/b.sock", "unix:/a/b.sock")]
    [InlineData("unix:///a/b.sock", "unix:/a/b.sock")]
    [InlineData("tracker:9201", "http://tracker:9201")]
    [InlineData("http://[::1]:80", "http://[::1]:80")]
    [InlineData("https://tracker:443", "https://tracker:443")]
    public void Endpoints_are_read(string text, string expected) => Assert.Equal(expected, ServiceEndpoint.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("unix:")]
    [InlineData("tracker")]
    [InlineData("ftp://tracker:1")]
    [InlineData("http://tracker:1/path")]
    [InlineData("http://user@tracker:1")]
    [InlineData("tracker:99999")]
    public void What_is_no_endpoint_is_refused(string text) => Assert.Throws<FormatException>(() => ServiceEndpoint.Parse(text));

    [Fact]
    public void A_folder_too_deep_for_a_socket_gets_one_elsewhere()
    {
        var endpoints = new ServiceEndpoints("/" + new string('x', 100), _ => null);
        Assert.StartsWith(Path.GetTempPath(), endpoints.SocketFolder, StringComparison.Ordinal);
        Assert.Equal(endpoints.SocketFolder, new ServiceEndpoints("/" + new string('x', 100), _ => null).SocketFolder);
    }

    [Fact]
    public void The_token_depends_on_the_secret_alone()
    {
        var token = ServiceToken.FromSecret(new byte[32]);
        Assert.Equal(token.Value, ServiceToken.FromSecret(new byte[32]).Value);
        Assert.NotEqual(token.Value, ServiceToken.FromSecret([1, .. new byte[31]]).Value);
        Assert.True(token.IsIn("Bearer " + token.Value));
        Assert.False(token.IsIn("Bearer " + token.Value.ToUpperInvariant()));
        Assert.False(token.IsIn(null));
    }
}
