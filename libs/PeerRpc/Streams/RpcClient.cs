using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Cluster.PeerRpc.Msgpack;

namespace Cluster.PeerRpc.Streams;

/// <summary>Calls methods of another peer, one call a stream (peer-rpc §1).</summary>
public static class RpcClient
{
    /// <summary>Time for our side of a call to learn that all it sent is out, when the peer has answered already.</summary>
    private static readonly TimeSpan LastFlush = TimeSpan.FromSeconds(5);

    /// <summary>Calls with one argument for one reply. Our side stays open until the reply is read: its end would cancel the method.</summary>
    /// <exception cref="PeerCallException">The peer answered with an error.</exception>
    /// <exception cref="MsgpackException">The answer is not what it should be.</exception>
    /// <exception cref="EndOfStreamException">The peer ended the stream without an answer.</exception>
    public static async Task<TReply> CallAsync<TReply>(
        IDuplexPipe stream, ServiceId id, Action<MsgpackWriter> argument, Decode<TReply> decode, CancellationToken cancellation)
    {
        var values = new ValueStream(stream);
        Exception? failure = null;
        try
        {
            id.Write(values.Writer);
            argument(values.Writer);
            await values.FlushAsync(cancellation).ConfigureAwait(false);
            await ReadHeaderAsync(values, cancellation).ConfigureAwait(false);
            var (has, reply) = await values.TryReadAsync(decode, cancellation).ConfigureAwait(false);
            return has ? reply : throw new EndOfStreamException($"{id}: the peer ended the stream in the middle of its answer");
        }
        catch (Exception thrown) when (thrown is not PeerCallException)
        {
            failure = thrown;
            throw;
        }
        finally
        {
            await stream.Output.CompleteAsync(failure).ConfigureAwait(false);
            await stream.Input.CompleteAsync().ConfigureAwait(false);
            values.Arrived.Release();
        }
    }

    /// <summary>Calls with a stream of arguments for a stream of replies. Arguments are sent while replies are read.</summary>
    /// <exception cref="PeerCallException">The peer ended the replies with an error.</exception>
    /// <exception cref="MsgpackException">An answer is not what it should be.</exception>
    public static async IAsyncEnumerable<TReply> StreamAsync<TReply>(
        IDuplexPipe stream, ServiceId id, IAsyncEnumerable<Action<MsgpackWriter>>? arguments, Decode<TReply> decode,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var values = new ValueStream(stream);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sending = SendAsync(stream, values, id, arguments, asked, stop);
        var ended = false;
        try
        {
            while (true)
            {
                var (has, header) = await ReadAsync(values.TryReadAsync(ResponseHeader.Read, stop.Token)).ConfigureAwait(false);
                if (!has)
                {
                    // The peer may have its last argument, and have answered, before the flush of it has told us so.
                    await Task.WhenAny(asked.Task, sending, Task.Delay(LastFlush, stop.Token)).ConfigureAwait(false);
                    if (!asked.Task.IsCompleted) throw new EndOfStreamException($"{id}: the peer ended its answer before it had all arguments");
                    break;
                }
                if (header.Error.Length > 0) throw new PeerCallException(header.Error, header.Kind);
                (has, var reply) = await ReadAsync(values.TryReadAsync(decode, stop.Token)).ConfigureAwait(false);
                if (!has) throw new EndOfStreamException($"{id}: the peer ended the stream in the middle of its answer");
                yield return reply;
            }
            ended = true;
        }
        finally
        {
            if (!ended) await stop.CancelAsync().ConfigureAwait(false);
            var failure = await sending.ConfigureAwait(false);
            var end = ended ? null : failure ?? new OperationCanceledException("the call was given up");
            await stream.Output.CompleteAsync(end).ConfigureAwait(false);
            await stream.Input.CompleteAsync(end).ConfigureAwait(false);
            values.Arrived.Release();
        }

        // Whose arguments fail has the reading ended, and wants to know of its own failure.
        async ValueTask<T> ReadAsync<T>(ValueTask<T> reading)
        {
            try
            {
                return await reading.ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw await sending.ConfigureAwait(false) ?? new IOException($"{id}: the call was given up");
            }
        }
    }

    /// <summary>Sends everything and half-closes; a failure is returned, for the reading side learns of it first-hand.</summary>
    private static async Task<Exception?> SendAsync(
        IDuplexPipe stream, ValueStream values, ServiceId id, IAsyncEnumerable<Action<MsgpackWriter>>? arguments, TaskCompletionSource asked, CancellationTokenSource stop)
    {
        try
        {
            id.Write(values.Writer);
            if (arguments is not null)
            {
                await foreach (var argument in arguments.WithCancellation(stop.Token).ConfigureAwait(false))
                {
                    argument(values.Writer);
                    await values.FlushAsync(stop.Token).ConfigureAwait(false);
                }
            }
            await values.FlushAsync(stop.Token).ConfigureAwait(false);
            asked.SetResult();
            await stream.Output.CompleteAsync().ConfigureAwait(false);
            return null;
        }
        catch (Exception failure)
        {
            // The stream's own failure is seen by the reading side, which may have an answer that says more.
            if (failure is not IOException) await stop.CancelAsync().ConfigureAwait(false);
            return failure;
        }
    }

    private static async ValueTask ReadHeaderAsync(ValueStream values, CancellationToken cancellation)
    {
        var (has, header) = await values.TryReadAsync(ResponseHeader.Read, cancellation).ConfigureAwait(false);
        if (!has) throw new EndOfStreamException("the peer ended the stream without an answer");
        if (header.Error.Length > 0) throw new PeerCallException(header.Error, header.Kind);
    }
}
