using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Cluster.Contracts.V1;
using Cluster.Gateway;
using Cluster.Gateway.Http;
using Cluster.Gateway.Rest;
using Cluster.Hosting.Batching;
using Gateway.Tests.Http;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Monitor = Cluster.Contracts.V1.Monitor;

namespace Gateway.Tests.Rest;

/// <summary>The other services of a peer, in this process and behind one Unix socket, and the REST API in front of them.</summary>
internal sealed class FakePeer : IAsyncDisposable
{
    public const string PeerText = "12D3KooWHfVCWrdyYBK6RtzKWwcUJv2mZTfLHi4aRXhpHZrgKpsf";

    private readonly string socket = Path.Combine(Path.GetTempPath(), $"gw{Guid.NewGuid():N}.sock");
    private WebApplication? services;
    private GrpcChannel channel = null!;
    private BatchedClusterCalls calls = null!;
    private TestFace face = null!;

    public static ByteString PeerBytes { get; } = ByteString.CopyFrom(Libp2p.PeerId.Parse(PeerText).Bytes);

    public FakeCluster Cluster { get; } = new();

    public FakeConnector Connector { get; } = new();

    public FakeNetwork Network { get; } = new();

    public IPEndPoint Endpoint => face.Endpoint;

    /// <summary>Released when a request has ended, whatever became of it.</summary>
    public SemaphoreSlim Ended { get; } = new(0);

    public static async Task<FakePeer> StartAsync()
    {
        var peer = new FakePeer();
        await peer.StartServicesAsync();
        peer.channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { ConnectCallback = async (_, cancellation) => await peer.ConnectAsync(cancellation) },
        });
        var cluster = new Cluster.Contracts.V1.Cluster.ClusterClient(peer.channel);
        peer.calls = new BatchedClusterCalls(cluster);
        var client = new PeerClient(
            cluster, peer.calls, new Monitor.MonitorClient(peer.channel), new Connector.ConnectorClient(peer.channel),
            new PeerNetwork.PeerNetworkClient(peer.channel), TimeProvider.System, NullLogger.Instance);
        peer.face = await TestFace.StartAsync(o => o with { Name = "restapi" }, null, [.. new RestApi(client, NullLoggerFactory.Instance).Routes.Where(route => route.Pattern is not ("/version" or "/health")).Select(peer.Noted)]);
        return peer;
    }

    public async Task StartServicesAsync()
    {
        File.Delete(socket);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(Cluster);
        builder.Services.AddSingleton(Connector);
        builder.Services.AddSingleton(Network);
        services = builder.Build();
        services.UseRouting();
        services.MapGrpcService<FakeCluster>();
        services.MapGrpcService<FakeConnector>();
        services.MapGrpcService<FakeNetwork>();
        await services.StartAsync();
    }

    /// <summary>Ends the services in the middle of whatever they do.</summary>
    public async Task StopServicesAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await services!.StopAsync(now.Token);
        await services.DisposeAsync();
    }

    public RawAnswer Request(string method, string path, string body = "", params string[] headers) => RawHttp.Once(
        Endpoint, $"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n{body}");

    public RawAnswer Get(string path) => Request("GET", path);

    public async ValueTask DisposeAsync()
    {
        await face.DisposeAsync();
        await calls.DisposeAsync();
        channel.Dispose();
        await StopServicesAsync();
        File.Delete(socket);
    }

    private Route Noted(Route route) => route with
    {
        Handler = async exchange =>
        {
            try
            {
                await route.Handler(exchange);
            }
            finally
            {
                Ended.Release();
            }
        },
    };

    private async Task<Stream> ConnectAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
                return new NetworkStream(connection, ownsSocket: true);
            }
            catch (SocketException)
            {
                connection.Dispose();
                await Task.Delay(20, cancellation);
            }
        }
    }
}

/// <summary>A pinset in memory.</summary>
internal sealed class FakeCluster : Cluster.Contracts.V1.Cluster.ClusterBase
{
    public ConcurrentDictionary<ByteString, Pin> Pins { get; } = new();

    /// <summary>Streams to answer lists with, instead of the pinset.</summary>
    public Func<IServerStreamWriter<GlobalPinInfoBatch>, StatusAllRequest, Task>? StatusAllAnswer { get; set; }

    public override Task<PeerInfo> Id(IdRequest request, ServerCallContext context) =>
        Task.FromResult(new PeerInfo { Id = FakePeer.PeerBytes, Version = "1.1.6", PeerName = "fake", Ipfs = new IpfsId { Error = "down" } });

    public override Task Calls(IAsyncStreamReader<CallBatch> requestStream, IServerStreamWriter<CallResultBatch> responseStream, ServerCallContext context) =>
        BatchedCalls.ServeAsync(BatchShapes.Cluster, requestStream, responseStream, (call, _, _) => ValueTask.FromResult(Answer(call)), 1024, context.CancellationToken);

    public override async Task StatusAll(StatusAllRequest request, IServerStreamWriter<GlobalPinInfoBatch> responseStream, ServerCallContext context)
    {
        if (StatusAllAnswer is not null) await StatusAllAnswer(responseStream, request);
        else if (!Pins.IsEmpty)
        {
            var batch = new GlobalPinInfoBatch();
            foreach (Pin pin in Pins.Values) batch.Items.Add(Status(pin.Cid));
            await responseStream.WriteAsync(batch);
        }
    }

