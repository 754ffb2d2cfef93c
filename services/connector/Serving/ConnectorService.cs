using Cluster.Connector.Running;
using Cluster.Contracts.V1;
using Google.Protobuf;
using Grpc.Core;
using KuboRpc;
using Contract = Cluster.Contracts.V1.Connector;

namespace Cluster.Connector.Serving;

/// <summary>The contract <c>Connector</c>.</summary>
public sealed class ConnectorService(KuboClient client, DaemonHealthWatch health, ConnectorObserver observer) : Contract.ConnectorBase
{
    private const int PinsOfOneMessage = 512;
    private const int KeysOfOneMessage = 256;
    private static readonly Empty Done = new();

    /// <inheritdoc/>
    public override Task<IpfsId> Id(ConnectorIdRequest request, ServerCallContext context) => AskAsync(async () =>
        Messages.Id(await health.IdAsync(TimeSpan.FromMilliseconds(request.MaxAgeMs), context.CancellationToken)));

    /// <inheritdoc/>
    public override async Task WatchHealth(Empty request, IServerStreamWriter<DaemonHealth> responseStream, ServerCallContext context)
    {
        await foreach (var state in health.WatchAsync(context.CancellationToken))
            await responseStream.WriteAsync(Messages.Health(state), context.CancellationToken);
    }

    /// <inheritdoc/>
    public override Task Pin(ConnectorPinRequest request, IServerStreamWriter<PinProgress> responseStream, ServerCallContext context) => AskAsync(async () =>
    {
        var progress = new LatestProgress();
        var pinning = client.PinAsync(Messages.Pin(request), progress, context.CancellationToken);
        try
        {
            await progress.SendUntilAsync(pinning, reached => responseStream.WriteAsync(Messages.Progress(reached), context.CancellationToken));
        }
        finally
        {
            await pinning;
        }
        await responseStream.WriteAsync(new PinProgress { Done = true }, context.CancellationToken);
        return Done;
    });

    /// <inheritdoc/>
    public override Task<Empty> Unpin(ConnectorUnpinRequest request, ServerCallContext context) => AskAsync(async () =>
    {
        await client.UnpinAsync(Messages.Cid(request.Cid), context.CancellationToken);
        return Done;
    });

    /// <inheritdoc/>
    public override async Task Calls(
        IAsyncStreamReader<ConnectorCallBatch> requestStream, IServerStreamWriter<ConnectorCallResultBatch> responseStream, ServerCallContext context)
    {
        using var calls = new CallStream(client, Failed, context.CancellationToken);
        await calls.RunAsync(requestStream, responseStream);
    }

    /// <inheritdoc/>
    public override Task<PinStatusResponse> PinStatus(PinStatusRequest request, ServerCallContext context) => AskAsync(async () =>
        new PinStatusResponse
        {
            Pin = Messages.PinKind(await client.CheckPinAsync(Messages.Cid(request.Cid), request.MaxDepth == 0, context.CancellationToken)),
        });

    /// <inheritdoc/>
    public override Task ListPins(ListPinsRequest request, IServerStreamWriter<ListPinsResponse> responseStream, ServerCallContext context) => AskAsync(async () =>
    {
        if (request.Recursive)
            observer.Listed(await ListAsync("recursive", responseStream, context.CancellationToken));
        if (request.Direct)
            await ListAsync("direct", responseStream, context.CancellationToken);
        return Done;
    });

    /// <inheritdoc/>
    public override Task<ResolveResponse> Resolve(ResolveRequest request, ServerCallContext context) => AskAsync(async () =>
    {
        var resolved = await client.ResolveAsync(request.Path, context.CancellationToken);
        return new ResolveResponse { Cid = ByteString.CopyFrom(resolved.Cid.Bytes), Path = resolved.Path };
    });

    /// <inheritdoc/>
    public override Task PutBlocks(
        IAsyncStreamReader<PutBlocksRequest> requestStream, IServerStreamWriter<PutBlocksResponse> responseStream, ServerCallContext context) => AskAsync(async () =>
    {
        await foreach (var written in client.PutBlocksAsync(ReadBlocksAsync(requestStream, context.CancellationToken), context.CancellationToken))
            await responseStream.WriteAsync(new PutBlocksResponse { Written = (uint)written }, context.CancellationToken);
        return Done;
    });

