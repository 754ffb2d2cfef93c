using System.Collections.Concurrent;
using Cluster.Contracts.V1;
using Cluster.Hosting.Batching;
using Google.Protobuf;
using Grpc.Core;

namespace Cluster.Hosting.Tests;

/// <summary>A tracker whose batched status answers with the CID it was asked for, once let through.</summary>
internal sealed class EchoTracker : Tracker.TrackerBase
{
    /// <summary>Sizes of the batches as they came, and what came.</summary>
    public ConcurrentQueue<int> Batches { get; } = new();

    public SemaphoreSlim? Gate { get; set; }

    public override Task<QueueSizeResponse> QueueSize(Empty request, ServerCallContext context) => Task.FromResult(new QueueSizeResponse());

    public override Task<PinInfo> Status(TrackerStatusRequest request, ServerCallContext context) => throw new InvalidOperationException("no such luck");

    public override Task Calls(IAsyncStreamReader<TrackerCallBatch> requestStream, IServerStreamWriter<TrackerCallResultBatch> responseStream, ServerCallContext context) =>
        BatchedCalls.ServeAsync(BatchShapes.Tracker, new Counting(requestStream, Batches), responseStream, AnswerAsync, 1000, context.CancellationToken);

    private async ValueTask<TrackerCallResult> AnswerAsync(TrackerCall call, Action<TrackerCallResult> interim, CancellationToken cancellationToken)
    {
        if (Gate is { } gate)
            await gate.WaitAsync(cancellationToken);
        if (call.CallCase == TrackerCall.CallOneofCase.Recover)
            throw new RpcException(new Status(StatusCode.NotFound, "not here"));
        return call.Status.Cid.IsEmpty ? throw new InvalidOperationException("empty") : new TrackerCallResult { Info = new PinInfo { Cid = call.Status.Cid } };
    }

    private sealed class Counting(IAsyncStreamReader<TrackerCallBatch> inner, ConcurrentQueue<int> sizes) : IAsyncStreamReader<TrackerCallBatch>
    {
        public TrackerCallBatch Current => inner.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            var more = await inner.MoveNext(cancellationToken);
            if (more)
                sizes.Enqueue(inner.Current.Calls.Count);
            return more;
        }
    }
}

/// <summary>A connector whose pins report progress and wait for their cancellation.</summary>
internal sealed class WaitingConnector : Connector.ConnectorBase
{
    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Task Calls(IAsyncStreamReader<ConnectorCallBatch> requestStream, IServerStreamWriter<ConnectorCallResultBatch> responseStream, ServerCallContext context) =>
        BatchedCalls.ServeAsync(BatchShapes.Connector, requestStream, responseStream, AnswerAsync, 10, context.CancellationToken);

    private async ValueTask<ConnectorCallResult> AnswerAsync(ConnectorCall call, Action<ConnectorCallResult> interim, CancellationToken cancellationToken)
    {
        if (call.CallCase == ConnectorCall.CallOneofCase.Unpin)
            return new ConnectorCallResult { Done = new Empty() };
        for (ulong i = 1; i <= 3; i++)
            interim(new ConnectorCallResult { Progress = new PinProgress { Nodes = i } });
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        finally
        {
            Cancelled.TrySetResult();
        }

        return new ConnectorCallResult { Done = new Empty() };
    }
}
