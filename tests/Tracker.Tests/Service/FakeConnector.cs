using System.Collections.Concurrent;
using Cluster.Contracts.V1;
using Google.Protobuf;
using Grpc.Core;
using Ipld;

namespace Cluster.Tracker.Tests.Service;

/// <summary>A connector with a daemon behind it that does what it is told.</summary>
internal sealed class FakeConnector : Connector.ConnectorBase
{
    private TaskCompletionSource _health = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;

    public ConcurrentDictionary<Cid, DaemonPin> Pins { get; } = new();

    /// <summary>Content that nobody has: pinning it never ends.</summary>
    public ConcurrentDictionary<Cid, bool> Hanging { get; } = new();

    /// <summary>Content whose pinning, or unpinning, fails.</summary>
    public ConcurrentDictionary<Cid, string> Failing { get; } = new();

    public ConcurrentQueue<ConnectorPinRequest> PinRequests { get; } = new();

    public ConcurrentQueue<Cid> Unpinned { get; } = new();

    public ConcurrentQueue<Cid> CancelledPins { get; } = new();

    /// <summary>Content about which the daemon says nothing when asked.</summary>
    public ConcurrentDictionary<Cid, bool> Silent { get; } = new();

    public TimeSpan PinTakes { get; set; } = TimeSpan.Zero;

    /// <summary>Questions are answered when this has ended.</summary>
    public Task Answering { get; set; } = Task.CompletedTask;

    public int MostAtATime { get; private set; }

    private int _questions;
    private int _listings;

    public int Questions => _questions;

    public int Listings => _listings;

    public bool Up { get; private set; } = true;

    public void SetUp(bool up)
    {
        Up = up;
        var health = _health;
        _health = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        health.TrySetResult();
    }

    public override async Task WatchHealth(Empty request, IServerStreamWriter<DaemonHealth> responseStream, ServerCallContext context)
    {
        while (true)
        {
            var changed = _health.Task;
            await responseStream.WriteAsync(Up
                ? new DaemonHealth { Up = true, Id = new IpfsId { Id = "12D3KooWDaemon" } }
                : new DaemonHealth { Error = "Post \"id\": refused" });
            await changed.WaitAsync(context.CancellationToken);
        }
    }

    public override async Task ListPins(ListPinsRequest request, IServerStreamWriter<ListPinsResponse> responseStream, ServerCallContext context)
    {
        Interlocked.Increment(ref _listings);
        if (!Up)
            throw new RpcException(new Status(StatusCode.Unavailable, "Post \"pin/ls?stream=true&type=recursive\": refused"));
        foreach (var chunk in Pins.ToArray().Chunk(500))
        {
            var response = new ListPinsResponse();
            response.Items.Add(chunk.Select(p => new ListPinsResponse.Types.Item { Cid = ByteString.CopyFrom(p.Key.Bytes), Pin = p.Value }));
            await responseStream.WriteAsync(response);
        }
    }

    public override async Task Calls(
        IAsyncStreamReader<ConnectorCallBatch> requestStream, IServerStreamWriter<ConnectorCallResultBatch> responseStream, ServerCallContext context)
    {
        var cancels = new ConcurrentDictionary<ulong, CancellationTokenSource>();
        using var writing = new SemaphoreSlim(1);
        async Task Answer(ConnectorCall call)
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
            cancels[call.Id] = cancel;
            var result = await ResultAsync(call, cancel.Token);
            cancels.TryRemove(call.Id, out _);
            await writing.WaitAsync(context.CancellationToken);
            try
            {
                var batch = new ConnectorCallResultBatch();
                batch.Results.Add(result);
                await responseStream.WriteAsync(batch);
            }
            finally
            {
                writing.Release();
            }
        }

        while (await requestStream.MoveNext(context.CancellationToken))
        {
            foreach (var call in requestStream.Current.Calls)
            {
                if (call.CallCase != ConnectorCall.CallOneofCase.Cancel)
                    _ = Answer(call);
                else if (cancels.TryGetValue(call.Id, out var cancel))
                    await cancel.CancelAsync();
            }
        }
    }

    private async Task<ConnectorCallResult> ResultAsync(ConnectorCall call, CancellationToken cancellation)
    {
        var result = new ConnectorCallResult { Id = call.Id };
        try
        {
            switch (call.CallCase)
            {
                case ConnectorCall.CallOneofCase.Pin:
                    await PinAsync(call.Pin, cancellation);
                    result.Done = new Empty();
                    break;
                case ConnectorCall.CallOneofCase.Unpin:
                    await Task.Yield();
                    var cid = Cid.FromBytes(call.Unpin.Cid.Span);
                    Unpinned.Enqueue(cid);
                    ThrowWhenFailing(cid, "pin/rm");
                    Pins.TryRemove(cid, out _);
                    result.Done = new Empty();
                    break;
                default:
                    Interlocked.Increment(ref _questions);
                    var asked = Cid.FromBytes(call.Status.Cid.Span);
                    await Answering.WaitAsync(cancellation);
                    if (Silent.ContainsKey(asked))
                        await Task.Delay(Timeout.Infinite, cancellation);
                    if (!Up)
                        throw new RpcException(new Status(StatusCode.Unavailable, $"Post \"pin/ls?arg={asked}\": refused"));
                    result.Status = new PinStatusResponse { Pin = Pins.GetValueOrDefault(asked) };
                    break;
            }
        }
        catch (RpcException e)
        {
            result.Error = new ItemError { Code = (int)e.StatusCode, Message = e.Status.Detail };
        }
        catch (OperationCanceledException)
        {
            result.Error = new ItemError { Code = (int)StatusCode.Cancelled, Message = "cancelled" };
        }

        return result;
    }

    private async Task PinAsync(ConnectorPinRequest request, CancellationToken cancellation)
    {
        PinRequests.Enqueue(request);
        var cid = Cid.FromBytes(request.Cid.Span);
        MostAtATime = Math.Max(MostAtATime, Interlocked.Increment(ref _running));
        try
        {
            if (Hanging.ContainsKey(cid))
                await Task.Delay(Timeout.Infinite, cancellation);
            if (PinTakes > TimeSpan.Zero)
                await Task.Delay(PinTakes, cancellation);
            else
                await Task.Yield();
            ThrowWhenFailing(cid, "pin/add");
            Pins[cid] = request.MaxDepth == 0 ? DaemonPin.Direct : DaemonPin.Recursive;
        }
        catch (OperationCanceledException)
        {
            CancelledPins.Enqueue(cid);
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    private void ThrowWhenFailing(Cid cid, string what)
    {
        if (!Up)
            throw new RpcException(new Status(StatusCode.Unavailable, $"Post \"{what}?arg={cid}\": refused"));
        if (Failing.TryGetValue(cid, out var error))
            throw new RpcException(new Status(StatusCode.Unknown, error));
    }
}
