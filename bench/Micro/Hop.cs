using System.Net.Sockets;
using Cluster.Contracts.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Micro.Bench;

/// <summary>One gRPC hop over a Unix socket: a status asked by unary calls, and by batches on one duplex stream (client and server in one process).</summary>
internal static class Hop
{
    private static readonly ByteString Cid = ByteString.CopyFrom([1, 0x55, 0, 4, 1, 2, 3, 4]);

    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("hop-").FullName;
        var socket = Path.Combine(folder, "tracker.sock");
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        await using var server = builder.Build();
        server.UseRouting();
        server.MapGrpcService<Answerer>();
        await server.StartAsync();
        using var channel = GrpcChannel.ForAddress("http://tracker", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellation) =>
                {
                    var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
                    return new NetworkStream(connection, ownsSocket: true);
                },
            },
        });
        var client = new Tracker.TrackerClient(channel);

        const int calls = 4_000;
        var one = await Measure.ItemsAsync(calls, () => UnaryAsync(client, calls, 1));
        Report("unary, one at a time", one, one.Processor);
        Report("unary, 32 at a time", await Measure.ItemsAsync(calls, () => UnaryAsync(client, calls, 32)), one.Processor);
        foreach (var size in (int[])[1, 32, 256])
            Report($"duplex stream, batches of {size}", await Measure.ItemsAsync(calls, () => BatchesAsync(client, calls, size)), one.Processor);
        await server.StopAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static Task UnaryAsync(Tracker.TrackerClient client, int calls, int callers) => Task.WhenAll(Enumerable.Range(0, callers).Select(async _ =>
    {
        for (var i = 0; i < calls / callers; i++)
            await client.StatusAsync(new TrackerStatusRequest { Cid = Cid }, deadline: DateTime.UtcNow.AddSeconds(30));
    }));

    private static async Task BatchesAsync(Tracker.TrackerClient client, int calls, int size)
    {
        using var stream = client.Calls(deadline: DateTime.UtcNow.AddSeconds(60));
        for (var done = 0; done < calls;)
        {
            var batch = new TrackerCallBatch();
            for (var i = 0; i < size; i++) batch.Calls.Add(new TrackerCall { Id = (ulong)i, Status = new TrackerStatusRequest { Cid = Cid } });
            await stream.RequestStream.WriteAsync(batch);
            if (!await stream.ResponseStream.MoveNext(CancellationToken.None)) throw new InvalidOperationException("the stream ended");
            done += stream.ResponseStream.Current.Results.Count;
        }
        await stream.RequestStream.CompleteAsync();
    }

    private static void Report(string what, (double Wall, double Processor) measured, double yardstick) => Console.WriteLine(
        $"{what,-36} {measured.Wall,9:N2} us   {measured.Processor,8:N2} us CPU   {measured.Processor / yardstick,7:N3} x");

    private sealed class Answerer : Tracker.TrackerBase
    {
        public override Task<PinInfo> Status(TrackerStatusRequest request, ServerCallContext context) =>
            Task.FromResult(new PinInfo { Cid = request.Cid, Status = TrackerStatus.Pinned });

        public override async Task Calls(
            IAsyncStreamReader<TrackerCallBatch> requests, IServerStreamWriter<TrackerCallResultBatch> responses, ServerCallContext context)
        {
            while (await requests.MoveNext(context.CancellationToken))
            {
                var results = new TrackerCallResultBatch();
                foreach (var call in requests.Current.Calls)
                    results.Results.Add(new TrackerCallResult { Id = call.Id, Info = new PinInfo { Cid = call.Status.Cid, Status = TrackerStatus.Pinned } });
                await responses.WriteAsync(results, context.CancellationToken);
            }
        }
    }
}
