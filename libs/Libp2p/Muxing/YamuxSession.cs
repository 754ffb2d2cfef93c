using System.Buffers;
using System.Threading.Channels;

namespace Libp2p.Muxing;

/// <summary>Many streams over one connection (spec/libp2p.md, section 6).</summary>
internal sealed class YamuxSession : IAsyncDisposable
{
    // Unacknowledged streams a Go peer allows, and so do we.
    private const int MaxInFlight = 256;
    private const int ReadBuffer = 64 * 1024;
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(1);

    private readonly Stream transport;
    private readonly bool client;
    private readonly Lock gate = new();
    private readonly Dictionary<uint, YamuxStream> streams = [];
    private readonly Channel<YamuxStream> accepted;
    private readonly SemaphoreSlim inFlight = new(MaxInFlight);
    private readonly TaskCompletionSource<Exception> closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly YamuxKeepAlive keepAlive;
    private uint nextId;
    private bool ended;
    private Task running = Task.CompletedTask;

    public YamuxSession(Stream transport, bool client, YamuxOptions options, IMemoryBudget memory, TimeProvider time)
    {
        this.transport = transport;
        this.client = client;
        Options = options;
        Memory = memory;
        Time = time;
        nextId = client ? 1u : 2u;
        Output = new YamuxOutput(transport, time, End);
        keepAlive = new YamuxKeepAlive(this);
        accepted = Channel.CreateBounded<YamuxStream>(new BoundedChannelOptions(options.AcceptBacklog) { FullMode = BoundedChannelFullMode.Wait });
    }

    public YamuxOptions Options { get; }

    public IMemoryBudget Memory { get; }

    public TimeProvider Time { get; }

    public YamuxOutput Output { get; }

    public int MaxPayload => Options.MaxFrame - YamuxHeader.Size;

    /// <summary>The last measured round trip; zero before the first.</summary>
    public TimeSpan RoundTrip => keepAlive.RoundTrip;

    /// <summary>Completes with the reason when the session has ended.</summary>
    public Task<Exception> Closed => closed.Task;

    /// <summary>Whether it has ended: known before the streams fail, so that nobody whose stream has failed tries another one here.</summary>
    public bool HasEnded => Volatile.Read(ref ended);

    public int StreamCount
    {
        get
        {
            lock (gate) return streams.Count;
        }
    }

    /// <summary>Bytes of payload sent and received.</summary>
    public long BytesSent => Volatile.Read(ref bytesSent);

    public long BytesReceived => Volatile.Read(ref bytesReceived);

    private long bytesSent;
    private long bytesReceived;

    /// <summary>Starts reading and the keep-alive.</summary>
    public void Start()
    {
        running = Task.WhenAll(Task.Run(ReadAsync), Output.RunAsync());
        if (Options.KeepAlive) keepAlive.Start();
    }

    /// <summary>Opens a stream; waits while too many are unacknowledged.</summary>
    /// <param name="hold">Whether the opening may wait for the stream's first bytes, to leave together with them.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<YamuxStream> OpenAsync(bool hold, CancellationToken cancellationToken)
    {
        if (!inFlight.Wait(0, CancellationToken.None)) await inFlight.WaitAsync(cancellationToken);
        YamuxStream stream;
        lock (gate)
        {
            if (ended)
            {
                // The next in line is to learn of it too.
                inFlight.Release();
                throw new ConnectionClosedException("The connection is closed.");
            }
            if (!Memory.TryReserve(YamuxOptions.InitialWindow))
            {
                inFlight.Release();
                throw new ResourceLimitException("memory of the connection's streams");
            }
            stream = new YamuxStream(this, nextId, inboundStream: false, extraWindow: 0) { AwaitsAck = true };
            streams.Add(nextId, stream);
            nextId += 2;
            // Queued under the lock, so that ids go out in order; written after it.
            Output.Append(new YamuxHeader(YamuxType.WindowUpdate, YamuxFlags.Syn, stream.Id, 0), hold: true);
        }
        if (!hold) Output.Kick();
        return stream;
    }

    /// <summary>The next stream that the other side opened; null when the session has ended.</summary>
    public async ValueTask<YamuxStream?> AcceptAsync(CancellationToken cancellationToken)
    {
        while (await accepted.Reader.WaitToReadAsync(cancellationToken))
        {
            if (!accepted.Reader.TryRead(out YamuxStream? stream)) continue;
            // One that was reset while it waited needs no acknowledgement.
            if (stream.IsAlive) Output.Append(new YamuxHeader(YamuxType.WindowUpdate, YamuxFlags.Ack, stream.Id, 0));
            return stream;
        }
        return null;
    }

    public void Forget(YamuxStream stream)
    {
        bool removed;
        lock (gate) removed = streams.Remove(stream.Id);
        if (!removed) return;
        Memory.Release(stream.ReservedWindow);
        Acknowledge(stream);
    }

    private void Acknowledge(YamuxStream stream)
    {
        lock (gate)
        {
            if (!stream.AwaitsAck) return;
            stream.AwaitsAck = false;
        }
        inFlight.Release();
    }

    public void OnSent(int bytes) => Interlocked.Add(ref bytesSent, bytes);

