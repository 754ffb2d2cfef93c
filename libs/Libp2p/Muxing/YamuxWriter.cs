using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Libp2p.Muxing;

/// <summary>Writes a stream: collects until a flush, then sends as the window allows.</summary>
internal sealed class YamuxWriter(YamuxStream stream) : PipeWriter
{
    private const int FirstBuffer = 1024;

    // Up to this size a write joins what is already collected, so that both leave in one frame.
    private const int JoinLimit = 64 * 1024;

    private byte[] buffer = [];
    private int length;

    // Bytes of `buffer` that a flush has already sent, in case it is cancelled half-way.
    private int sent;
    private bool completed;

    // A write that goes past the buffer was given up half-way: what follows it would not be what it is taken for.
    private bool torn;
    private volatile bool canceled;

    public bool IsFlushCanceled => canceled;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => length - sent;

    public void OnSent(int count) => sent += count;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (completed) throw new InvalidOperationException("The stream was closed for writing.");
        int need = length + Math.Max(sizeHint, 1);
        if (buffer.Length < need)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(need, length == 0 ? FirstBuffer : 2 * length));
            buffer.AsSpan(0, length).CopyTo(larger);
            if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
            buffer = larger;
        }
        return buffer.AsMemory(length);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)(buffer.Length - length));
        length += bytes;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (length > 0)
        {
            await stream.SendAsync(buffer.AsMemory(sent, length - sent), cancellationToken);
            if (TakeCancel()) return new FlushResult(isCanceled: true, isCompleted: false);
            Release();
        }
        return default;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (completed) throw new InvalidOperationException("The stream was closed for writing.");
        if (length > 0 && length + source.Length <= JoinLimit)
        {
            source.CopyTo(GetMemory(source.Length));
            Advance(source.Length);
            return await FlushAsync(cancellationToken);
        }
        var first = await FlushAsync(cancellationToken);
        if (first.IsCanceled) return first;
        try
        {
            await stream.SendAsync(source, cancellationToken);
        }
        finally
        {
            torn |= sent > 0 && sent < source.Length;
            sent = 0;
        }
        return new FlushResult(TakeCancel(), isCompleted: false);
    }

    private void Release()
    {
        byte[] done = buffer;
        buffer = [];
        length = sent = 0;
        if (done.Length > 0) ArrayPool<byte>.Shared.Return(done);
    }

    private bool TakeCancel()
    {
        if (!canceled) return false;
        canceled = false;
        return true;
    }

    public override void CancelPendingFlush()
    {
        canceled = true;
        stream.WakeWriter();
    }

    public override void Complete(Exception? exception = null)
    {
        if (completed) return;
        completed = true;
        if (exception is not null || torn)
        {
            // A FIN would pass what was sent for the whole.
            stream.Reset(StreamErrorCode.None);
            Release();
            return;
        }
        if (length == 0) stream.CloseWrite();
        else _ = FinishAsync();
    }

    public override async ValueTask CompleteAsync(Exception? exception = null)
    {
        if (completed) return;
        if (exception is not null || torn || length == 0)
        {
            Complete(exception);
            return;
        }
        completed = true;
        await FinishAsync();
    }

    // The stream's failure is seen by the next reader; a caller that closes does not care.
    private async Task FinishAsync()
    {
        try
        {
            if (await TrySendRestAsync())
            {
                stream.CloseWrite();
                return;
            }
            // A FIN would pass what was sent for the whole.
            stream.Reset(StreamErrorCode.None);
            Release();
        }
        catch (IOException)
        {
        }
    }

    /// <summary>Sends what is left when nobody is there any more to cancel it; false when the other side does not take it.</summary>
    private async Task<bool> TrySendRestAsync()
    {
        long began = stream.Time.GetTimestamp();
        while (stream.Time.GetElapsedTime(began) < stream.Options.CloseTimeout)
        {
            int before = sent;
            using var limit = new CancellationTokenSource(stream.Options.ResponseTimeout, stream.Time);
            try
            {
                var flush = await FlushAsync(limit.Token);
                if (!flush.IsCanceled) return true;
            }
            catch (OperationCanceledException)
            {
                if (sent == before) return false;
            }
        }
        return false;
    }
}
