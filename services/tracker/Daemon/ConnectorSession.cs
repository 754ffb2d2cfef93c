using System.Collections.Concurrent;
using System.Threading.Channels;
using Cluster.Contracts.V1;
using Cluster.Tracker.Core;
using Google.Protobuf;
using Grpc.Core;
using Ipld;

namespace Cluster.Tracker.Daemon;

/// <summary>What the daemon said of one CID, or why it did not.</summary>
/// <param name="Error">Null when it answered.</param>
public readonly record struct DaemonAnswer(DaemonPinKind Kind, string? Error);

/// <summary>
/// One life of the duplex stream to the connector. Requests that are at hand together leave in one message; a lone one leaves at once.
/// </summary>
internal sealed class ConnectorSession(PinTracker tracker, AsyncDuplexStreamingCall<ConnectorCallBatch, ConnectorCallResultBatch> call)
    : IRequestSink
{
    private const int CallsPerMessage = 256;

    // Operations have small ids; questions count down from the top.
    private const ulong FirstQuestion = 1UL << 63;

    // Not bounded by itself: the tracker sends no more than its concurrency, and the budget limits the questions.
    private readonly Channel<ConnectorCall> _outgoing = Channel.CreateUnbounded<ConnectorCall>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<DaemonAnswer>> _questions = new();
    private ulong _lastQuestion = FirstQuestion;

    public void Send(TrackerAction action) => _outgoing.Writer.TryWrite(action switch
    {
        StartPin pin => new ConnectorCall { Id = action.Id, Pin = PinRequest(pin.Pin) },
        StartUnpin unpin => new ConnectorCall { Id = action.Id, Unpin = new ConnectorUnpinRequest { Cid = Bytes(unpin.Cid) } },
        _ => new ConnectorCall { Id = action.Id, Cancel = new Empty() },
    });

    /// <summary>Asks the daemon about one CID. Fails with UNAVAILABLE when the session ends first.</summary>
    public async Task<DaemonAnswer> AskAsync(Cid cid, int maxDepth, CancellationToken cancellation)
    {
        var id = Interlocked.Increment(ref _lastQuestion);
        var answer = new TaskCompletionSource<DaemonAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _questions[id] = answer;
        var status = new PinStatusRequest { Cid = Bytes(cid), MaxDepth = maxDepth };
        if (!_outgoing.Writer.TryWrite(new ConnectorCall { Id = id, Status = status }))
            answer.TrySetException(Gone());
        try
        {
            return await answer.Task.WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            _outgoing.Writer.TryWrite(new ConnectorCall { Id = id, Cancel = new Empty() });
            throw;
        }
        finally
        {
            _questions.TryRemove(id, out _);
        }
    }

    /// <summary>Runs until the stream ends; returns when it was ended by the other side in order.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var writing = WriteAsync(ended.Token);
        try
        {
            while (await call.ResponseStream.MoveNext(ended.Token))
                Receive(call.ResponseStream.Current);
        }
        finally
        {
            _outgoing.Writer.TryComplete();
            await ended.CancelAsync();
            foreach (var question in _questions.Values)
                question.TrySetException(Gone());
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static RpcException Gone() => new(new Status(StatusCode.Unavailable, "the connector is restarting"));

    private static ByteString Bytes(Cid cid) => UnsafeByteOperations.UnsafeWrap(cid.Memory);

    private static ConnectorPinRequest PinRequest(TrackedPin pin)
    {
        var request = new ConnectorPinRequest { Cid = Bytes(pin.Cid), MaxDepth = pin.MaxDepth };
        if (pin.PinUpdate is { } source)
            request.PinUpdate = Bytes(source);
        if (!pin.Details.IsEmpty)
            request.Origins.Add(PinInfo.Parser.ParseFrom(pin.Details.Span).Origins);
        return request;
    }

    private async Task WriteAsync(CancellationToken cancellation)
    {
        var reader = _outgoing.Reader;
        while (await reader.WaitToReadAsync(cancellation))
        {
            var batch = new ConnectorCallBatch();
            while (batch.Calls.Count < CallsPerMessage && reader.TryRead(out var next))
                batch.Calls.Add(next);
            await call.RequestStream.WriteAsync(batch, cancellation);
        }
    }

    private void Receive(ConnectorCallResultBatch batch)
    {
        List<RequestResult>? ended = null;
        foreach (var result in batch.Results)
        {
            if (result.Id >= FirstQuestion)
                Answer(result);
            else if (result.ResultCase is ConnectorCallResult.ResultOneofCase.Done)
                (ended ??= []).Add(new RequestResult(result.Id, null, FailureKind.Refused));
            else if (result.ResultCase is ConnectorCallResult.ResultOneofCase.Error)
                (ended ??= []).Add(new RequestResult(result.Id, result.Error.Message, KindOf(result.Error)));
        }

        if (ended is not null)
            tracker.Report(ended);
    }

    private void Answer(ConnectorCallResult result)
    {
        if (!_questions.TryRemove(result.Id, out var question))
            return;
        if (result.ResultCase is ConnectorCallResult.ResultOneofCase.Status)
            question.TrySetResult(new DaemonAnswer((DaemonPinKind)(int)result.Status.Pin, null));
        else
            question.TrySetResult(new DaemonAnswer(DaemonPinKind.Unpinned, result.Error?.Message ?? "the connector gave no answer"));
    }

    private static FailureKind KindOf(ItemError error) => (StatusCode)error.Code switch
    {
        StatusCode.Unavailable => FailureKind.DaemonAway,
        StatusCode.Cancelled => FailureKind.Returned,
        _ => FailureKind.Refused,
    };
}
