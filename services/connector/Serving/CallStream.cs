using System.Collections.Concurrent;
using System.Threading.Channels;
using Cluster.Contracts.V1;
using Grpc.Core;
using KuboRpc;

namespace Cluster.Connector.Serving;

/// <summary>
/// One duplex stream of <c>Connector.Calls</c>: pins, unpins and checks in batches, each answered by its id when it is done. Reading
/// never waits for the daemon, so that a cancellation always gets through.
/// </summary>
internal sealed class CallStream(KuboClient client, Action<Exception> failed, CancellationToken cancellationToken) : IDisposable
{
    /// <summary>Calls under way or waiting, of one stream; further ones are refused with RESOURCE_EXHAUSTED.</summary>
    public const int MaxCalls = 65_536;

    /// <summary>Pins and unpins that the daemon has at once. The tracker's concurrent_pins is far below.</summary>
    private const int MaxChanges = 512;

    /// <summary>Checks that the daemon has at once.</summary>
    private const int MaxChecks = 32;

    private const int MaxResultsOfOneBatch = 256;

    private readonly ConcurrentDictionary<ulong, CancellationTokenSource> _calls = new();
    private readonly SemaphoreSlim _changes = new(MaxChanges);
    private readonly SemaphoreSlim _checks = new(MaxChecks);

    // Results wait here until the client reads them; calls wait for room, progress is dropped.
    private readonly Channel<ConnectorCallResult> _results = Channel.CreateBounded<ConnectorCallResult>(
        new BoundedChannelOptions(4096) { SingleReader = true });

    private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // The calls under way and the reading itself.
    private int _open = 1;

    /// <summary>Serves until the client ends its side and every call is answered.</summary>
    public async Task RunAsync(IAsyncStreamReader<ConnectorCallBatch> requests, IAsyncStreamWriter<ConnectorCallResultBatch> responses)
    {
        var writing = WriteAsync(responses);
        try
        {
            await foreach (var batch in requests.ReadAllAsync(cancellationToken))
            {
                foreach (var call in batch.Calls)
                    Take(call);
            }
            Ended();
        }
        catch (Exception)
        {
            // The stream broke: nobody waits for the results any more.
            CancelAll();
            Ended();
            throw;
        }
        finally
        {
            await writing;
            await _allEnded.Task;
        }
    }

    public void Dispose()
    {
        CancelAll();
        _changes.Dispose();
        _checks.Dispose();
    }

    private void Take(ConnectorCall call)
    {
        if (call.CallCase == ConnectorCall.CallOneofCase.Cancel)
        {
            Cancel(call.Id);
            return;
        }
        var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var refusal = _calls.Count >= MaxCalls ? new Status(StatusCode.ResourceExhausted, $"more than {MaxCalls} calls are under way")
            : !_calls.TryAdd(call.Id, cancel) ? new Status(StatusCode.AlreadyExists, $"call {call.Id} is under way")
            : (Status?)null;
        Interlocked.Increment(ref _open);
        _ = refusal is { } status ? AnswerRefusedAsync(call.Id, cancel, new RpcException(status)) : AnswerAsync(call, cancel);
    }

    private void Cancel(ulong id)
    {
        if (_calls.TryGetValue(id, out var cancel))
            Cancel(cancel);
    }

    private void CancelAll()
    {
        foreach (var cancel in _calls.Values)
            Cancel(cancel);
    }

    private static void Cancel(CancellationTokenSource cancel)
    {
        try
        {
            cancel.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call ended in this very moment.
        }
    }

    private async Task AnswerRefusedAsync(ulong id, CancellationTokenSource cancel, RpcException refusal)
    {
        cancel.Dispose();
        await SendAsync(new ConnectorCallResult { Id = id, Error = Failures.Item(refusal) });
        Ended();
    }

    /// <summary>Runs a call and sends its result. Nothing escapes: this task has no one else who looks at it.</summary>
    private async Task AnswerAsync(ConnectorCall call, CancellationTokenSource cancel)
    {
        // The reading loop goes on at once.
        await Task.Yield();
        ConnectorCallResult result;
        try
        {
            result = await RunAsync(call, cancel.Token);
        }
        catch (Exception failure)
        {
            if (failure is not OperationCanceledException)
                failed(failure);
            result = new ConnectorCallResult { Error = Failures.Item(failure) };
            if (cancel.IsCancellationRequested)
                result.Error = new ItemError { Code = (int)StatusCode.Cancelled, Message = "context canceled" };
        }
        result.Id = call.Id;
        _calls.TryRemove(call.Id, out _);
        cancel.Dispose();
        await SendAsync(result);
        Ended();
    }

    private async Task<ConnectorCallResult> RunAsync(ConnectorCall call, CancellationToken cancelled)
    {
        var slots = call.CallCase == ConnectorCall.CallOneofCase.Status ? _checks : _changes;
        await slots.WaitAsync(cancelled);
        try
        {
            switch (call.CallCase)
            {
                case ConnectorCall.CallOneofCase.Pin:
                    await client.PinAsync(Messages.Pin(call.Pin), new ProgressSender(call.Id, _results.Writer), cancelled);
                    return new ConnectorCallResult { Done = new Empty() };
                case ConnectorCall.CallOneofCase.Unpin:
                    await client.UnpinAsync(Messages.Cid(call.Unpin.Cid), cancelled);
                    return new ConnectorCallResult { Done = new Empty() };
                case ConnectorCall.CallOneofCase.Status:
                    var kind = await client.CheckPinAsync(Messages.Cid(call.Status.Cid), call.Status.MaxDepth == 0, cancelled);
                    return new ConnectorCallResult { Status = new PinStatusResponse { Pin = Messages.PinKind(kind) } };
                default:
                    throw Failures.BadArgument("the call asks for nothing that this connector knows");
            }
        }
        finally
        {
            slots.Release();
        }
    }

    private async Task SendAsync(ConnectorCallResult result)
    {
        try
        {
            await _results.Writer.WriteAsync(result, cancellationToken);
        }
        catch (Exception failure) when (failure is ChannelClosedException or OperationCanceledException)
        {
            // The client is gone.
        }
    }

    private void Ended()
    {
        if (Interlocked.Decrement(ref _open) == 0)
        {
            _results.Writer.TryComplete();
            _allEnded.TrySetResult();
        }
    }

    private async Task WriteAsync(IAsyncStreamWriter<ConnectorCallResultBatch> responses)
    {
        try
        {
            while (await _results.Reader.WaitToReadAsync(cancellationToken))
            {
                var batch = new ConnectorCallResultBatch();
                while (batch.Results.Count < MaxResultsOfOneBatch && _results.Reader.TryRead(out var result))
                    batch.Results.Add(result);
                await responses.WriteAsync(batch, CancellationToken.None);
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or RpcException or IOException or InvalidOperationException)
        {
            _results.Writer.TryComplete();
            CancelAll();
        }
    }

    /// <summary>Sends progress when there is room for it; the next one says more anyway.</summary>
    private sealed class ProgressSender(ulong id, ChannelWriter<ConnectorCallResult> results) : IProgress<DaemonPinProgress>
    {
        public void Report(DaemonPinProgress value) => results.TryWrite(new ConnectorCallResult { Id = id, Progress = Messages.Progress(value) });
    }
}