    public override async Task Allocations(AllocationsRequest request, IServerStreamWriter<PinBatch> responseStream, ServerCallContext context)
    {
        foreach (Pin[] pins in Pins.Values.Chunk(256))
        {
            var batch = new PinBatch();
            batch.Pins.Add(pins);
            await responseStream.WriteAsync(batch);
        }
    }

    public override Task<BlockAllocateResponse> BlockAllocate(BlockAllocateRequest request, ServerCallContext context) =>
        Task.FromResult(new BlockAllocateResponse { Peers = { BlockPeers } });

    /// <summary>Who is to hold the blocks of an add.</summary>
    public IReadOnlyList<ByteString> BlockPeers { get; set; } = [FakePeer.PeerBytes];

    private CallResult Answer(Call call)
    {
        var notPinned = new CallResult { Error = new ItemError { Code = (int)StatusCode.NotFound, Message = "pin is not part of the pinset" } };
        switch (call.CallCase)
        {
            case Call.CallOneofCase.Pin:
                if (call.Pin.Options.ReplicationFactorMin > 1)
                    return new CallResult { Error = new ItemError { Code = (int)StatusCode.ResourceExhausted, Message = "not enough peers to allocate CID." } };
                Pin pin = call.Pin.Preset ?? new Pin { Cid = call.Pin.Cid, Options = call.Pin.Options, Type = PinType.Data, MaxDepth = -1 };
                pin.Timestamp = new Time { Seconds = 1_700_000_000, Nanos = 5 };
                Pins[call.Pin.Cid] = pin;
                return new CallResult { Pin = pin };
            case Call.CallOneofCase.Unpin:
                return Pins.TryRemove(call.Unpin.Cid, out Pin? removed) ? new CallResult { Pin = removed } : notPinned;
            case Call.CallOneofCase.Allocation:
                return Pins.TryGetValue(call.Allocation.Cid, out Pin? found) ? new CallResult { Pin = found } : notPinned;
            default:
                return new CallResult { Status = Status(call.Status?.Cid ?? call.Recover.Cid) };
        }
    }

    private GlobalPinInfo Status(ByteString cid)
    {
        bool pinned = Pins.TryGetValue(cid, out Pin? pin);
        return new GlobalPinInfo
        {
            Cid = cid,
            InPinset = pinned,
            Name = pin?.Options.Name ?? "",
            Created = new Time { Seconds = 1_700_000_000 },
            Peers = { new PinInfo { Peer = FakePeer.PeerBytes, PeerName = "fake", Status = pinned ? TrackerStatus.Pinned : TrackerStatus.Unpinned, Timestamp = new Time { Seconds = 1_700_000_000 } } },
        };
    }
}

/// <summary>A daemon that keeps blocks in memory.</summary>
internal sealed class FakeConnector : Connector.ConnectorBase
{
    public ConcurrentDictionary<ByteString, ByteString> Blocks { get; } = new();

    public bool IsDown { get; set; }

    public override async Task PutBlocks(IAsyncStreamReader<PutBlocksRequest> requestStream, IServerStreamWriter<PutBlocksResponse> responseStream, ServerCallContext context)
    {
        if (IsDown) throw new RpcException(new Status(StatusCode.Unavailable, "Post \"http://127.0.0.1:1/api/v0/block/put\": connection refused"));
        while (await requestStream.MoveNext())
        {
            foreach (Block block in requestStream.Current.Blocks) Blocks[block.Cid] = block.Data;
            await responseStream.WriteAsync(new PutBlocksResponse { Written = (uint)requestStream.Current.Blocks.Count });
        }
    }
}

/// <summary>Other peers, whose daemons keep blocks in memory.</summary>
internal sealed class FakeNetwork : PeerNetwork.PeerNetworkBase
{
    public ConcurrentDictionary<ByteString, ConcurrentDictionary<ByteString, ByteString>> Blocks { get; } = new();

    /// <summary>Peers that fail at their first block, and why.</summary>
    public ConcurrentDictionary<ByteString, string> Failing { get; } = new();

    /// <summary>Streams opened.</summary>
    public int Streams;

    public override async Task PutBlocks(
        IAsyncStreamReader<NetworkPutBlocksRequest> requestStream, IServerStreamWriter<NetworkPutBlocksResponse> responseStream, ServerCallContext context)
    {
        Interlocked.Increment(ref Streams);
        var left = new List<ByteString>();
        while ((left.Count > 0 || Blocks.IsEmpty) && await requestStream.MoveNext())
        {
            var response = new NetworkPutBlocksResponse();
            foreach (ByteString peer in requestStream.Current.Peers)
            {
                if (Failing.TryGetValue(peer, out string? why))
                    response.Destinations.Add(new NetworkPutBlocksResponse.Types.Destination { Peer = peer, Error = new ItemError { Code = (int)StatusCode.Unavailable, Message = why } });
                else left.Add(peer);
                Blocks[peer] = new();
            }

            foreach (ByteString peer in left)
            {
                foreach (Block block in requestStream.Current.Blocks) Blocks[peer][block.Cid] = block.Data;
                response.Destinations.Add(new NetworkPutBlocksResponse.Types.Destination { Peer = peer, Written = (uint)requestStream.Current.Blocks.Count });
            }

            await responseStream.WriteAsync(response);
        }
    }
}
