using System.Buffers;
using System.IO.Pipelines;
using Cluster.PeerRpc.Msgpack;

namespace Cluster.PeerRpc.Streams;

/// <summary>Reads a value whose bytes are all there.</summary>
public delegate T Decode<out T>(ref MsgpackReader reader);

/// <summary>Msgpack values back to back on a stream, in both directions.</summary>
internal sealed class ValueStream(IDuplexPipe stream)
{
    /// <summary>
    /// Bytes of one value at most. The largest legitimate ones are blocks, which no bitswap carries above 4 MiB, and lists of removed
    /// keys; whoever sends more is cut off before it fills our memory.
    /// </summary>
    public const int MaxValue = 16 << 20;

    /// <summary>Bytes of a request at most: what is read of callers that nobody trusts. A pin with all its options has less.</summary>
    public const int MaxRequest = 2 << 20;

    /// <summary>Replies are collected up to so many bytes, as long as they come without a wait.</summary>
    private const int FlushBytes = 32 << 10;

    private readonly ArrayBufferWriter<byte> pending = new(512);

    /// <summary>What has come and is not read yet.</summary>
    public ArrivedBytes Arrived { get; } = new(stream.Input);

    /// <summary>Collects values; <see cref="FlushAsync"/> sends them in one piece.</summary>
    public MsgpackWriter Writer => new(pending);

    /// <summary>Whether anything is collected.</summary>
    public bool HasPending => pending.WrittenCount > 0;

    /// <summary>Whether enough is collected to be sent.</summary>
    public bool IsFull => pending.WrittenCount >= FlushBytes;

    public ValueTask FlushAsync(CancellationToken cancellation) =>
        pending.WrittenCount == 0 ? ValueTask.CompletedTask : SendAsync(cancellation);

    /// <summary>Reads one value.</summary>
    /// <returns>False when the other side ended its side before the value began.</returns>
    /// <exception cref="MsgpackException">The bytes are no such value, or it is too long, or cut off.</exception>
    public async ValueTask<(bool Has, T Value)> TryReadAsync<T>(Decode<T> decode, CancellationToken cancellation, int max = MaxValue)
    {
        while (true)
        {
            if (Arrived.TryMeasure(out var length))
            {
                if (length > max) throw TooLong(max);
                try
                {
                    return (true, Arrived.Decode(0, length, decode));
                }
                finally
                {
                    Arrived.Consume(length);
                }
            }
            if (Arrived.Unread.Length > max) throw TooLong(max);
            if (await Arrived.MoreAsync(cancellation).ConfigureAwait(false)) continue;
            return Arrived.Unread.IsEmpty ? (false, default!) : throw new MsgpackException("EOF");
        }
    }

    /// <summary>
    /// Waits for the end of the other side's sending while a method runs. What still comes is nobody's and dropped.
    /// </summary>
    /// <param name="ended">Told whether the end was a reset (or the connection's) and not a FIN.</param>
    public async Task WatchAsync(Action<bool> ended)
    {
        try
        {
            while (true)
            {
                var read = await stream.Input.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                stream.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCanceled) return;
                if (!read.IsCompleted) continue;
                ended(false);
                return;
            }
        }
        catch (IOException)
        {
            ended(true);
        }
    }

    /// <summary>Ends <see cref="WatchAsync"/>.</summary>
    public void EndWatch() => stream.Input.CancelPendingRead();

    internal static MsgpackException TooLong(int max) => new($"a value is longer than {max} bytes");

    private async ValueTask SendAsync(CancellationToken cancellation)
    {
        var memory = stream.Output.GetMemory(pending.WrittenCount);
        pending.WrittenMemory.CopyTo(memory);
        stream.Output.Advance(pending.WrittenCount);
        pending.ResetWrittenCount();
        var flushed = await stream.Output.FlushAsync(cancellation).ConfigureAwait(false);
        if (flushed.IsCompleted) throw new EndOfStreamException("the other side does not read any more");
    }
}
