using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Libp2p.Muxing;

/// <summary>One stream of a session: a duplex pipe with a window in each direction.</summary>
internal sealed class YamuxStream : IDuplexPipe
{
    private static readonly PipeOptions InboundOptions = new(
        readerScheduler: PipeScheduler.ThreadPool,
        writerScheduler: PipeScheduler.Inline,
        // The window bounds what is buffered, so the pipe itself never pauses the session.
        pauseWriterThreshold: 0,
        resumeWriterThreshold: 0,
        pool: BlockPool.Shared,
        minimumSegmentSize: BlockPool.BlockSize,
        useSynchronizationContext: false);

    private readonly YamuxSession session;
    private readonly Lock gate = new();
    private readonly Pipe inbound = new(InboundOptions);
    private readonly AsyncSignal window = new();
    private readonly AsyncSignal room = new();
    private readonly YamuxWriter writer;

    private uint sendWindow = YamuxOptions.InitialWindow;

    // Go's names: recvWindow is the size aimed at, credit what the other side may still send, unread what waits for the application.
    private uint receiveWindow = YamuxOptions.InitialWindow;
    private uint credit = YamuxOptions.InitialWindow;
    private uint unread;
    private long windowEpoch;

    private bool writeClosed;
    private bool readClosed;
    private bool remoteClosed;
    private bool finished;
    private Exception? error;
    private CancellationTokenSource? aborted;

    public YamuxStream(YamuxSession session, uint id, bool inboundStream, uint extraWindow)
    {
        this.session = session;
        Id = id;
        IsInbound = inboundStream;
        sendWindow += extraWindow;
        windowEpoch = session.Time.GetTimestamp();
        Input = new YamuxReader(this, inbound.Reader);
        Output = writer = new YamuxWriter(this);
    }

    public uint Id { get; }

    public TimeProvider Time => session.Time;

    public YamuxOptions Options => session.Options;

    public bool IsInbound { get; }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>Whether it was neither reset nor lost with its connection.</summary>
    public bool IsAlive
    {
        get
        {
            lock (gate) return error is null;
        }
    }

    /// <summary>Cancelled when the stream is reset or lost with its connection, on a thread of its own.</summary>
    public CancellationToken Aborted
    {
        get
        {
            lock (gate) return error is not null ? new CancellationToken(canceled: true) : (aborted ??= new CancellationTokenSource()).Token;
        }
    }

    /// <summary>Receive window that memory was reserved for.</summary>
    public uint ReservedWindow => receiveWindow;

    /// <summary>Whether an opened stream still waits for the other side's acknowledgement.</summary>
    public bool AwaitsAck { get; set; }

    /// <summary>Sends bytes as the window and the session's line allow. One call at a time.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken, bool hold = false)
    {
        while (!data.IsEmpty)
        {
            int n = TakeWindow(Math.Min(data.Length, session.MaxPayload));
            if (n == 0)
            {
                if (writer.IsFlushCanceled) return;
                await window.WaitAsync(cancellationToken);
                continue;
            }
            while (!session.Output.TryAppend(new YamuxHeader(YamuxType.Data, YamuxFlags.None, Id, (uint)n), data.Span[..n], room, hold))
            {
                try
                {
                    await room.WaitAsync(cancellationToken);
                }
                catch (OperationCanceledException)
                {
                    ReturnWindow((uint)n);
                    throw;
                }
            }
            session.OnSent(n);
            // Held bytes are a proposal that goes ahead of the writer's own.
            if (!hold) writer.OnSent(n);
            data = data[n..];
        }
    }

    /// <summary>Lets frames go that were held back for company.</summary>
    public void Kick() => session.Output.Kick();

    private int TakeWindow(int wanted)
    {
        lock (gate)
        {
            if (error is not null) throw Rethrown(error);
            if (writeClosed) throw new InvalidOperationException("The stream was closed for writing.");
            int n = (int)Math.Min((uint)wanted, sendWindow);
            sendWindow -= (uint)n;
            return n;
        }
    }

    private void ReturnWindow(uint n)
    {
        lock (gate) sendWindow += n;
    }

    // Each thrower gets an exception of its own, because they are thrown on several threads.
    private static Exception Rethrown(Exception error) => error switch
    {
        StreamResetException reset => new StreamResetException(reset.Code, reset.ByRemote),
        _ => new ConnectionClosedException(error.Message, error),
    };

