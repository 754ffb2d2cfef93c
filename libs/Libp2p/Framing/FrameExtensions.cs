using System.Buffers;
using System.IO.Pipelines;
using Libp2p.Encodings;

namespace Libp2p;

/// <summary>A message longer than the reader allows, or no message at all.</summary>
public sealed class FrameException(string message) : IOException(message);

/// <summary>Messages with a varint length before them, as most libp2p protocols send them.</summary>
public static class FrameExtensions
{
    /// <summary>
    /// Reads one message. The result lies in the pipe's memory: call <see cref="AdvancePast"/> when done with it.
    /// Null at the end of the stream.
    /// </summary>
    /// <exception cref="FrameException">The message is larger than <paramref name="maxLength"/>, or its length is malformed, or it is cut.</exception>
    public static async ValueTask<ReadOnlySequence<byte>?> ReadFrameAsync(this PipeReader reader, int maxLength, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (TrySplit(buffer, maxLength, out var frame)) return frame;
            if (result.IsCompleted)
            {
                bool clean = buffer.IsEmpty;
                reader.AdvanceTo(buffer.End);
                return clean ? null : throw new FrameException("The stream ends inside a message.");
            }
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCanceled) throw new OperationCanceledException();
        }
    }

    /// <summary>Reads one message into memory of its own; null at the end of the stream.</summary>
    /// <exception cref="FrameException">The message is larger than <paramref name="maxLength"/>, or its length is malformed, or it is cut.</exception>
    public static async ValueTask<byte[]?> ReadFrameBytesAsync(this PipeReader reader, int maxLength, CancellationToken cancellationToken = default)
    {
        if (await reader.ReadFrameAsync(maxLength, cancellationToken) is not { } frame) return null;
        byte[] bytes = frame.ToArray();
        reader.AdvancePast(frame);
        return bytes;
    }

    /// <summary>Releases a message that <see cref="ReadFrameAsync"/> returned.</summary>
    public static void AdvancePast(this PipeReader reader, ReadOnlySequence<byte> frame) => reader.AdvanceTo(frame.End);

    /// <summary>Writes one message, without flushing.</summary>
    public static void WriteFrame(this PipeWriter writer, ReadOnlySpan<byte> message)
    {
        var span = writer.GetSpan(UVarint.MaxLength + message.Length);
        int n = UVarint.Write(span, (ulong)message.Length);
        message.CopyTo(span[n..]);
        writer.Advance(n + message.Length);
    }

    /// <summary>Finds the first message of a buffer; false when it is not complete.</summary>
    internal static bool TrySplit(ReadOnlySequence<byte> buffer, int maxLength, out ReadOnlySequence<byte> frame)
    {
        frame = default;
        Span<byte> head = stackalloc byte[UVarint.MaxLength];
        int held = (int)Math.Min(head.Length, buffer.Length);
        buffer.Slice(0, held).CopyTo(head);
        var status = UVarint.Read(head[..held], out ulong length, out int n);
        if (status == UVarint.Status.Incomplete) return false;
        if (status != UVarint.Status.Ok) throw new FrameException($"The length of a message is malformed: {UVarint.Explain(status)}.");
        if (length > (ulong)maxLength) throw new FrameException($"A message of {length} bytes is larger than the {maxLength} that are allowed.");
        if (buffer.Length < n + (long)length) return false;
        frame = buffer.Slice(n, (long)length);
        return true;
    }
}
