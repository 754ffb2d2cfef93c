using Cluster.Connector.Running;
using Cluster.Contracts.V1;
using Google.Protobuf;
using Grpc.Core;
using KuboRpc;
using Contract = Cluster.Contracts.V1.Connector;

namespace Cluster.Connector.Serving;

/// <summary>The contract <c>Connector</c>.</summary>
/// <param name="stopping">Cancelled when the process stops: streams end then with UNAVAILABLE instead of holding the stop up.</param>
public sealed class ConnectorService(KuboClient client, DaemonHealthWatch health, ConnectorObserver observer, CancellationToken stopping)
    : Contract.ConnectorBase
{
    private const int PinsOfOneMessage = 512;
    private const int KeysOfOneMessage = 256;
    private static readonly Empty Done = new();

    /// <inheritdoc/>
    public override Task<IpfsId> Id(ConnectorIdRequest request, ServerCallContext context) => AskAsync(context, async cancelled =>
        Messages.Id(await health.IdAsync(TimeSpan.FromMilliseconds(request.MaxAgeMs), cancelled)));

    /// <inheritdoc/>
    public override Task WatchHealth(Empty request, IServerStreamWriter<DaemonHealth> responseStream, ServerCallContext context) =>
        AskAsync(context, async cancelled =>
        {
            await foreach (var state in health.WatchAsync(cancelled))
                await responseStream.WriteAsync(Messages.Health(state), CancellationToken.None);
            return Done;
        });

    /// <inheritdoc/>
    public override Task Pin(ConnectorPinRequest request, IServerStreamWriter<PinProgress> responseStream, ServerCallContext context) => AskAsync(context, async cancelled =>
    {
        var progress = new LatestProgress();
        var pinning = client.PinAsync(Messages.Pin(request), progress, cancelled);
        try
        {
            await progress.SendUntilAsync(pinning, reached => responseStream.WriteAsync(Messages.Progress(reached), CancellationToken.None));
        }
        finally
        {
            await pinning;
        }
        await responseStream.WriteAsync(new PinProgress { Done = true }, CancellationToken.None);
        return Done;
    });

    /// <inheritdoc/>
    public override Task<Empty> Unpin(ConnectorUnpinRequest request, ServerCallContext context) => AskAsync(context, async cancelled =>
    {
        await client.UnpinAsync(Messages.Cid(request.Cid), cancelled);
        return Done;
    });

    /// <inheritdoc/>
    public override Task Calls(
        IAsyncStreamReader<ConnectorCallBatch> requestStream, IServerStreamWriter<ConnectorCallResultBatch> responseStream, ServerCallContext context) =>
        AskAsync(context, async cancelled =>
        {
            using var calls = new CallStream(client, Failed, cancelled);
            await calls.RunAsync(requestStream, responseStream);
            return Done;
        });

    /// <inheritdoc/>
    public override Task<PinStatusResponse> PinStatus(PinStatusRequest request, ServerCallContext context) => AskAsync(context, async cancelled =>
        new PinStatusResponse
        {
            Pin = Messages.PinKind(await client.CheckPinAsync(Messages.Cid(request.Cid), request.MaxDepth == 0, cancelled)),
        });

    /// <inheritdoc/>
    public override Task ListPins(ListPinsRequest request, IServerStreamWriter<ListPinsResponse> responseStream, ServerCallContext context) => AskAsync(context, async cancelled =>
    {
        if (request.Recursive)
            observer.Listed(await ListAsync("recursive", responseStream, cancelled));
        if (request.Direct)
            await ListAsync("direct", responseStream, cancelled);
        return Done;
    });

    /// <inheritdoc/>
    public override Task<ResolveResponse> Resolve(ResolveRequest request, ServerCallContext context) => AskAsync(context, async cancelled =>
    {
        var resolved = await client.ResolveAsync(request.Path, cancelled);
        return new ResolveResponse { Cid = ByteString.CopyFrom(resolved.Cid.Bytes), Path = resolved.Path };
    });

    /// <inheritdoc/>
    public override Task PutBlocks(
        IAsyncStreamReader<PutBlocksRequest> requestStream, IServerStreamWriter<PutBlocksResponse> responseStream, ServerCallContext context) => AskAsync(context, async cancelled =>
    {
        await foreach (var written in client.PutBlocksAsync(ReadBlocksAsync(requestStream, cancelled), cancelled))
            await responseStream.WriteAsync(new PutBlocksResponse { Written = (uint)written }, CancellationToken.None);
        return Done;
    });

    /// <inheritdoc/>
    public override Task<Block> GetBlock(GetBlockRequest request, ServerCallContext context) => AskAsync(context, async cancelled => new Block
    {
        Cid = request.Cid,
        Data = UnsafeByteOperations.UnsafeWrap(await client.GetBlockAsync(Messages.Cid(request.Cid), cancelled)),
    });

    /// <inheritdoc/>
    public override Task<SwarmPeersResponse> SwarmPeers(Empty request, ServerCallContext context) => AskAsync(context, async cancelled =>
    {
        var response = new SwarmPeersResponse();
        response.Peers.Add((await client.SwarmPeersAsync(cancelled)).Select(peer => peer.ToString()));
        return response;
    });

    /// <inheritdoc/>
    public override Task<Empty> SwarmConnect(SwarmConnectRequest request, ServerCallContext context) => AskAsync(context, async cancelled =>
    {
        foreach (var address in request.Addresses)
        {
            try
            {
                await client.SwarmConnectAsync(address, cancelled);
            }
            catch (KuboException) when (request.Addresses.Count > 1)
            {
                // Of several addresses of a peer one is enough; the contract says so.
            }
        }
        return Done;
    });

    /// <inheritdoc/>
    public override Task<ConfigKeyResponse> ConfigKey(ConfigKeyRequest request, ServerCallContext context) => AskAsync(context, async cancelled =>
        new ConfigKeyResponse { Json = await client.ConfigKeyAsync(request.Path, cancelled) });

    /// <inheritdoc/>
    public override Task<RepoStatResponse> RepoStat(Empty request, ServerCallContext context) => AskAsync(context, async cancelled =>
    {
        var stat = await client.RepoStatAsync(cancelled);
        return new RepoStatResponse { RepoSize = stat.RepoSize, StorageMax = stat.StorageMax };
    });

    /// <inheritdoc/>
    public override Task RepoGc(Empty request, IServerStreamWriter<RepoGcResponse> responseStream, ServerCallContext context) => AskAsync(context, async cancelled =>
    {
        var response = new RepoGcResponse();
        await foreach (var item in client.RepoGcAsync(cancelled))
        {
            response.Keys.Add(new RepoGcKey { Key = item.Key is { } key ? ByteString.CopyFrom(key.Bytes) : ByteString.Empty, Error = item.Error });
            if (response.Keys.Count < KeysOfOneMessage)
                continue;
            await responseStream.WriteAsync(response, CancellationToken.None);
            response = new RepoGcResponse();
        }
        if (response.Keys.Count > 0)
            await responseStream.WriteAsync(response, CancellationToken.None);
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
            await responses.WriteAsync(response, CancellationToken.None);
            response = new ListPinsResponse();
        }
        if (response.Items.Count > 0)
            await responses.WriteAsync(response, CancellationToken.None);
        return count;
    }

    /// <summary>
    /// Asks, and turns failures into statuses. Answers are written without the token: one that is cancelled within a write would break
    /// the call as CANCELLED.
    /// </summary>
    private async Task<T> AskAsync<T>(ServerCallContext context, Func<CancellationToken, Task<T>> ask)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping);
        try
        {
            return await ask(ended.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the connector stops"));
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
