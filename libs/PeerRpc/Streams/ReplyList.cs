using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Cluster.PeerRpc.Msgpack;

namespace Cluster.PeerRpc.Streams;

/// <summary>Collects replies of a list into batches.</summary>
/// <typeparam name="TBatch">What a batch is.</typeparam>
public interface IReplyCollector<out TBatch>
{
    /// <summary>Replies collected and not yet taken.</summary>
    int Count { get; }

    /// <summary>Whether the batch should be taken before more is added.</summary>
    bool IsFull { get; }

    /// <summary>Adds a reply.</summary>
    /// <exception cref="MsgpackException">It is not what it should be.</exception>
    void Add(ref MsgpackReader value);

    /// <summary>Takes the batch and begins the next.</summary>
    TBatch Take();
}

/// <summary>Reads long lists of replies (peer-rpc §1) in batches: everything that has arrived at a time.</summary>
public static class ReplyList
{
    /// <summary>Calls a streaming method with one argument, or none.</summary>
    /// <param name="stream">A fresh stream.</param>
    /// <param name="id">The method.</param>
    /// <param name="argument">Writes the argument; null for none.</param>
    /// <param name="collector">Takes the replies.</param>
    /// <param name="idle">Longest time in which nothing comes; there is no limit for the whole.</param>
    /// <param name="time">Clock of <paramref name="idle"/>.</param>
    /// <param name="cancellation">Ends the call.</param>
    /// <exception cref="PeerCallException">The peer ended the replies with an error; what came before has been given out.</exception>
    /// <exception cref="MsgpackException">An answer is not what it should be.</exception>
    /// <exception cref="TimeoutException">Nothing came for too long.</exception>
    public static async IAsyncEnumerable<TBatch> CallAsync<TBatch>(
        IDuplexPipe stream, ServiceId id, Action<MsgpackWriter>? argument, IReplyCollector<TBatch> collector, TimeSpan idle, TimeProvider time,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var good = RpcServer.GoodHeader(id);
        var values = new ValueStream(stream);
        Decode<bool> add = (ref MsgpackReader reader) =>
        {
            collector.Add(ref reader);
            return true;
        };
        var ended = false;
        using var silence = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellation);
        try
        {
            silence.CancelAfter(idle);
            await GuardAsync(SendAsync(stream, values, id, argument, either.Token)).ConfigureAwait(false);
            while (!ended)
            {
                silence.CancelAfter(idle);
                ended = await GuardAsync(ReadAsync(values.Arrived, good, collector, add, either.Token)).ConfigureAwait(false);
                silence.CancelAfter(Timeout.InfiniteTimeSpan);
                if (collector.Count > 0) yield return collector.Take();
            }
        }
        finally
        {
            // Our side of the sending has ended long ago: only a reset of the reading tells the peer that nobody listens.
            await stream.Input.CompleteAsync(ended ? null : new OperationCanceledException("the call was given up")).ConfigureAwait(false);
            await stream.Output.CompleteAsync().ConfigureAwait(false);
            values.Arrived.Release();
        }

        async Task<bool> GuardAsync(ValueTask<bool> part)
        {
            try
            {
                return await part.ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw new TimeoutException($"{id}: nothing came for {idle.TotalSeconds:0.#} s");
            }
        }
    }

    private static async ValueTask<bool> SendAsync(
        IDuplexPipe stream, ValueStream values, ServiceId id, Action<MsgpackWriter>? argument, CancellationToken cancellation)
    {
        id.Write(values.Writer);
        argument?.Invoke(values.Writer);
        await values.FlushAsync(cancellation).ConfigureAwait(false);
        await stream.Output.CompleteAsync().ConfigureAwait(false);
        return true;
    }

    /// <summary>Reads until at least one whole reply has come; true at the end.</summary>
    private static async ValueTask<bool> ReadAsync<TBatch>(
        ArrivedBytes arrived, byte[] good, IReplyCollector<TBatch> collector, Decode<bool> add, CancellationToken cancellation)
    {
        while (true)
        {
            Collect(arrived, good, collector, add);
            if (collector.Count > 0) return false;
            if (arrived.Unread.Length > ValueStream.MaxValue) throw ValueStream.TooLong(ValueStream.MaxValue);
            if (await arrived.MoreAsync(cancellation).ConfigureAwait(false)) continue;
            return arrived.Unread.IsEmpty ? true : throw new EndOfStreamException("the peer ended the stream in the middle of its answer");
        }
    }

    private static void Collect<TBatch>(ArrivedBytes arrived, byte[] good, IReplyCollector<TBatch> collector, Decode<bool> add)
    {
        while (!collector.IsFull && arrived.TryMeasure(out var headerLength))
        {
            if (!arrived.Unread[..headerLength].SequenceEqual(good))
            {
                var header = arrived.Decode(0, headerLength, ResponseHeader.Read);
                if (header.Error.Length > 0)
                {
                    // What came before the error is given out first; then the error is met again.
                    if (collector.Count > 0) return;
                    throw new PeerCallException(header.Error, header.Kind);
                }
            }
            if (!arrived.TryMeasure(out var length, headerLength)) return;
            arrived.Decode(headerLength, length, add);
            arrived.Consume(headerLength + length);
        }
    }
}
