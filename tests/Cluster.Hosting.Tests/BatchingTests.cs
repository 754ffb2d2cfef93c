using Cluster.Contracts.V1;
using Cluster.Hosting.Batching;
using Cluster.Hosting.Clients;
using Google.Protobuf;
using Grpc.Core;

namespace Cluster.Hosting.Tests;

public sealed class BatchingTests
{
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Every_call_gets_its_own_result_and_waiting_ones_share_batches()
    {
        await using var peer = new TestPeer();
        var tracker = new EchoTracker();
        await peer.StartAsync(ServiceName.Tracker, service => Add(service, tracker));
        var client = new Tracker.TrackerClient(peer.Channels.For(ServiceName.Tracker));
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var caller = new BatchingCaller<TrackerCall, TrackerCallBatch, TrackerCallResult, TrackerCallResultBatch>(
            options => Held(client.Calls(options), open.Task), BatchShapes.Tracker);
        var calls = Enumerable.Range(1, 5000).Select(i => caller.CallAsync(StatusOf(i), CancellationToken.None)).ToList();
        open.SetResult();
        var results = await Task.WhenAll(calls).WaitAsync(patience);
        Assert.Equal(Enumerable.Range(1, 5000), results.Select(r => BitConverter.ToInt32(r.Info.Cid.Span)));
        Assert.Equal(5000, tracker.Batches.Sum());
        Assert.InRange(tracker.Batches.Count, 10, 11);
        Assert.All(tracker.Batches, size => Assert.InRange(size, 1, 512));
    }

    [Fact]
    public async Task A_lone_call_leaves_at_once()
    {
        await using var peer = new TestPeer();
        var tracker = new EchoTracker();
        await peer.StartAsync(ServiceName.Tracker, service => Add(service, tracker));
        await using var caller = TrackerCaller(peer);
        for (var i = 1; i <= 5; i++)
            await caller.CallAsync(StatusOf(i), CancellationToken.None).WaitAsync(patience);
        Assert.Equal([1, 1, 1, 1, 1], tracker.Batches);
    }

    [Fact]
    public async Task Errors_come_with_their_status_and_leave_others_alone()
    {
        await using var peer = new TestPeer();
        await peer.StartAsync(ServiceName.Tracker, service => Add(service, new EchoTracker()));
        await using var caller = TrackerCaller(peer);
        var good = caller.CallAsync(StatusOf(1), CancellationToken.None);
        var missing = await Assert.ThrowsAsync<RpcException>(
            () => caller.CallAsync(new TrackerCall { Recover = new TrackerRecoverRequest() }, CancellationToken.None).WaitAsync(patience));
        Assert.Equal((StatusCode.NotFound, "not here"), (missing.StatusCode, missing.Status.Detail));
        var fault = await Assert.ThrowsAsync<RpcException>(
            () => caller.CallAsync(new TrackerCall { Status = new TrackerStatusRequest() }, CancellationToken.None).WaitAsync(patience));
        Assert.Equal((StatusCode.Internal, "empty"), (fault.StatusCode, fault.Status.Detail));
        Assert.NotNull((await good.WaitAsync(patience)).Info);
    }