    internal void WakeWriter() => window.Set();

    /// <summary>Tells the other side that nothing more comes (FIN).</summary>
    public void CloseWrite()
    {
        lock (gate)
        {
            if (writeClosed || error is not null) return;
            writeClosed = true;
        }
        session.Output.Append(new YamuxHeader(YamuxType.WindowUpdate, YamuxFlags.Fin, Id, 0));
        window.Set();
        ForgetIfDone();
    }

    /// <summary>Stops reading: local only. What still comes is dropped, and the other side's window is not renewed.</summary>
    public void CloseRead()
    {
        lock (gate) readClosed = true;
        ForgetIfDone();
    }

    /// <summary>Ends both directions at once.</summary>
    public void Reset(uint code)
    {
        if (!Fail(new StreamResetException(code, byRemote: false))) return;
        session.Output.Append(new YamuxHeader(YamuxType.WindowUpdate, YamuxFlags.Rst, Id, code));
        session.Forget(this);
    }

    /// <summary>Ends the stream without telling the other side; false when it had ended before.</summary>
    public bool Fail(Exception reason)
    {
        lock (gate)
        {
            if (error is not null || finished) return false;
            error = reason;
            if (!remoteClosed) inbound.Writer.Complete(Rethrown(reason));
            remoteClosed = true;
        }
        window.Set();
        // Whoever waits for this must not run on the session's read loop.
        if (aborted is not null) _ = aborted.CancelAsync();
        return true;
    }

    public void OnRemoteReset(uint code)
    {
        Fail(new StreamResetException(code, byRemote: true));
        session.Forget(this);
    }

    public void OnRemoteFin()
    {
        lock (gate)
        {
            if (remoteClosed) return;
            remoteClosed = true;
            inbound.Writer.Complete();
        }
        ForgetIfDone();
    }

    public void OnWindowUpdate(uint delta)
    {
        lock (gate) sendWindow = (uint)Math.Min((ulong)sendWindow + delta, uint.MaxValue);
        window.Set();
    }

    /// <summary>Accounts for a data frame before its payload comes; false when it exceeds the window.</summary>
    public bool TryAdmit(uint length)
    {
        lock (gate)
        {
            if (length > credit) return false;
            credit -= length;
            unread += length;
            return true;
        }
    }

    public void OnData(ReadOnlySpan<byte> data)
    {
        lock (gate)
        {
            if (remoteClosed || readClosed) return;
            inbound.Writer.Write(data);
            var flush = inbound.Writer.FlushAsync();
            System.Diagnostics.Debug.Assert(flush.IsCompleted, "the inbound pipe has no threshold");
        }
    }

    /// <summary>The application took bytes: renews the window once half of it is used up, and doubles it if that happened within four round trips.</summary>
    public void OnConsumed(long bytes)
    {
        uint delta;
        lock (gate)
        {
            unread -= (uint)bytes;
            if (remoteClosed || readClosed || error is not null) return;
            uint open = credit + unread;
            if (open >= receiveWindow) return;
            delta = receiveWindow - open;
            if (delta < receiveWindow / 2) return;
            var rtt = session.RoundTrip;
            if (rtt > TimeSpan.Zero && session.Time.GetElapsedTime(windowEpoch) < 4 * rtt)
            {
                uint grown = (uint)Math.Min(2UL * receiveWindow, session.Options.MaxWindow);
                if (grown > receiveWindow && session.Memory.TryReserve(grown - receiveWindow))
                {
                    delta += grown - receiveWindow;
                    receiveWindow = grown;
                }
            }
            credit += delta;
            windowEpoch = session.Time.GetTimestamp();
        }
        session.Output.Append(new YamuxHeader(YamuxType.WindowUpdate, YamuxFlags.None, Id, delta));
    }

    private void ForgetIfDone()
    {
        lock (gate)
        {
            if (finished || !writeClosed || !(readClosed || remoteClosed)) return;
            finished = true;
            // Nobody will read any more: a late reader sees the end.
            if (!remoteClosed) inbound.Writer.Complete();
            remoteClosed = true;
        }
        session.Forget(this);
    }
}
