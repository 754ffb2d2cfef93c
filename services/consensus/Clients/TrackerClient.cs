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
    private static readonly Method<V1.TrackerStatusAllRequest, byte[]> StatusAllMethod =
        PagesOf<V1.TrackerStatusAllRequest>(nameof(V1.Tracker.TrackerBase.StatusAll));

    private static readonly Method<V1.TrackerRecoverAllRequest, byte[]> RecoverAllMethod =
        PagesOf<V1.TrackerRecoverAllRequest>(nameof(V1.Tracker.TrackerBase.RecoverAll));

    private readonly CallInvoker _invoker;
    private readonly BatchingCaller<V1.TrackerCall, V1.TrackerCallBatch, V1.TrackerCallResult, V1.TrackerCallResultBatch> _calls;

    /// <summary>Over a channel to the tracker.</summary>
    public TrackerClient(CallInvoker invoker)
    {
        _invoker = invoker;
        _calls = new(new V1.Tracker.TrackerClient(invoker).Calls, BatchShapes.Tracker);
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
    public IAsyncEnumerable<StatusPage> StatusAllAsync(int statusMask, ulong atLeastSequence, CancellationToken cancellationToken) => ReadAsync(
        StatusAllMethod,
        new V1.TrackerStatusAllRequest { StatusMask = statusMask, AtLeastSequence = atLeastSequence, WithoutPeer = true },
        cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<StatusPage> RecoverAllAsync(ulong atLeastSequence, CancellationToken cancellationToken) => ReadAsync(
        RecoverAllMethod, new V1.TrackerRecoverAllRequest { AtLeastSequence = atLeastSequence }, cancellationToken);

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

    private async IAsyncEnumerable<StatusPage> ReadAsync<TRequest>(
        Method<TRequest, byte[]> method, TRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
        where TRequest : class
    {
        using var call = _invoker.AsyncServerStreamingCall(method, null, new CallOptions(cancellationToken: cancellationToken), request);
        while (await NextAsync(call.ResponseStream, cancellationToken))
            yield return new StatusPage(call.ResponseStream.Current);
    }

    private static async ValueTask<bool> NextAsync(IAsyncStreamReader<byte[]> stream, CancellationToken cancellationToken)
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

    /// <summary>A listing whose pages are kept as they come.</summary>
    private static Method<TRequest, byte[]> PagesOf<TRequest>(string name)
        where TRequest : class, IMessage<TRequest> => new(
        MethodType.ServerStreaming,
        V1.Tracker.Descriptor.FullName,
        name,
        Marshallers.Create<TRequest>(static message => message.ToByteArray(), static _ => throw new NotSupportedException()),
        Marshallers.Create<byte[]>(static bytes => bytes, static bytes => bytes));
}
