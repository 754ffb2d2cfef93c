using System.Runtime.CompilerServices;
using Cluster.Hosting.Batching;
using Google.Protobuf;
using Grpc.Core;
using Ipld;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Clients;

/// <summary>
/// This peer's tracker. Single questions share one stream of batches; one that meets the tracker's end is asked again, for nothing
/// that is asked here does harm twice.
/// </summary>
public sealed class TrackerClient : ITracker, IAsyncDisposable
{
    private readonly V1.Tracker.TrackerClient _client;
    private readonly BatchingCaller<V1.TrackerCall, V1.TrackerCallBatch, V1.TrackerCallResult, V1.TrackerCallResultBatch> _calls;

    /// <summary>Over a channel to the tracker.</summary>
    public TrackerClient(CallInvoker invoker)
    {
        _client = new V1.Tracker.TrackerClient(invoker);
        _calls = new(_client.Calls, BatchShapes.Tracker);
    }

    /// <inheritdoc/>
    public async ValueTask<V1.PinInfo> StatusAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken) => (await CallAsync(
        () => new V1.TrackerCall
        {
            Status = new V1.TrackerStatusRequest { Cid = UnsafeByteOperations.UnsafeWrap(cid.Memory), AtLeastSequence = atLeastSequence },
        },
        cancellationToken)).Info;

    /// <inheritdoc/>
    public async ValueTask<V1.PinInfo> RecoverAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken) => (await CallAsync(
        () => new V1.TrackerCall
        {
            Recover = new V1.TrackerRecoverRequest { Cid = UnsafeByteOperations.UnsafeWrap(cid.Memory), AtLeastSequence = atLeastSequence },
        },
        cancellationToken)).Info;

    /// <inheritdoc/>
    public IAsyncEnumerable<IReadOnlyList<V1.PinInfo>> StatusAllAsync(int statusMask, ulong atLeastSequence, CancellationToken cancellationToken)
    {
        var request = new V1.TrackerStatusAllRequest { StatusMask = statusMask, AtLeastSequence = atLeastSequence };
        return ReadAsync(() => _client.StatusAll(request, cancellationToken: cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<IReadOnlyList<V1.PinInfo>> RecoverAllAsync(ulong atLeastSequence, CancellationToken cancellationToken)
    {
        var request = new V1.TrackerRecoverAllRequest { AtLeastSequence = atLeastSequence };
        return ReadAsync(() => _client.RecoverAll(request, cancellationToken: cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _calls.DisposeAsync();

    private async ValueTask<V1.TrackerCallResult> CallAsync(Func<V1.TrackerCall> call, CancellationToken cancellationToken)
    {
        try
        {
            return await _calls.CallAsync(call(), cancellationToken);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable)
        {
            try
            {
                return await _calls.CallAsync(call(), cancellationToken);
            }
            catch (RpcException again)
            {
                throw RpcFailures.ToCluster(again, "tracker");
            }
        }
        catch (RpcException e)
        {
            throw RpcFailures.ToCluster(e, "tracker");
        }
    }

    private static async IAsyncEnumerable<IReadOnlyList<V1.PinInfo>> ReadAsync(
        Func<AsyncServerStreamingCall<V1.TrackerStatusAllResponse>> open, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var call = open();
        while (await NextAsync(call.ResponseStream, cancellationToken))
            yield return call.ResponseStream.Current.Items;
    }

    private static async ValueTask<bool> NextAsync(IAsyncStreamReader<V1.TrackerStatusAllResponse> stream, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.MoveNext(cancellationToken);
        }
        catch (RpcException e)
        {
            throw RpcFailures.ToCluster(e, "tracker");
        }
    }
}
