using Cluster.Consensus.Replication;
using Cluster.Model;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Services;

/// <summary>
/// One stream of batched calls. The writes of a batch are one commit, and batches of all streams that wait share an fsync; answers
/// that become ready while a message is being sent leave together in the next one.
/// </summary>
internal sealed class CallStream(ClusterParts parts, ILogger logger) : IDisposable
{
    /// <summary>
    /// Calls whose answers have not left; from there on no further batch is read. They count until they are sent, so that a caller who
    /// sends and does not read fills no memory.
    /// </summary>
    internal const int MaxCallsUnderWay = 16_384;

    private readonly ResultQueue _results = new();
    private readonly SemaphoreSlim _room = new(0);
    private int _underWay;

    public void Dispose()
    {
        _room.Dispose();
        _results.Dispose();
    }

    /// <summary>Serves the stream until the caller ends it, or the service stops: then what was read is still answered.</summary>
    internal async Task RunAsync(
        IAsyncStreamReader<V1.CallBatch> requests, IServerStreamWriter<V1.CallResultBatch> responses,
        CancellationToken stopping, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sending = SendAsync(responses, ending);
        var working = new List<Task>();
        try
        {
            await ReadAsync(requests, working, stopping, ending.Token);
            await Task.WhenAll(working);
            _results.Complete();
            await sending;
        }
        catch
        {
            await ending.CancelAsync();

            // Neither is left behind; what ended the stream is thrown on.
            await Task.WhenAll([.. working, sending]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (sending.IsFaulted)
                await sending;
            throw;
        }
    }

    /// <summary>Sends until all is sent. When nothing can be sent any more, nothing more is read.</summary>
    private async Task SendAsync(IServerStreamWriter<V1.CallResultBatch> responses, CancellationTokenSource ending)
    {
        try
        {
            await _results.SendAsync(responses, Sent, ending.Token);
        }
        catch
        {
            await ending.CancelAsync();
            throw;
        }
    }

    private void Sent(int calls)
    {
        if (Interlocked.Add(ref _underWay, -calls) is var left && left <= MaxCallsUnderWay && left + calls > MaxCallsUnderWay)
            _room.Release();
    }

    private async Task ReadAsync(
        IAsyncStreamReader<V1.CallBatch> requests, List<Task> working, CancellationToken stopping, CancellationToken cancellationToken)
    {
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellationToken);
        try
        {
            while (await requests.MoveNext(reading.Token))
            {
                var batch = requests.Current;
                var full = Interlocked.Add(ref _underWay, batch.Calls.Count) > MaxCallsUnderWay;
                working.RemoveAll(static t => t.IsCompletedSuccessfully);
                var task = RunBatchAsync(batch, cancellationToken);
                if (!task.IsCompletedSuccessfully)
                    working.Add(task);

                // After the batch was begun: one may be larger than all the room there is.
                if (full)
                    await _room.WaitAsync(reading.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException && stopping.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // No further batches; the caller opens a new stream to the next process.
        }
    }

    /// <summary>Each call gets one answer, whatever becomes of it.</summary>
    private async Task RunBatchAsync(V1.CallBatch batch, CancellationToken cancellationToken)
    {
        var writes = new List<StateOperation>();
        var written = new List<V1.CallResult>();
        List<Task>? others = null;
        foreach (var call in batch.Calls)
        {
            try
            {
                switch (call.CallCase)
                {
                    case V1.Call.CallOneofCase.Pin:
                        var pin = parts.Planner.PlanPin(PinMapping.ToPin(call.Pin));
                        writes.Add(StateOperation.Put(pin));
                        written.Add(new V1.CallResult { Id = call.Id, Pin = PinMapping.ToMessage(pin) });
                        break;
                    case V1.Call.CallOneofCase.Unpin:
                        var planning = parts.UnpinPlanner.PlanAsync(PinMapping.ToCid(call.Unpin.Cid), cancellationToken);
                        if (planning.IsCompletedSuccessfully)
                        {
                            var plan = planning.Result;
                            writes.AddRange(plan.Operations);
                            written.Add(new V1.CallResult { Id = call.Id, Pin = PinMapping.ToMessage(plan.Pin) });
                        }
                        else
                        {
                            (others ??= []).Add(AnswerAsync(call.Id, UnpinAsync(planning, cancellationToken)));
                        }

                        break;
                    case V1.Call.CallOneofCase.Allocation:
                        var found = parts.Consensus.State.Find(PinMapping.ToCid(call.Allocation.Cid))
                            ?? throw new ClusterException(ClusterErrorKind.NotFound, PinValidation.NotInPinset);
                        _results.Add(new V1.CallResult { Id = call.Id, Pin = PinMapping.ToMessage(found) });
                        break;
                    case V1.Call.CallOneofCase.Status:
                        (others ??= []).Add(AnswerAsync(call.Id, StatusAsync(call.Status, cancellationToken)));
                        break;
                    case V1.Call.CallOneofCase.Recover:
                        (others ??= []).Add(AnswerAsync(call.Id, RecoverAsync(call.Recover, cancellationToken)));
                        break;
                    default:
                        throw new ClusterException(ClusterErrorKind.InvalidArgument, "the call asks nothing");
                }
            }
            catch (Exception e)
            {
                Fail(call.Id, e);
            }
        }

        if (writes.Count > 0)
            await CommitAsync(writes, written, cancellationToken);
        if (others is not null)
            await Task.WhenAll(others);
    }

    private async Task CommitAsync(List<StateOperation> writes, List<V1.CallResult> written, CancellationToken cancellationToken)
    {
        try
        {
            await parts.Consensus.CommitAsync(writes, cancellationToken);
            _results.Add(written);
        }
        catch (Exception e)
        {
            foreach (var result in written)
                Fail(result.Id, e);
        }
    }

    private async Task AnswerAsync(ulong id, Task<V1.CallResult> answer)
    {
        try
        {
            var result = await answer;
            result.Id = id;
            _results.Add(result);
        }
        catch (Exception e)
        {
            Fail(id, e);
        }
    }

    private async Task<V1.CallResult> UnpinAsync(ValueTask<Pinning.UnpinPlan> planning, CancellationToken cancellationToken)
    {
        var plan = await planning;
        await parts.Consensus.CommitAsync(plan.Operations, cancellationToken);
        return new V1.CallResult { Pin = PinMapping.ToMessage(plan.Pin) };
    }

    private async Task<V1.CallResult> StatusAsync(V1.StatusRequest request, CancellationToken cancellationToken) => new()
    {
        Status = await parts.Status.StatusAsync(PinMapping.ToCid(request.Cid), request.Local, cancellationToken),
    };

    private async Task<V1.CallResult> RecoverAsync(V1.RecoverRequest request, CancellationToken cancellationToken) => new()
    {
        Status = await parts.Status.RecoverAsync(PinMapping.ToCid(request.Cid), request.Local, cancellationToken),
    };

    private void Fail(ulong id, Exception e) => _results.Add(new V1.CallResult { Id = id, Error = RpcErrors.ItemOf(e, logger) });

    /// <summary>Answers on their way out.</summary>
    private sealed class ResultQueue : IDisposable
    {
        private const int MaxResultsPerMessage = 2048;

        private readonly Lock _lock = new();
        private readonly SemaphoreSlim _bell = new(0);
        private List<V1.CallResult> _waiting = [];
        private bool _complete;

        public void Dispose() => _bell.Dispose();

        internal void Add(V1.CallResult result)
        {
            bool ring;
            lock (_lock)
            {
                ring = _waiting.Count == 0;
                _waiting.Add(result);
            }

            if (ring)
                _bell.Release();
        }

        internal void Add(List<V1.CallResult> results)
        {
            bool ring;
            lock (_lock)
            {
                ring = _waiting.Count == 0 && results.Count > 0;
                _waiting.AddRange(results);
            }

            if (ring)
                _bell.Release();
        }

        internal void Complete()
        {
            lock (_lock)
                _complete = true;
            _bell.Release();
        }

        /// <param name="responses">Where to.</param>
        /// <param name="sent">Told how many have left.</param>
        /// <param name="cancellationToken">Ends the sending.</param>
        internal async Task SendAsync(IServerStreamWriter<V1.CallResultBatch> responses, Action<int> sent, CancellationToken cancellationToken)
        {
            var sending = new List<V1.CallResult>();
            var message = new V1.CallResultBatch();
            while (true)
            {
                await _bell.WaitAsync(cancellationToken);
                bool complete;
                lock (_lock)
                {
                    (sending, _waiting) = (_waiting, sending);
                    complete = _complete;
                }

                for (var from = 0; from < sending.Count; from += MaxResultsPerMessage)
                {
                    message.Results.Clear();
                    for (var i = from; i < Math.Min(from + MaxResultsPerMessage, sending.Count); i++)
                        message.Results.Add(sending[i]);
                    await responses.WriteAsync(message, cancellationToken);
                    sent(message.Results.Count);
                }

                sending.Clear();
                if (!complete)
                    continue;
                lock (_lock)
                {
                    if (_waiting.Count == 0)
                        return;
                }

                _bell.Release();
            }
        }
    }
}
