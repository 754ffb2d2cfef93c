using System.Buffers;
using System.IO.Pipelines;
using Cluster.PeerRpc.Msgpack;

namespace Cluster.PeerRpc.Streams;

/// <summary>
/// What has come on a stream and is not read yet, in one piece. Bytes are taken off the stream at once: its window is renewed by what
/// is taken, so a value larger than the window would wait for its own end otherwise.
/// </summary>
internal sealed class ArrivedBytes(PipeReader input)
{
    /// <summary>Bytes taken off at a time; with a value's beginning, they bound what is held.</summary>
    private const int Piece = 128 << 10;

    private const int FirstBuffer = 1024;

    private byte[] buffer = [];
    private int start;
    private int end;

    public ReadOnlySpan<byte> Unread => buffer.AsSpan(start, end - start);

    /// <summary>Measures the value that begins so many bytes into what is unread; false when it is not all there.</summary>
    public bool TryMeasure(out int length, int offset = 0)
    {
        var complete = MsgpackExtent.TryMeasure(new ReadOnlySequence<byte>(buffer, start + offset, end - start - offset), out var measured);
        length = (int)measured;
        return complete;
    }

    public T Decode<T>(int offset, int length, Decode<T> decode)
    {
        var reader = new MsgpackReader(Unread.Slice(offset, length));
        return decode(ref reader);
    }

    public void Consume(int count)
    {
        start += count;
        if (start < end) return;
        start = end = 0;
        // One large value is no reason to hold its memory.
        if (buffer.Length > 4 * Piece) Release();
    }

    /// <summary>Waits for more; false at the end of the other side's sending.</summary>
    public async ValueTask<bool> MoreAsync(CancellationToken cancellation)
    {
        var read = await input.ReadAsync(cancellation).ConfigureAwait(false);
        if (read.IsCanceled)
        {
            input.AdvanceTo(read.Buffer.Start);
            throw new OperationCanceledException("the reading was given up");
        }
        var piece = read.Buffer.Length > Piece ? read.Buffer.Slice(0, Piece) : read.Buffer;
        var length = (int)piece.Length;
        if (length > 0)
        {
            Reserve(length);
            piece.CopyTo(buffer.AsSpan(end));
            end += length;
        }
        input.AdvanceTo(piece.End);
        return length > 0 || !read.IsCompleted;
    }

    /// <summary>Gives the memory back.</summary>
    public void Release()
    {
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
        start = end = 0;
    }

    private void Reserve(int count)
    {
        if (end + count <= buffer.Length) return;
        var unread = end - start;
        var target = buffer;
        if (unread + count > buffer.Length) target = ArrayPool<byte>.Shared.Rent(Math.Max(FirstBuffer, Math.Max(unread + count, 2 * unread)));
        buffer.AsSpan(start, unread).CopyTo(target);
        if (target != buffer && buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
        buffer = target;
        start = 0;
        end = unread;
    }
}
