using System.IO.Pipelines;
using Libp2p.Transport;

namespace Libp2p.Simulation;

/// <summary>One direction of a simulated connection: bytes arrive in order, each write after its time.</summary>
internal sealed class InMemoryPipe(InMemoryNetwork network, int from, int to)
{
    private const int MaxUnread = 1 << 20;

    private readonly Lock gate = new();
    private readonly Queue<(long Due, byte[] Bytes)> inFlight = new();
    private readonly Pipe arrived = new(new PipeOptions(pauseWriterThreshold: 0, resumeWriterThreshold: 0, useSynchronizationContext: false));
    private ITimer? timer;
    private long lastDue;
    private bool closing;
    private bool closed;
    private long unread;

    public PipeReader Reader => arrived.Reader;

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.IsEmpty) return;
        cancellationToken.ThrowIfCancellationRequested();
        var delay = network.NextDelay();
        lock (gate)
        {
            if (closing || closed) throw new IOException("The connection is closed.");
            long due = network.Time.GetTimestamp() + (long)(delay.TotalSeconds * network.Time.TimestampFrequency);
            lastDue = Math.Max(due, lastDue);
            inFlight.Enqueue((lastDue, bytes.ToArray()));
        }
        Deliver();
        // Bytes that were not read yet hold the writer up, like a full socket buffer.
        while (!closed && Volatile.Read(ref unread) > MaxUnread) await Task.Delay(TimeSpan.FromMilliseconds(1), network.Time, cancellationToken);
    }

    public void OnRead(int bytes) => Interlocked.Add(ref unread, -bytes);

    /// <summary>Lets through what is due, unless a partition stands between.</summary>
    public void Deliver()
    {
        lock (gate)
        {
            if (closed) return;
            bool open = network.Reaches(from, to);
            long now = network.Time.GetTimestamp();
            bool any = false;
            while (open && inFlight.TryPeek(out var next) && next.Due <= now)
            {
                inFlight.Dequeue();
                next.Bytes.CopyTo(arrived.Writer.GetMemory(next.Bytes.Length));
                arrived.Writer.Advance(next.Bytes.Length);
                Interlocked.Add(ref unread, next.Bytes.Length);
                any = true;
            }
            if (any) _ = arrived.Writer.FlushAsync().AsTask();
            if (inFlight.Count == 0)
            {
                if (closing) Finish();
                return;
            }
            // While parted, healing is what delivers.
            if (!open) return;
            var wait = network.Time.GetElapsedTime(now, inFlight.Peek().Due);
            timer ??= network.Time.CreateTimer(static state => ((InMemoryPipe)state!).Deliver(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            timer.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>No more writes; what is on its way still arrives.</summary>
    public void Close()
    {
        lock (gate)
        {
            if (closing) return;
            closing = true;
        }
        Deliver();
    }

    /// <summary>The reader is gone.</summary>
    public void Abandon()
    {
        lock (gate)
        {
            if (!closed) Finish();
        }
    }

    private void Finish()
    {
        closed = true;
        inFlight.Clear();
        timer?.Dispose();
        arrived.Writer.Complete();
        network.Forget(this);
    }

    public bool IsClosed => closed;
}

/// <summary>Both directions of a simulated connection, seen from one end.</summary>
internal sealed class InMemoryStream(InMemoryPipe incoming, InMemoryPipe outgoing) : LayerStream(Null)
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ReadResult result;
        try
        {
            result = await incoming.Reader.ReadAsync(cancellationToken);
        }
        catch (InvalidOperationException e)
        {
            throw new IOException("The connection is closed.", e);
        }
        if (result.IsCanceled) throw new IOException("The connection is closed.");
        int n = (int)Math.Min(buffer.Length, result.Buffer.Length);
        var taken = result.Buffer.Slice(0, n);
        System.Buffers.BuffersExtensions.CopyTo(taken, buffer.Span);
        incoming.Reader.AdvanceTo(taken.End);
        incoming.OnRead(n);
        return n;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // The other end has closed: TCP would answer with a reset.
        if (outgoing.IsClosed) throw new IOException("The peer closed the connection.");
        return outgoing.WriteAsync(buffer, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            outgoing.Close();
            incoming.Abandon();
            incoming.Reader.CancelPendingRead();
        }
        base.Dispose(disposing);
    }
}