    /// <inheritdoc/>
    public override Task<Block> GetBlock(GetBlockRequest request, ServerCallContext context) => AskAsync(async () => new Block
    {
        Cid = request.Cid,
        Data = UnsafeByteOperations.UnsafeWrap(await client.GetBlockAsync(Messages.Cid(request.Cid), context.CancellationToken)),
    });

    /// <inheritdoc/>
    public override Task<SwarmPeersResponse> SwarmPeers(Empty request, ServerCallContext context) => AskAsync(async () =>
    {
        var response = new SwarmPeersResponse();
        response.Peers.Add((await client.SwarmPeersAsync(context.CancellationToken)).Select(peer => peer.ToString()));
        return response;
    });

    /// <inheritdoc/>
    public override Task<Empty> SwarmConnect(SwarmConnectRequest request, ServerCallContext context) => AskAsync(async () =>
    {
        foreach (var address in request.Addresses)
        {
            try
            {
                await client.SwarmConnectAsync(address, context.CancellationToken);
            }
            catch (KuboException) when (request.Addresses.Count > 1)
            {
                // Of several addresses of a peer one is enough; the contract says so.
            }
        }
        return Done;
    });

    /// <inheritdoc/>
    public override Task<ConfigKeyResponse> ConfigKey(ConfigKeyRequest request, ServerCallContext context) => AskAsync(async () =>
        new ConfigKeyResponse { Json = await client.ConfigKeyAsync(request.Path, context.CancellationToken) });

    /// <inheritdoc/>
    public override Task<RepoStatResponse> RepoStat(Empty request, ServerCallContext context) => AskAsync(async () =>
    {
        var stat = await client.RepoStatAsync(context.CancellationToken);
        return new RepoStatResponse { RepoSize = stat.RepoSize, StorageMax = stat.StorageMax };
    });

    /// <inheritdoc/>
    public override Task RepoGc(Empty request, IServerStreamWriter<RepoGcResponse> responseStream, ServerCallContext context) => AskAsync(async () =>
    {
        var response = new RepoGcResponse();
        await foreach (var item in client.RepoGcAsync(context.CancellationToken))
        {
            response.Keys.Add(new RepoGcKey { Key = item.Key is { } key ? ByteString.CopyFrom(key.Bytes) : ByteString.Empty, Error = item.Error });
            if (response.Keys.Count < KeysOfOneMessage)
                continue;
            await responseStream.WriteAsync(response, context.CancellationToken);
            response = new RepoGcResponse();
        }
        if (response.Keys.Count > 0)
            await responseStream.WriteAsync(response, context.CancellationToken);
        return Done;
    });

    private static async IAsyncEnumerable<DaemonBlock> ReadBlocksAsync(
        IAsyncStreamReader<PutBlocksRequest> requests,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var request in requests.ReadAllAsync(cancellationToken))
        {
            foreach (var block in request.Blocks)
                yield return new DaemonBlock(Messages.Cid(block.Cid), block.Data.Memory);
        }
    }

    private async Task<long> ListAsync(string type, IServerStreamWriter<ListPinsResponse> responses, CancellationToken cancellationToken)
    {
        long count = 0;
        var response = new ListPinsResponse();
        await foreach (var pin in client.ListPinsAsync(type, cancellationToken))
        {
            if (pin.Kind == DaemonPinKind.Unknown)
                continue;
            count++;
            response.Items.Add(new ListPinsResponse.Types.Item { Cid = ByteString.CopyFrom(pin.Cid.Bytes), Pin = Messages.PinKind(pin.Kind) });
            if (response.Items.Count < PinsOfOneMessage)
                continue;
            await responses.WriteAsync(response, cancellationToken);
            response = new ListPinsResponse();
        }
        if (response.Items.Count > 0)
            await responses.WriteAsync(response, cancellationToken);
        return count;
    }

    private async Task<T> AskAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (Exception failure) when (failure is KuboException or OperationCanceledException)
        {
            Failed(failure);
            throw Failures.Rpc(failure);
        }
    }

    private void Failed(Exception failure)
    {
        if (failure is DaemonUnreachableException)
            health.LookNow();
    }
}
