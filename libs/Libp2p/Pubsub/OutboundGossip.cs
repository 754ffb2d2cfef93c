using System.Threading.Channels;
using Libp2p.Hosting;

namespace Libp2p.Pubsub;

/// <summary>Our stream to one peer: written only. The peer never writes on it, so that a read that ends tells of its death.</summary>
internal sealed class OutboundGossip
{
    private readonly PeerStream stream;
    private readonly Channel<PubsubRpc> queue;

    public OutboundGossip(PeerStream stream, int capacity, Action dropped)
    {
        this.stream = stream;
        queue = Channel.CreateBounded<PubsubRpc>(new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true },
            _ => dropped());
    }

    public PeerConnection Connection => stream.Connection;

    public bool Outbound => !stream.Connection.IsInbound;

    public void Enqueue(PubsubRpc rpc) => queue.Writer.TryWrite(rpc);

    /// <summary>Writes frames until the stream dies or the token is cancelled.</summary>
    /// <returns>Why it ended.</returns>
    public async Task<string> RunAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var watching = WatchAsync(stop);
        try
        {
            await foreach (var rpc in queue.Reader.ReadAllAsync(stop.Token))
            {
                stream.Output.WriteFrame(rpc.Encode());
                // What has queued up meanwhile goes out in the same flush.
                while (queue.Reader.TryRead(out var next)) stream.Output.WriteFrame(next.Encode());
                await stream.Output.FlushAsync(stop.Token);
            }
            return "it was closed";
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            return failure.Message;
        }
        finally
        {
            queue.Writer.TryComplete();
            await stop.CancelAsync();
            stream.Reset();
            await watching;
        }
    }

    private async Task WatchAsync(CancellationTokenSource stop)
    {
        try
        {
            var read = await stream.Input.ReadAsync(stop.Token);
            if (!read.IsCompleted && read.Buffer.Length > 0) throw new IOException("the peer wrote on a stream that is not for that");
            await stop.CancelAsync();
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            await stop.CancelAsync();
        }
    }
}
