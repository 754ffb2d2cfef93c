using System.Buffers;
using System.IO.Pipelines;
using Libp2p.Encodings;

namespace Libp2p;

/// <summary>A message longer than the reader allows, or no message at all.</summary>
public sealed class FrameException(string message) : IOException(message);

/// <summary>Messages with a varint length before them, as most libp2p protocols send them.</summary>
public static class FrameExtensions
{
    private const int FirstAllocation = 65536;

    /// <summary>
    /// Reads one message. The result lies in the pipe's memory: call <see cref="AdvancePast"/> when done with it.
    /// Null at the end of the stream. For messages below a stream's first window (256 KiB); larger ones need <see cref="ReadFrameBytesAsync"/>.
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

    /// <summary>
    /// Reads one message into memory of its own; null at the end of the stream. It is taken from the pipe as it comes, so that it may be
    /// larger than the stream's window.
    /// </summary>
    /// <exception cref="FrameException">The message is larger than <paramref name="maxLength"/>, or its length is malformed, or it is cut.</exception>
    public static async ValueTask<byte[]?> ReadFrameBytesAsync(this PipeReader reader, int maxLength, CancellationToken cancellationToken = default)
    {
        byte[]? message = null;
        int length = -1, filled = 0;
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (length < 0 && TryReadLength(buffer, maxLength, out length, out int head))
            {
                buffer = buffer.Slice(head);
                // Whoever says that much is coming gets the memory for it as it comes.
                message = new byte[Math.Min(length, FirstAllocation)];
            }
            if (length >= 0)
            {
                int n = (int)Math.Min(buffer.Length, length - filled);
                if (filled + n > message!.Length) Array.Resize(ref message, (int)Math.Min(length, Math.Max(2L * message.Length, filled + n)));
                buffer.Slice(0, n).CopyTo(message.AsSpan(filled));
                filled += n;
                reader.AdvanceTo(buffer.GetPosition(n));
                if (filled == length) return message;
            }
            else
            {
                if (!result.IsCompleted) reader.AdvanceTo(buffer.Start, buffer.End);
                else reader.AdvanceTo(buffer.End);
            }
            if (result.IsCompleted) return length < 0 && buffer.IsEmpty ? null : throw new FrameException("The stream ends inside a message.");
            if (result.IsCanceled) throw new OperationCanceledException();
        }
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
        if (!TryReadLength(buffer, maxLength, out int length, out int head) || buffer.Length < head + (long)length) return false;
        frame = buffer.Slice(head, length);
        return true;
    }

    private static bool TryReadLength(ReadOnlySequence<byte> buffer, int maxLength, out int length, out int head)
    {
        length = -1;
        Span<byte> first = stackalloc byte[UVarint.MaxLength];
        int held = (int)Math.Min(first.Length, buffer.Length);
        buffer.Slice(0, held).CopyTo(first);
        var status = UVarint.Read(first[..held], out ulong value, out head);
        if (status == UVarint.Status.Incomplete) return false;
        if (status != UVarint.Status.Ok) throw new FrameException($"The length of a message is malformed: {UVarint.Explain(status)}.");
        if (value > (ulong)maxLength) throw new FrameException($"A message of {value} bytes is larger than the {maxLength} that are allowed.");
        length = (int)value;
        return true;
    }
}