    [Fact]
    public async Task A_broken_stream_fails_its_calls_as_UNAVAILABLE_and_the_next_call_opens_another()
    {
        await using var peer = new TestPeer();
        using var gate = new SemaphoreSlim(0);
        var stuck = new EchoTracker { Gate = gate };
        var first = await peer.StartAsync(ServiceName.Tracker, service => Add(service, stuck));
        await using var caller = TrackerCaller(peer);
        var lost = Enumerable.Range(1, 10).Select(i => caller.CallAsync(StatusOf(i), CancellationToken.None)).ToArray();
        using var limit = new CancellationTokenSource(patience);
        while (stuck.Batches.Sum() < 10)
            await Task.Delay(1, limit.Token);
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await first.StopAsync(now.Token);
        foreach (var call in lost)
            Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => call.WaitAsync(patience))).StatusCode);
        await peer.StartAsync(ServiceName.Tracker, service => Add(service, new EchoTracker()));
        Assert.NotNull((await caller.CallAsync(StatusOf(1), CancellationToken.None).WaitAsync(patience)).Info);
    }

    [Fact]
    public async Task A_stream_on_which_nothing_can_be_sent_fails_its_calls_though_nothing_ends_its_reading()
    {
        await using var peer = new TestPeer();
        await peer.StartAsync(ServiceName.Tracker, service => Add(service, new EchoTracker()));
        var client = new Tracker.TrackerClient(peer.Channels.For(ServiceName.Tracker));
        var opened = 0;
        await using var caller = new BatchingCaller<TrackerCall, TrackerCallBatch, TrackerCallResult, TrackerCallResultBatch>(
            options => opened++ > 0 ? client.Calls(options) : HalfDead(), BatchShapes.Tracker);
        var failed = await Assert.ThrowsAsync<RpcException>(() => caller.CallAsync(StatusOf(1), CancellationToken.None).WaitAsync(patience));
        Assert.Equal((StatusCode.Unavailable, "broken pipe"), (failed.StatusCode, failed.Status.Detail));
        Assert.NotNull((await caller.CallAsync(StatusOf(2), CancellationToken.None).WaitAsync(patience)).Info);
    }

    [Fact]
    public async Task Interim_results_come_in_order_and_a_cancellation_reaches_the_other_side()
    {
        await using var peer = new TestPeer();
        var connector = new WaitingConnector();
        await peer.StartAsync(ServiceName.Connector, service =>
        {
            service.MapGrpc<WaitingConnector>();
            Replace(service, connector);
        });
        var client = new Connector.ConnectorClient(peer.Channels.For(ServiceName.Connector));
        await using var caller = new BatchingCaller<ConnectorCall, ConnectorCallBatch, ConnectorCallResult, ConnectorCallResultBatch>(client.Calls, BatchShapes.Connector);
        using var cancellation = new CancellationTokenSource();
        var seen = new List<ulong>();
        var pin = caller.CallAsync(new ConnectorCall { Pin = new ConnectorPinRequest() }, cancellation.Token, result =>
        {
            seen.Add(result.Progress.Nodes);
            if (seen.Count == 3)
                cancellation.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pin.WaitAsync(patience));
        Assert.Equal([1ul, 2, 3], seen);
        await connector.Cancelled.Task.WaitAsync(patience);
        Assert.NotNull((await caller.CallAsync(new ConnectorCall { Unpin = new ConnectorUnpinRequest() }, CancellationToken.None).WaitAsync(patience)).Done);
    }

    [Fact]
    public async Task A_cancelled_wait_for_room_leaves_no_trace()
    {
        await using var peer = new TestPeer();
        using var gate = new SemaphoreSlim(0);
        await peer.StartAsync(ServiceName.Tracker, service => Add(service, new EchoTracker { Gate = gate }));
        await using var caller = TrackerCaller(peer, maximumUnderWay: 2);
        var under = new[] { caller.CallAsync(StatusOf(1), CancellationToken.None), caller.CallAsync(StatusOf(2), CancellationToken.None) };
        using var cancellation = new CancellationTokenSource();
        var third = caller.CallAsync(StatusOf(3), cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third.WaitAsync(patience));
        gate.Release(3);
        await Task.WhenAll(under).WaitAsync(patience);
        Assert.NotNull(await caller.CallAsync(StatusOf(4), CancellationToken.None).WaitAsync(patience));
    }

    [Fact]
    public async Task A_disposed_caller_fails_what_is_under_way_and_takes_no_more()
    {
        await using var peer = new TestPeer();
        using var gate = new SemaphoreSlim(0);
        await peer.StartAsync(ServiceName.Tracker, service => Add(service, new EchoTracker { Gate = gate }));
        var caller = TrackerCaller(peer);
        var call = caller.CallAsync(StatusOf(1), CancellationToken.None);
        await caller.DisposeAsync();
        await Assert.ThrowsAsync<RpcException>(() => call.WaitAsync(patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => caller.CallAsync(StatusOf(1), CancellationToken.None));
    }

    [Fact]
    public async Task Calls_and_results_that_are_too_large_for_one_message_together_go_in_several()
    {
        await using var peer = new TestPeer();
        using var gate = new SemaphoreSlim(0);
        await peer.StartAsync(ServiceName.Tracker, service => Add(service, new EchoTracker { Gate = gate }));
        await using var caller = TrackerCaller(peer);
        var payload = new byte[ServiceChannels.MaximumMessageBytes / 10];
        var calls = Enumerable.Range(1, 40).Select(_ => caller.CallAsync(StatusOf(payload), CancellationToken.None)).ToArray();
        gate.Release(calls.Length);
        Assert.All(await Task.WhenAll(calls).WaitAsync(patience), result => Assert.Equal(payload.Length, result.Info.Cid.Length));
    }

    [Fact]
    public async Task A_call_too_large_for_any_message_fails_alone()
    {
        await using var peer = new TestPeer();
        await peer.StartAsync(ServiceName.Tracker, service => Add(service, new EchoTracker()));
        await using var caller = TrackerCaller(peer);
        var large = caller.CallAsync(StatusOf(new byte[ServiceChannels.MaximumMessageBytes + 1]), CancellationToken.None);
        var small = caller.CallAsync(StatusOf(1), CancellationToken.None);
        var refused = await Assert.ThrowsAsync<RpcException>(() => large.WaitAsync(patience));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.NotNull((await small.WaitAsync(patience)).Info);
        Assert.NotNull((await caller.CallAsync(StatusOf(2), CancellationToken.None).WaitAsync(patience)).Info);
    }

    private static TrackerCall StatusOf(byte[] cid) => new() { Status = new TrackerStatusRequest { Cid = UnsafeByteOperations.UnsafeWrap(cid) } };

    private static TrackerCall StatusOf(int number) => new() { Status = new TrackerStatusRequest { Cid = ByteString.CopyFrom(BitConverter.GetBytes(number)) } };

    /// <summary>A call that sends nothing before it may.</summary>
    private static AsyncDuplexStreamingCall<TrackerCallBatch, TrackerCallResultBatch> Held(AsyncDuplexStreamingCall<TrackerCallBatch, TrackerCallResultBatch> call, Task open) => new(
        new HeldWriter(call.RequestStream, open), call.ResponseStream, call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);

    private static AsyncDuplexStreamingCall<TrackerCallBatch, TrackerCallResultBatch> HalfDead() => new(
        new DeadWriter(), new SilentReader(), Task.FromResult(Metadata.Empty), static () => Status.DefaultSuccess, static () => Metadata.Empty, static () => { });

    private static BatchingCaller<TrackerCall, TrackerCallBatch, TrackerCallResult, TrackerCallResultBatch> TrackerCaller(TestPeer peer, int maximumUnderWay = 16_384)
    {
        var client = new Tracker.TrackerClient(peer.Channels.For(ServiceName.Tracker));
        return new(client.Calls, BatchShapes.Tracker, maximumUnderWay);
    }

    private static void Add(ServiceBuilder service, EchoTracker tracker)
    {
        service.MapGrpc<EchoTracker>();
        Replace(service, tracker);
    }

    private static void Replace<T>(ServiceBuilder service, T instance)
        where T : class
        => Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton(service.Services, instance);

    private sealed class HeldWriter(IClientStreamWriter<TrackerCallBatch> inner, Task open) : IClientStreamWriter<TrackerCallBatch>
    {
        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(TrackerCallBatch message) => WriteAsync(message, CancellationToken.None);

        public async Task WriteAsync(TrackerCallBatch message, CancellationToken cancellationToken)
        {
            await open.WaitAsync(cancellationToken);
            await inner.WriteAsync(message, cancellationToken);
        }

        public Task CompleteAsync() => inner.CompleteAsync();
    }

    private sealed class DeadWriter : IClientStreamWriter<TrackerCallBatch>
    {
        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(TrackerCallBatch message) => throw new IOException("broken pipe");

        public Task WriteAsync(TrackerCallBatch message, CancellationToken cancellationToken) => WriteAsync(message);

        public Task CompleteAsync() => Task.CompletedTask;
    }

    private sealed class SilentReader : IAsyncStreamReader<TrackerCallResultBatch>
    {
        public TrackerCallResultBatch Current => throw new InvalidOperationException("nothing was read");

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return false;
        }
    }
}
