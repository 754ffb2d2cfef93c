using Cluster.PeerRpc.Msgpack;
using Libp2p;

namespace Cluster.PeerRpc.Streams;

/// <summary>Writes the replies of a list, each with its header.</summary>
public readonly struct ReplyWriter
{
    private readonly ValueStream values;
    private readonly byte[] header;

    internal ReplyWriter(ValueStream values, byte[] header)
    {
        this.values = values;
        this.header = header;
    }

    /// <summary>Begins a reply; its value is written next.</summary>
    public MsgpackWriter Next()
    {
        var writer = values.Writer;
        writer.Encoded(header);
        return writer;
    }
}

/// <summary>
/// A streaming method with one argument, or none, and many replies. Replies are made in batches and sent together as long as they come
/// without a wait. Answers need not wait for the caller's argument when there is none to wait for (peer-rpc §7.9).
/// </summary>
/// <param name="id">What callers name it.</param>
/// <param name="policy">Who may call it.</param>
/// <param name="decode">Reads the argument; null for a method without one. A caller that sends none gets the default.</param>
/// <param name="write">Writes a batch, reply by reply.</param>
/// <param name="run">The method; what it throws becomes the error that ends the stream. Its token ends when the caller resets the stream.</param>
public sealed class ListingMethod<TArgument, TBatch>(
    ServiceId id, RpcPolicy policy, Decode<TArgument>? decode, Action<ReplyWriter, TBatch> write,
    Func<PeerId, TArgument, CancellationToken, IAsyncEnumerable<TBatch>> run) : RpcMethod(id, policy)
{
    private readonly byte[] header = RpcServer.GoodHeader(id);

    internal override async Task ServeAsync(PeerId caller, ValueStream values, CallLimits limits, CancellationToken cancellation)
    {
        var argument = default(TArgument)!;
        if (decode is not null)
        {
            try
            {
                (_, argument) = await RpcServer.ReadRequestAsync(values, decode, limits, cancellation).ConfigureAwait(false);
            }
            catch (MsgpackException undecodable)
            {
                RpcServer.WriteError(values, Id, undecodable.Message, CallErrorKind.Application, null);
                return;
            }
        }
        using var call = new CallLife(null, limits.Time, cancellation);
        var watching = values.WatchAsync(reset =>
        {
            // Its FIN is the end of its arguments and ends nothing else.
            if (reset) call.CallerGone();
        });
        try
        {
            await SendAsync(values, run(caller, argument, call.Token), limits, call).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException and not IOException && !call.Token.IsCancellationRequested)
        {
            RpcServer.WriteError(values, Id, failure.Message, CallErrorKind.Application, null);
        }
        finally
        {
            values.EndWatch();
            await watching.ConfigureAwait(false);
        }
    }

    private async Task SendAsync(ValueStream values, IAsyncEnumerable<TBatch> batches, CallLimits limits, CallLife call)
    {
        var replies = new ReplyWriter(values, header);
        var source = batches.GetAsyncEnumerator(call.Token);
        await using (source.ConfigureAwait(false))
        {
            while (true)
            {
                var moving = source.MoveNextAsync();
                if (!moving.IsCompleted || values.IsFull)
                {
                    // What is there goes out while the next is being made.
                    var next = moving.AsTask();
                    try
                    {
                        await RpcServer.FlushAsync(values, limits, call.Token).ConfigureAwait(false);
                    }
                    catch
                    {
                        call.CallerGone();
                        // The source may be disposed of only when it stands still.
                        await next.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
                        throw;
                    }
                    if (!await next.ConfigureAwait(false)) return;
                }
                else if (!await moving.ConfigureAwait(false))
                {
                    return;
                }
                write(replies, source.Current);
            }
        }
    }
}
