using System.Buffers;

namespace Libp2p.Muxing;

/// <summary>
/// Frames on their way out. Producers append under a lock; whoever finds the line free writes the first batch at once, and what
/// comes in meanwhile forms the next batch. Streams wait for room; frames of the session itself (pings, window updates, resets)
/// never wait, and end the session when the other side lets too many of them pile up.
/// </summary>
internal sealed class YamuxOutput(Stream transport, TimeProvider time, Action<Exception> failed)
{
    // Two frames of the largest size: one is written while the next is filled.
    private const int DataCapacity = 2 * 64 * 1024;
    private const int ControlSlack = 64 * 1024;
    private const int FirstBuffer = 2048;

    private readonly Lock gate = new();
    private readonly Queue<AsyncSignal> waiting = new();
    private byte[] buffer = [];
    private int length;
    private bool writing;
    private bool closed;
    private long writeStarted;
    private TaskCompletionSource? drained;

    // The write under way when its caller went on; handed over by `pump`.
    private readonly AsyncSignal pump = new();
    private ValueTask unfinished;

    /// <summary>Time the write under way has taken so far; zero when there is none.</summary>
    public TimeSpan Blocked => Volatile.Read(ref writeStarted) is var since && since == 0 ? TimeSpan.Zero : time.GetElapsedTime(since);

    /// <summary>Appends a data frame if there is room; otherwise <paramref name="room"/> is set when it is worth another try.</summary>
    /// <param name="header">Header of the frame.</param>
    /// <param name="payload">Payload, copied.</param>
    /// <param name="room">Signal of the waiting stream.</param>
    /// <param name="hold">Whether the frame may wait for the next one, or a <see cref="Kick"/>, to leave together with it.</param>
    public bool TryAppend(YamuxHeader header, ReadOnlySpan<byte> payload, AsyncSignal room, bool hold = false)
    {
        bool fits;
        lock (gate)
        {
            if (closed) return true;
            int size = YamuxHeader.Size + payload.Length;
            fits = length == 0 || length + size <= DataCapacity;
            if (fits)
            {
                var target = Extend(size);
                header.Write(target);
                payload.CopyTo(target[YamuxHeader.Size..]);
            }
            else
            {
                waiting.Enqueue(room);
            }
        }
        // What fills the line may be held back: company has come.
        if (!hold || !fits) Kick();
        return fits;
    }

    /// <summary>Appends a frame without payload.</summary>
    public void Append(YamuxHeader header, bool hold = false)
    {
        lock (gate)
        {
            if (closed) return;
            if (length + YamuxHeader.Size <= DataCapacity + ControlSlack) header.Write(Extend(YamuxHeader.Size));
            else closed = true;
        }
        if (closed) failed(new ConnectionClosedException("The peer does not read, and lets unsent control frames pile up."));
        else if (!hold) Kick();
    }

    private Span<byte> Extend(int size)
    {
        if (buffer.Length < length + size)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(length + size, length == 0 ? FirstBuffer : 2 * length));
            buffer.AsSpan(0, length).CopyTo(larger);
            if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
            buffer = larger;
        }
        var target = buffer.AsSpan(length, size);
        length += size;
        return target;
    }

    /// <summary>Sends what was held back.</summary>
    public void Kick()
    {
        lock (gate)
        {
            if (writing || closed || length == 0) return;
            writing = true;
        }
        // The first batch is written by the caller's thread, which saves a switch; what does not end there is not its business.
        var batch = WriteBatchAsync();
        if (batch.IsCompletedSuccessfully)
        {
            batch.GetAwaiter().GetResult();
            if (!IsMoreToWrite()) return;
            batch = default;
        }
        // The line stays taken until the pump has seen the end of this batch, so nobody else can hand one over meanwhile.
        lock (gate) unfinished = batch;
        pump.Set();
    }

    /// <summary>Goes on where callers left off, until <see cref="Close"/>.</summary>
    public async Task RunAsync()
    {
        while (true)
        {
            await pump.WaitAsync();
            ValueTask batch;
            lock (gate)
            {
                if (closed && !writing) return;
                batch = unfinished;
                unfinished = default;
            }
            await batch;
            while (IsMoreToWrite()) await WriteBatchAsync();
            if (closed) return;
        }
    }

    /// <summary>Asked by whoever has seen a batch end; false when the line has fallen free.</summary>
    private bool IsMoreToWrite()
    {
        lock (gate)
        {
            if (length > 0 && !closed) return true;
            writing = false;
            drained?.TrySetResult();
            if (closed) pump.Set();
            return false;
        }
    }

    /// <summary>Writes what is there. Never throws: a failure ends the session.</summary>
    [System.Runtime.CompilerServices.AsyncMethodBuilder(typeof(System.Runtime.CompilerServices.PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteBatchAsync()
    {
        byte[] batch;
        int size;
        lock (gate)
        {
            (batch, size) = (buffer, length);
            (buffer, length) = ([], 0);
            while (waiting.TryDequeue(out var signal)) signal.Set();
        }
        try
        {
            Volatile.Write(ref writeStarted, Math.Max(1, time.GetTimestamp()));
            await transport.WriteAsync(batch.AsMemory(0, size));
            await transport.FlushAsync();
        }
        catch (Exception e)
        {
            // The batch is not returned to the pool: the layer beneath may still hold it.
            Close();
            failed(new ConnectionClosedException("The connection broke while writing: " + e.Message, e));
            return;
        }
        Volatile.Write(ref writeStarted, 0);
        if (batch.Length > 0) ArrayPool<byte>.Shared.Return(batch);
    }

    /// <summary>Completes when everything appended so far is with the layer beneath.</summary>
    public Task DrainAsync()
    {
        lock (gate)
        {
            if (closed || !writing && length == 0) return Task.CompletedTask;
            drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return drained.Task;
        }
    }

    /// <summary>Drops what is unsent and lets all waiters go.</summary>
    public void Close()
    {
        lock (gate)
        {
            closed = true;
            length = 0;
            drained?.TrySetResult();
            while (waiting.TryDequeue(out var signal)) signal.Set();
            // With nothing under way nobody else would end the pump.
            if (!writing) pump.Set();
        }
    }
}
