using Cluster.Consensus.Pinning;
using Google.Protobuf;
using Grpc.Core;
using Ipld;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Clients;

/// <summary>This peer's daemon, through its connector.</summary>
public sealed class ConnectorClient(CallInvoker invoker) : IDaemon
{
    private readonly V1.Connector.ConnectorClient _client = new(invoker);

    /// <inheritdoc/>
    public async ValueTask<V1.IpfsId> IdAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _client.IdAsync(new V1.ConnectorIdRequest(), cancellationToken: cancellationToken);
        }
        catch (RpcException e)
        {
            // A connector that stops cancels what it is asked; only who asks can call it off.
            cancellationToken.ThrowIfCancellationRequested();
            return new V1.IpfsId { Error = RpcFailures.ToCluster(e, "connector").Message };
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Cid> ResolveAsync(string path, CancellationToken cancellationToken)
    {
        var response = await AskAsync(() => _client.ResolveAsync(new V1.ResolveRequest { Path = path }, cancellationToken: cancellationToken));
        return Cid.TryFromBytes(response.Cid.Span, out var cid, out var error)
            ? cid
            : throw new ClusterException(ClusterErrorKind.Internal, $"the daemon resolved {path} to something else than a CID: {error}");
    }

    /// <inheritdoc/>
    public async ValueTask<ReadOnlyMemory<byte>> GetBlockAsync(Cid cid, CancellationToken cancellationToken)
    {
        var request = new V1.GetBlockRequest { Cid = UnsafeByteOperations.UnsafeWrap(cid.Memory) };
        return (await AskAsync(() => _client.GetBlockAsync(request, cancellationToken: cancellationToken))).Data.Memory;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<V1.RepoGcKey>> RepoGcAsync(CancellationToken cancellationToken)
    {
        var keys = new List<V1.RepoGcKey>();
        using var call = _client.RepoGc(new V1.Empty(), cancellationToken: cancellationToken);
        try
        {
            while (await call.ResponseStream.MoveNext(cancellationToken))
                keys.AddRange(call.ResponseStream.Current.Keys);
        }
        catch (RpcException e)
        {
            throw RpcFailures.ToCluster(e, "connector");
        }

        return keys;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<string>> SwarmPeersAsync(CancellationToken cancellationToken) =>
        (await AskAsync(() => _client.SwarmPeersAsync(new V1.Empty(), cancellationToken: cancellationToken))).Peers;

    /// <inheritdoc/>
    public ValueTask<V1.RepoStatResponse> RepoStatAsync(CancellationToken cancellationToken) =>
        AskAsync(() => _client.RepoStatAsync(new V1.Empty(), cancellationToken: cancellationToken));

    /// <inheritdoc/>
    public async Task PutBlocksAsync(IAsyncEnumerable<IReadOnlyList<V1.Block>> blocks, Action<long> written, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var call = _client.PutBlocks(cancellationToken: ending.Token);
        long sent = 0, taken = 0;
        var endedByConnector = false;
        var reading = ReadAsync();
        try
        {
            await foreach (var bunch in blocks.WithCancellation(ending.Token))
            {
                var request = new V1.PutBlocksRequest();
                request.Blocks.Add(bunch);
                sent += bunch.Count;
                var writing = call.RequestStream.WriteAsync(request, ending.Token);

                // An answer that is an error ends the stream while we write.
                if (await Task.WhenAny(writing, reading) == reading)
                    await reading;
                await writing;
            }

            await call.RequestStream.CompleteAsync();
            await reading;
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or IOException)
        {
            // The reading side knows the cause better.
            await ending.CancelAsync();
            var answer = await reading.ContinueWith(static t => t.Exception?.InnerException, TaskScheduler.Default);
            cancellationToken.ThrowIfCancellationRequested();
            if ((answer ?? e) is RpcException { StatusCode: not StatusCode.Cancelled } failure)
                throw RpcFailures.ToCluster(failure, "connector");

            // A connector that stops cancels what it is asked.
            if (endedByConnector && answer is RpcException stopped)
                throw new ClusterException(ClusterErrorKind.Unavailable, RpcFailures.ToCluster(stopped, "connector").Message, stopped);
            throw;
        }
        finally
        {
            await ending.CancelAsync();

            // Its failure, if there is one, is told of above.
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (taken < sent)
            throw new ClusterException(ClusterErrorKind.Internal, $"the daemon has stored {taken} of {sent} blocks");

        async Task ReadAsync()
        {
            try
            {
                while (await call.ResponseStream.MoveNext(ending.Token))
                {
                    taken += call.ResponseStream.Current.Written;
                    written(call.ResponseStream.Current.Written);
                }
            }
            catch when (!ending.IsCancellationRequested)
            {
                // Also when nothing is being written: the next block may be long in coming.
                endedByConnector = true;
                await ending.CancelAsync();
                throw;
            }
        }
    }

    private static async ValueTask<T> AskAsync<T>(Func<AsyncUnaryCall<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (RpcException e)
        {
            throw RpcFailures.ToCluster(e, "connector");
        }
    }
}

/// <summary>Reads cluster DAGs from the local daemon.</summary>
public sealed class DaemonDagReader(IDaemon daemon) : IClusterDagReader
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<Cid>> ReadLinksAsync(Cid clusterDag, CancellationToken cancellationToken)
    {
        try
        {
            var block = await daemon.GetBlockAsync(clusterDag, cancellationToken);
            return Ipld.DagCbor.Links(block.Span);
        }
        catch (Exception e) when (e is ClusterException or FormatException)
        {
            throw new ClusterException(ClusterErrorKind.Internal, $"error reading clusterDAG block from ipfs: {e.Message}", e);
        }
    }
}
