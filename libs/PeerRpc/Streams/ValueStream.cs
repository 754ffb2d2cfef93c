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

    private readonly ArrayBufferWriter<byte> pending = new(512);

    /// <summary>Collects values; <see cref="FlushAsync"/> sends them in one piece.</summary>
    public MsgpackWriter Writer => new(pending);

    public async ValueTask FlushAsync(CancellationToken cancellation)
    {
        if (pending.WrittenCount == 0) return;
        var memory = stream.Output.GetMemory(pending.WrittenCount);
        pending.WrittenMemory.CopyTo(memory);
        stream.Output.Advance(pending.WrittenCount);
        pending.ResetWrittenCount();
        var flushed = await stream.Output.FlushAsync(cancellation).ConfigureAwait(false);
        if (flushed.IsCompleted) throw new EndOfStreamException("the other side does not read any more");
    }

    /// <summary>Reads one value.</summary>
    /// <returns>False when the other side ended its side before the value began.</returns>
    /// <exception cref="MsgpackException">The bytes are no such value, or it is too long, or cut off.</exception>
    public async ValueTask<(bool Has, T Value)> TryReadAsync<T>(Decode<T> decode, CancellationToken cancellation)
    {
        while (true)
        {
            var read = await stream.Input.ReadAsync(cancellation).ConfigureAwait(false);
            var buffer = read.Buffer;
            if (MsgpackExtent.TryMeasure(buffer, out var length))
            {
                try
                {
                    return (true, DecodeValue(buffer.Slice(0, length), decode));
                }
                finally
                {
                    stream.Input.AdvanceTo(buffer.GetPosition(length));
                }
            }
            stream.Input.AdvanceTo(buffer.Start, buffer.End);
            if (buffer.Length > MaxValue) throw new MsgpackException($"a value is longer than {MaxValue} bytes");
            if (!read.IsCompleted) continue;
            return buffer.IsEmpty ? (false, default!) : throw new MsgpackException("EOF");
        }
    }

    private static T DecodeValue<T>(ReadOnlySequence<byte> value, Decode<T> decode)
    {
        if (value.IsSingleSegment)
        {
            var reader = new MsgpackReader(value.FirstSpan);
            return decode(ref reader);
        }
        var length = checked((int)value.Length);
        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            value.CopyTo(rented);
            var reader = new MsgpackReader(rented.AsSpan(0, length));
            return decode(ref reader);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
