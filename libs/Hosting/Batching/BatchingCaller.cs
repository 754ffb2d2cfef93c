using System.Collections.Concurrent;
using System.Threading.Channels;
using Cluster.Contracts.V1;
using Google.Protobuf.Collections;
using Grpc.Core;

namespace Cluster.Hosting.Batching;

/// <summary>
/// Makes single calls over a duplex stream of batches. Calls that come while a batch is being written form the next one; a lone
/// call leaves at once. When the stream breaks, the calls on it fail with UNAVAILABLE, which a caller of something idempotent may
/// repeat at once: the next call opens a new stream, and waits for the other process to be there again.
/// </summary>
/// <remarks>Thread-safe. One caller a process and contract is enough; its calls share one stream.</remarks>
/// <typeparam name="TCall">A call; the caller sets its id.</typeparam>
/// <typeparam name="TCallBatch">Several calls.</typeparam>
/// <typeparam name="TResult">A result.</typeparam>
/// <typeparam name="TResultBatch">Several results.</typeparam>
public sealed class BatchingCaller<TCall, TCallBatch, TResult, TResultBatch> : IAsyncDisposable
    where TCall : class
    where TCallBatch : class, new()
    where TResult : class, new()
    where TResultBatch : class, new()
{
    /// <summary>Calls in one batch at most: a batch of pins then has some 100 KiB.</summary>
    public const int MaximumBatch = 512;

    private readonly Func<CallOptions, AsyncDuplexStreamingCall<TCallBatch, TResultBatch>> open;
    private readonly BatchShape<TCall, TCallBatch, TResult, TResultBatch> shape;
    private readonly SemaphoreSlim room;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource disposing = new();
    private Lane? lane;
    private ulong lastId;
    private bool disposed;

    /// <summary>A caller over a duplex method.</summary>
    /// <param name="open">Starts the method: <c>options => client.Calls(options)</c>.</param>
    /// <param name="shape">How its messages look, from <see cref="BatchShapes"/>.</param>
    /// <param name="maximumUnderWay">Calls under way at most; further ones wait for room.</param>
    public BatchingCaller(
        Func<CallOptions, AsyncDuplexStreamingCall<TCallBatch, TResultBatch>> open,
        BatchShape<TCall, TCallBatch, TResult, TResultBatch> shape,
        int maximumUnderWay = 16_384)
    {
        ArgumentNullException.ThrowIfNull(open);
        ArgumentNullException.ThrowIfNull(shape);
        this.open = open;
        this.shape = shape;
        room = new SemaphoreSlim(maximumUnderWay, maximumUnderWay);
    }

    /// <summary>Makes a call and waits for its result.</summary>
    /// <param name="call">The call; its id is set here, so an object is good for one call at a time.</param>
    /// <param name="cancellationToken">Stops the waiting; the other side is told where the contract has cancellation.</param>
    /// <param name="progress">Told of interim results, in order, on the reading thread: it must not block.</param>
    /// <exception cref="RpcException">The result is an error, or the stream broke (UNAVAILABLE).</exception>
    public async Task<TResult> CallAsync(TCall call, CancellationToken cancellationToken, Action<TResult>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(call);
        await room.WaitAsync(cancellationToken);
        try
        {
            var id = Interlocked.Increment(ref lastId);
            shape.SetId(call, id);
            var waiting = new Waiting(progress);
            Lane current;
            lock (gate)
            {
                ObjectDisposedException.ThrowIf(disposed, this);
                if (lane is null || lane.IsBroken)
                    lane = new Lane(open, shape, disposing.Token);
                current = lane;
                // Within the lock, so that a lane that breaks fails every call that it took.
                current.Send(id, call, waiting);
            }

            await using var registration = cancellationToken.Register(() => current.Cancel(id, cancellationToken));
            var result = await waiting.Task;
            return shape.ErrorOf(result) is { } error
                ? throw new RpcException(new Status((StatusCode)error.Code, error.Message))
                : result;
        }
        finally
        {
            room.Release();
        }
    }

    /// <summary>Ends the stream; calls under way fail.</summary>
    public async ValueTask DisposeAsync()
    {
        Lane? last;
        lock (gate)
        {
            if (disposed)
                return;
            disposed = true;
            last = lane;
        }

        await disposing.CancelAsync();

        if (last is not null)
            await last.Ended;
        disposing.Dispose();
        // `room` is left alone: calls that failed just now still give theirs back, and it holds no handle.
    }

    /// <summary>A call that waits for its result. Continuations run elsewhere, so that they do not hold up the reader.</summary>
    private sealed class Waiting(Action<TResult>? progress) : TaskCompletionSource<TResult>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public Action<TResult>? Progress { get; } = progress;
    }

    /// <summary>One stream from its opening to its end.</summary>
    private sealed class Lane
    {
        private readonly BatchShape<TCall, TCallBatch, TResult, TResultBatch> shape;
        private readonly ConcurrentDictionary<ulong, Waiting> waiting = new();
        // Unbounded, as what is under way is bounded by the caller.
        private readonly Channel<TCall> outgoing = Channel.CreateUnbounded<TCall>(new UnboundedChannelOptions { SingleReader = true });
        // Time for the other side's reason to come when nothing can be sent any more.
        private static readonly TimeSpan lastWords = TimeSpan.FromSeconds(1);

        private volatile bool broken;

        public Lane(
            Func<CallOptions, AsyncDuplexStreamingCall<TCallBatch, TResultBatch>> open,
            BatchShape<TCall, TCallBatch, TResult, TResultBatch> shape,
            CancellationToken disposing)
        {
            this.shape = shape;
            Ended = Task.Run(() => RunAsync(open, disposing), CancellationToken.None);
        }

        public bool IsBroken => broken;

        /// <summary>Completes, never faulted, when the stream has ended and all its calls have an answer.</summary>
        public Task Ended { get; }

        public void Send(ulong id, TCall call, Waiting result)
        {
            waiting[id] = result;
            if (!outgoing.Writer.TryWrite(call))
                Fail(id, Broken("the stream ended"));
            // A lane that broke in between failed the calls that it saw; this one it may not have seen.
            else if (broken)
                Fail(id, Broken("the stream ended"));
        }

        public void Cancel(ulong id, CancellationToken cancellationToken)
        {
            if (!waiting.TryRemove(id, out var result))
                return;
            result.TrySetCanceled(cancellationToken);
            if (shape.Cancellation() is { } cancellation)
            {
                shape.SetId(cancellation, id);
                outgoing.Writer.TryWrite(cancellation);
            }
        }

        // The cause tells a lost stream from an UNAVAILABLE that the other side answered itself.
        private static RpcException Broken(string why) => new(new Status(StatusCode.Unavailable, why, new IOException(why)));

        private async Task RunAsync(Func<CallOptions, AsyncDuplexStreamingCall<TCallBatch, TResultBatch>> open, CancellationToken disposing)
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(disposing);
            RpcException reason;
            Exception? unsent = null;
            try
            {
                using var stream = open(new CallOptions(cancellationToken: ending.Token));
                var writing = WriteAsync(stream.RequestStream, ending.Token);
                try
                {
                    var reading = ReadAsync(stream.ResponseStream, ending.Token);
                    if (await Task.WhenAny(reading, writing) == writing)
                    {
                        // What ends the stream ends the reading too, and tells why; a write that fails alone leaves nobody who sends.
                        await Task.WhenAny(reading, Task.Delay(lastWords, ending.Token));
                        if (!reading.IsCompleted)
                        {
                            unsent = await writing;
                            await ending.CancelAsync();
                        }
                    }

                    await reading;
                    reason = Broken("the other side ended the stream");
                }
                finally
                {
                    await ending.CancelAsync();
                    outgoing.Writer.TryComplete();
                    await writing;
                }
            }
            catch (RpcException error) when (error.StatusCode is StatusCode.Unimplemented or StatusCode.Unauthenticated or StatusCode.PermissionDenied)
            {
                reason = error;
            }
            catch (Exception error)
            {
                reason = Broken((unsent ?? error) is RpcException rpc ? rpc.Status.Detail : (unsent ?? error).Message);
            }

            broken = true;
            outgoing.Writer.TryComplete();
            foreach (var id in waiting.Keys)
                Fail(id, reason);
        }

        /// <summary>Sends what is to be sent, until it is all there is or a failure, which it returns.</summary>
        private async Task<Exception?> WriteAsync(IClientStreamWriter<TCallBatch> stream, CancellationToken cancellationToken)
        {
            try
            {
                while (await outgoing.Reader.WaitToReadAsync(cancellationToken))
                {
                    // Behind what else is ready to run: callers that woke together go in one message.
                    await Task.Yield();
                    var batch = new TCallBatch();
                    var calls = shape.Calls(batch);
                    while (calls.Count < MaximumBatch && outgoing.Reader.TryRead(out var call))
                        calls.Add(call);
                    await WriteAsync(stream, batch, calls, cancellationToken);
                }

                return null;
            }
            catch (Exception error)
            {
                return error;
            }
        }

        /// <summary>
        /// Calls that are too large for one message together go in one each; one that is too large by itself fails, and the stream goes on.
        /// </summary>
        private async Task WriteAsync(IClientStreamWriter<TCallBatch> stream, TCallBatch batch, RepeatedField<TCall> calls, CancellationToken cancellationToken)
        {
            try
            {
                await stream.WriteAsync(batch, cancellationToken);
            }
            catch (RpcException error) when (error.StatusCode is StatusCode.ResourceExhausted && calls.Count == 1)
            {
                Fail(shape.IdOf(calls[0]), error);
            }
            catch (RpcException error) when (error.StatusCode is StatusCode.ResourceExhausted)
            {
                foreach (var call in calls)
                {
                    var single = new TCallBatch();
                    shape.Calls(single).Add(call);
                    await WriteAsync(stream, single, shape.Calls(single), cancellationToken);
                }
            }
        }

        private async Task ReadAsync(IAsyncStreamReader<TResultBatch> stream, CancellationToken cancellationToken)
        {
            while (await stream.MoveNext(cancellationToken))
            {
                foreach (var result in shape.Results(stream.Current))
                {
                    var id = shape.IdOf(result);
                    if (shape.IsInterim(result))
                    {
                        if (waiting.TryGetValue(id, out var listening))
                            listening.Progress?.Invoke(result);
                    }
                    else if (waiting.TryRemove(id, out var done))
                    {
                        done.TrySetResult(result);
                    }
                }
            }
        }

        private void Fail(ulong id, RpcException reason)
        {
            if (waiting.TryRemove(id, out var result))
                result.TrySetException(reason);
        }
    }
}
