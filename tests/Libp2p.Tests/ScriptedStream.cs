using System.IO.Pipelines;
using Libp2p.Transport;

namespace Libp2p.Tests;

/// <summary>A connection whose other side is the test: what comes is written by it, what goes is kept.</summary>
internal sealed class ScriptedStream() : LayerStream(Null)
{
    private readonly Pipe incoming = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    private readonly Lock gate = new();
    private readonly MemoryStream written = new();
    private long fed;
    private long taken;
    private bool waits;

    /// <summary>Largest number of bytes that one read returns; random below it when a seed is given.</summary>
    public int MaxRead { get; init; } = int.MaxValue;

    public Random? Random { get; init; }

    public bool IsClosed { get; private set; }

    /// <summary>Whether all that was fed has been read, and the reader waits for more.</summary>
    public bool IsDrained
    {
        get
        {
            lock (gate) return waits && fed == taken;
        }
    }

    public byte[] Written
    {
        get
        {
            lock (gate) return written.ToArray();
        }
    }

    public void Feed(ReadOnlySpan<byte> bytes)
    {
        lock (gate) fed += bytes.Length;
        bytes.CopyTo(incoming.Writer.GetSpan(bytes.Length));
        incoming.Writer.Advance(bytes.Length);
        _ = incoming.Writer.FlushAsync().AsTask();
    }

    public void FeedEnd() => incoming.Writer.Complete();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (gate) waits = true;
        var result = await incoming.Reader.ReadAsync(cancellationToken);
        if (result.IsCanceled) throw new IOException("The connection is closed.");
        int most = Random is null ? MaxRead : Random.Next(1, Math.Max(2, MaxRead));
        int n = (int)Math.Min(Math.Min(buffer.Length, most), result.Buffer.Length);
        var piece = result.Buffer.Slice(0, n);
        System.Buffers.BuffersExtensions.CopyTo(piece, buffer.Span);
        incoming.Reader.AdvanceTo(piece.End);
        lock (gate)
        {
            taken += n;
            waits = false;
        }
        return n;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            if (IsClosed) throw new IOException("The connection is closed.");
            written.Write(buffer.Span);
        }
        return default;
    }

    protected override void Dispose(bool disposing)
    {
        lock (gate) IsClosed = true;
        incoming.Reader.CancelPendingRead();
        base.Dispose(disposing);
    }
}
