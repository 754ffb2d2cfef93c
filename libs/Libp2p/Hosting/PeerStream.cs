using System.IO.Pipelines;
using Libp2p.Muxing;
using Libp2p.Hosting;

namespace Libp2p;

/// <summary>
/// A stream to another peer, on an agreed protocol: a duplex pipe. Completing <see cref="Output"/> tells the other side that
/// nothing more comes; disposing closes both directions in order; <see cref="Reset"/> ends them at once.
/// </summary>
public sealed class PeerStream : IDuplexPipe, IAsyncDisposable
{
    private readonly YamuxStream muxed;
    private readonly Action<PeerStream> ended;
    private int state;

    internal PeerStream(PeerConnection connection, YamuxStream muxed, string protocol, ProtocolTraffic traffic, bool confirmLater, Action<PeerStream> ended)
    {
        Connection = connection;
        this.muxed = muxed;
        this.ended = ended;
        Protocol = protocol;
        Input = new CountingReader(muxed, traffic, confirmLater ? protocol : null);
        Output = new CountingWriter(muxed.Output, traffic);
        Opened = connection.Time.GetUtcNow();
    }

    /// <summary>The connection it belongs to.</summary>
    public PeerConnection Connection { get; }

    /// <summary>The peer at the other end.</summary>
    public PeerId RemotePeer => Connection.RemotePeer;

    /// <summary>The agreed protocol.</summary>
    public string Protocol { get; }

    /// <summary>Whether the other side opened it.</summary>
    public bool IsInbound => muxed.IsInbound;

    /// <summary>
    /// Cancelled when the stream is reset, by either side, or lost with its connection: also after the other side has ended its sending,
    /// when nothing is left to be read.
    /// </summary>
    public CancellationToken Aborted => muxed.Aborted;

    /// <summary>When it was opened.</summary>
    public DateTimeOffset Opened { get; }

    /// <summary>What the other side sends. Reading throws <see cref="StreamResetException"/> or <see cref="ConnectionClosedException"/> when it ends badly.</summary>
    public PipeReader Input { get; }

    /// <summary>What is sent. A flush waits while the other side does not read.</summary>
    public PipeWriter Output { get; }

    /// <summary>The same as a <see cref="Stream"/>; disposing it disposes this.</summary>
    public Stream AsStream() => new DuplexStream(this);

    /// <summary>Sends what is collected and tells the other side that nothing more comes.</summary>
    public ValueTask CloseWriteAsync() => Output.CompleteAsync();

    /// <summary>Ends both directions at once. Does nothing on a closed stream.</summary>
    /// <param name="code">Reason for the other side, one of <see cref="StreamErrorCode"/> or the application's own.</param>
    public void Reset(uint code = StreamErrorCode.None)
    {
        muxed.Reset(code);
        End();
    }

    /// <summary>
    /// Sends what is collected and closes both directions. Never throws for what the other side does, and waits only for a time:
    /// when it takes nothing for 10 s, or not all within a minute (<see cref="YamuxOptions.CloseTimeout"/>), the stream is reset.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Volatile.Read(ref state) != 0) return;
        try
        {
            await Output.CompleteAsync();
        }
        catch
        {
            // Somebody still writes: that is not to be taken for the whole.
            muxed.Reset(StreamErrorCode.None);
            throw;
        }
        finally
        {
            await Input.CompleteAsync();
            End();
        }
    }

    /// <summary>Like <see cref="DisposeAsync"/>, without waiting for what is collected to go out.</summary>
    internal void Close()
    {
        if (Volatile.Read(ref state) != 0) return;
        Output.Complete();
        Input.Complete();
        End();
    }

    private void End()
    {
        if (Interlocked.Exchange(ref state, 1) == 0) ended(this);
    }

    /// <summary>Protocol, direction and peer.</summary>
    public override string ToString() => $"{Protocol} {(IsInbound ? "from" : "to")} {RemotePeer}";
}