    private async Task ReadAsync()
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReadBuffer);
        int start = 0, end = 0;
        // The data frame under way: where its payload goes (null: nowhere) and what of it is still due.
        YamuxStream? target = null;
        uint due = 0;
        bool last = false;
        try
        {
            while (true)
            {
                while (true)
                {
                    if (due > 0)
                    {
                        int n = (int)Math.Min(due, (uint)(end - start));
                        if (n == 0) break;
                        target?.OnData(buffer.AsSpan(start, n));
                        start += n;
                        due -= (uint)n;
                        if (due == 0 && last) target?.OnRemoteFin();
                        continue;
                    }
                    if (end - start < YamuxHeader.Size) break;
                    if (!YamuxHeader.TryRead(buffer.AsSpan(start), out var header)) throw Violation("sent a frame of an unknown version or type");
                    start += YamuxHeader.Size;
                    keepAlive.OnFrame();
                    target = Handle(header);
                    if (header.Type != YamuxType.Data) continue;
                    due = header.Length;
                    last = header.Has(YamuxFlags.Fin);
                    Interlocked.Add(ref bytesReceived, due);
                    if (due == 0 && last) target?.OnRemoteFin();
                }
                if (start == end) start = end = 0;
                else if (buffer.Length - end < YamuxHeader.Size)
                {
                    buffer.AsSpan(start, end - start).CopyTo(buffer);
                    (start, end) = (0, end - start);
                }
                int read = await transport.ReadAsync(buffer.AsMemory(end));
                if (read == 0) throw new ConnectionClosedException("The peer closed the connection.");
                end += read;
            }
        }
        catch (ConnectionClosedException e)
        {
            End(e);
        }
        catch (Exception e)
        {
            End(new ConnectionClosedException("The connection broke while reading: " + e.Message, e));
        }
        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Acts on a header; returns the stream that the payload of a data frame belongs to.</summary>
    private YamuxStream? Handle(YamuxHeader header)
    {
        switch (header.Type)
        {
            case YamuxType.Ping:
                if (header.Has(YamuxFlags.Syn)) Output.Append(new YamuxHeader(YamuxType.Ping, YamuxFlags.Ack, 0, header.Length));
                else keepAlive.OnPong(header.Length);
                return null;
            case YamuxType.GoAway:
                throw new ConnectionClosedException(header.Length switch
                {
                    0 => "The peer is going away.",
                    1 => "The peer ended the connection because of a protocol error.",
                    2 => "The peer ended the connection because of an internal error.",
                    var code => $"The peer ended the connection with code 0x{code:x}.",
                });
            default:
                if (header.Has(YamuxFlags.Syn)) OnOpened(header);
                YamuxStream? stream;
                lock (gate) streams.TryGetValue(header.StreamId, out stream);
                if (stream is not null) HandleFlags(stream, header);
                return stream;
        }
    }

    private void HandleFlags(YamuxStream stream, YamuxHeader header)
    {
        bool update = header.Type == YamuxType.WindowUpdate;
        if (header.Has(YamuxFlags.Ack)) Acknowledge(stream);
        if (header.Has(YamuxFlags.Rst))
        {
            stream.OnRemoteReset(update ? header.Length : StreamErrorCode.None);
            return;
        }
        if (update)
        {
            // A SYN's extra window was granted when the stream was made.
            if (header.Length > 0 && !header.Has(YamuxFlags.Syn)) stream.OnWindowUpdate(header.Length);
            if (header.Has(YamuxFlags.Fin)) stream.OnRemoteFin();
        }
        else if (!stream.TryAdmit(header.Length))
        {
            throw Violation($"sent more than the window of stream {stream.Id} allows");
        }
    }

    private void OnOpened(YamuxHeader header)
    {
        uint id = header.StreamId;
        // The dialer's ids are odd, the listener's even.
        if (id == 0 || (id % 2 == 1) == client) throw Violation($"opened a stream with the id {id}, which is not its to use");
        uint extra = header.Type == YamuxType.WindowUpdate ? header.Length : 0;
        var stream = new YamuxStream(this, id, inboundStream: true, extra);
        bool refused = !Memory.TryReserve(YamuxOptions.InitialWindow);
        uint code = StreamErrorCode.ResourceLimitExceeded;
        if (!refused)
        {
            lock (gate)
            {
                // What came after the end nobody would ever fail.
                if (ended || !streams.TryAdd(id, stream))
                {
                    Memory.Release(YamuxOptions.InitialWindow);
                    if (ended) return;
                    throw Violation($"opened stream {id} twice");
                }
            }
            if (accepted.Writer.TryWrite(stream)) return;
            // Too many wait for an accept: this one goes.
            Forget(stream);
            code = StreamErrorCode.None;
        }
        Output.Append(new YamuxHeader(YamuxType.WindowUpdate, YamuxFlags.Rst, id, code));
    }

    private ConnectionClosedException Violation(string what)
    {
        Output.Append(new YamuxHeader(YamuxType.GoAway, YamuxFlags.None, 0, 1));
        return new ConnectionClosedException($"The peer broke the yamux protocol: it {what}.");
    }

    /// <summary>Ends the session at once; all streams fail with the reason.</summary>
    public void End(Exception reason)
    {
        YamuxStream[] orphans;
        lock (gate)
        {
            if (ended) return;
            ended = true;
            orphans = [.. streams.Values];
            streams.Clear();
        }
        keepAlive.Stop();
        Output.Close();
        transport.Dispose();
        accepted.Writer.TryComplete();
        foreach (var stream in orphans)
        {
            stream.Fail(reason);
            Memory.Release(stream.ReservedWindow);
            Acknowledge(stream);
        }
        closed.TrySetResult(reason);
    }

    /// <summary>Ends the session after what was sent is out. A code other than zero is told to the other side.</summary>
    public async Task CloseAsync(uint code = 0)
    {
        if (code != 0) Output.Append(new YamuxHeader(YamuxType.GoAway, YamuxFlags.None, 0, code));
        try
        {
            await Output.DrainAsync().WaitAsync(DrainTimeout, Time);
        }
        catch (TimeoutException)
        {
            // The other side does not read; it will not read the rest either.
        }
        End(new ConnectionClosedException("The connection was closed."));
        await running;
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        inFlight.Dispose();
    }
}
