using System.Collections.Concurrent;
using System.Threading.Channels;
using Cluster.Contracts.V1;
using Google.Protobuf.Collections;
using Grpc.Core;

namespace Cluster.Hosting.Batching;

/// <summary>The serving side of a duplex stream of batches.</summary>
public static class BatchedCalls
{
    /// <summary>
    /// Serves such a stream: starts a handler for each call, many at once, and sends results as they come; those that come while a
    /// batch is being written form the next one.
    /// </summary>
    /// <param name="shape">How the messages look, from <see cref="BatchShapes"/>.</param>
    /// <param name="requests">The stream of calls.</param>
    /// <param name="responses">The stream of results.</param>
    /// <param name="handler">Answers one call: with a result, or with an <see cref="RpcException"/> for an error. It is started on the
    /// reading thread in the order of the calls, so a handler that only queues its work keeps that order. Its second argument takes
    /// interim results.</param>
    /// <param name="maximumUnderWay">Calls at once, from their reading to the writing of their result; while there are so many no further ones are read, which holds up the other side.</param>
    /// <param name="cancellationToken">The token of the call; handlers get a token that ends with it, or with the call's cancellation.</param>
    public static async Task ServeAsync<TCall, TCallBatch, TResult, TResultBatch>(
        BatchShape<TCall, TCallBatch, TResult, TResultBatch> shape,
        IAsyncStreamReader<TCallBatch> requests,
        IServerStreamWriter<TResultBatch> responses,
        Func<TCall, Action<TResult>, CancellationToken, ValueTask<TResult>> handler,
        int maximumUnderWay,
        CancellationToken cancellationToken)
        where TCall : class
        where TCallBatch : class, new()
        where TResult : class, new()
        where TResultBatch : class, new()
    {
        using var server = new Server<TCall, TCallBatch, TResult, TResultBatch>(shape, handler, maximumUnderWay);
        await server.RunAsync(requests, responses, cancellationToken);
    }

    private sealed class Server<TCall, TCallBatch, TResult, TResultBatch>(
        BatchShape<TCall, TCallBatch, TResult, TResultBatch> shape,
        Func<TCall, Action<TResult>, CancellationToken, ValueTask<TResult>> handler,
        int maximumUnderWay) : IDisposable
        where TCall : class
        where TCallBatch : class, new()
        where TResult : class, new()
        where TResultBatch : class, new()
    {
        private const int MaximumBatch = 512;

        private readonly SemaphoreSlim room = new(maximumUnderWay, maximumUnderWay);
        private readonly ConcurrentDictionary<ulong, CancellationTokenSource> underWay = new();
        // Unbounded, as a call keeps its room until its result is written; interim results come at their handlers' pace.
        private readonly Channel<TResult> results = Channel.CreateUnbounded<TResult>(new UnboundedChannelOptions { SingleReader = true });

        public async Task RunAsync(IAsyncStreamReader<TCallBatch> requests, IServerStreamWriter<TResultBatch> responses, CancellationToken cancellationToken)
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var writing = WriteAsync(responses, ending);
            try
            {
                while (await requests.MoveNext(ending.Token))
                {
                    foreach (var call in shape.Calls(requests.Current))
                        await StartAsync(call, ending.Token);
                }
            }
            catch (Exception) when (ending.IsCancellationRequested)
            {
                // The other side is gone, or can no longer be written to.
            }
            catch
            {
                await ending.CancelAsync();
                throw;
            }
            finally
            {
                // Every call that started gives its room back when its result is written, or dropped as nobody reads.
                for (var i = 0; i < maximumUnderWay; i++)
                    await room.WaitAsync(CancellationToken.None);
                results.Writer.TryComplete();
                await writing;
            }
        }

        public void Dispose() => room.Dispose();

        private async ValueTask StartAsync(TCall call, CancellationToken cancellationToken)
        {
            var id = shape.IdOf(call);
            if (shape.IsCancellation(call))
            {
                if (underWay.TryGetValue(id, out var cancelled))
                    await CancelAsync(cancelled);
                return;
            }

            await room.WaitAsync(cancellationToken);
            var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            underWay[id] = source;
            // Owned: RunAsync waits for the room that it gives back, and its failures become results.
            _ = AnswerAsync(id, call, source);
        }

        private static async Task CancelAsync(CancellationTokenSource source)
        {
            try
            {
                await source.CancelAsync();
            }
            catch (ObjectDisposedException)
            {
                // The call ended meanwhile.
            }
        }

        private async Task AnswerAsync(ulong id, TCall call, CancellationTokenSource source)
        {
            TResult result;
            try
            {
                result = await handler(call, interim => Send(id, interim), source.Token);
            }
            catch (RpcException error)
            {
                result = shape.Failure(new ItemError { Code = (int)error.StatusCode, Message = error.Status.Detail });
            }
            catch (OperationCanceledException)
            {
                result = shape.Failure(new ItemError { Code = (int)StatusCode.Cancelled, Message = "cancelled" });
            }
            catch (Exception error)
            {
                result = shape.Failure(new ItemError { Code = (int)StatusCode.Internal, Message = error.Message });
            }

            underWay.TryRemove(id, out _);
            source.Dispose();
            Send(id, result);
        }

        private void Send(ulong id, TResult result)
        {
            shape.SetId(result, id);
            results.Writer.TryWrite(result);
        }

        private async Task WriteAsync(IServerStreamWriter<TResultBatch> responses, CancellationTokenSource ending)
        {
            while (await results.Reader.WaitToReadAsync(CancellationToken.None))
            {
                // Behind what else is ready to run: results that came together go in one message.
                await Task.Yield();
                var batch = new TResultBatch();
                var items = shape.Results(batch);
                var finished = 0;
                while (items.Count < MaximumBatch && results.Reader.TryRead(out var result))
                {
                    items.Add(result);
                    if (!shape.IsInterim(result))
                        finished++;
                }

                try
                {
                    if (!ending.IsCancellationRequested)
                        await WriteAsync(responses, batch, items, ending.Token);
                }
                catch (Exception error) when (error is RpcException or OperationCanceledException or InvalidOperationException or IOException)
                {
                    // Nobody reads any more: the handlers are told, and what they answer is dropped.
                    await ending.CancelAsync();
                }

                if (finished > 0)
                    room.Release(finished);
            }
        }

        /// <summary>Results that are too large for one message together go in one each; one that is too large by itself becomes an error.</summary>
        private async Task WriteAsync(
            IServerStreamWriter<TResultBatch> responses, TResultBatch batch, RepeatedField<TResult> items, CancellationToken cancellationToken)
        {
            try
            {
                await responses.WriteAsync(batch, cancellationToken);
            }
            catch (RpcException error) when (error.StatusCode is StatusCode.ResourceExhausted)
            {
                foreach (var item in items)
                {
                    var single = new TResultBatch();
                    shape.Results(single).Add(items.Count > 1 ? item : TooLarge(shape.IdOf(item), error));
                    await WriteAsync(responses, single, shape.Results(single), cancellationToken);
                }
            }
        }

        private TResult TooLarge(ulong id, RpcException error)
        {
            var failure = shape.Failure(new ItemError { Code = (int)error.StatusCode, Message = error.Status.Detail });
            shape.SetId(failure, id);
            return failure;
        }
    }
}
