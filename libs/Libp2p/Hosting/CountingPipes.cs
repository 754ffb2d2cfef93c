using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Libp2p.Muxing;
using Libp2p.Negotiation;

namespace Libp2p.Hosting;

/// <summary>Reads a stream, counts its bytes, and, if the protocol was proposed without waiting, first reads the answer to that.</summary>
internal sealed class CountingReader(YamuxStream muxed, ProtocolTraffic traffic, string? unconfirmed) : PipeReader
{
    private readonly PipeReader inner = muxed.Input;
    private ReadOnlySequence<byte> current;
    private string? unconfirmed = unconfirmed;

    // A read that is given up between the two answers is followed by one that finds the second.
    private bool headerConfirmed;

    public override bool TryRead(out ReadResult result)
    {
        result = default;
        if (unconfirmed is not null || !inner.TryRead(out result)) return false;
        current = result.Buffer;
        return true;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (unconfirmed is not null) await ConfirmAsync(cancellationToken);
        var result = await inner.ReadAsync(cancellationToken);
        current = result.Buffer;
        return result;
    }

    private async Task ConfirmAsync(CancellationToken cancellationToken)
    {
        muxed.Kick();
        try
        {
            var channel = new PipeTokenChannel(inner, muxed.Output);
            if (!headerConfirmed) await Multistream.ConfirmHeaderAsync(channel, cancellationToken);
            headerConfirmed = true;
            await Multistream.ConfirmAsync(channel, unconfirmed!, cancellationToken);
        }
        catch (Exception e) when (e is ProtocolNotSupportedException or NegotiationException)
        {
            muxed.Reset(StreamErrorCode.ProtocolNegotiationFailed);
            throw;
        }
        unconfirmed = null;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        traffic.AddReceived(current.Slice(0, consumed).Length);
        current = default;
        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);
}

/// <summary>Writes a stream and counts its bytes.</summary>
internal sealed class CountingWriter(PipeWriter inner, ProtocolTraffic traffic) : PipeWriter
{
    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => inner.UnflushedBytes;

    public override void Advance(int bytes)
    {
        inner.Advance(bytes);
        traffic.AddSent(bytes);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        traffic.AddSent(source.Length);
        return inner.WriteAsync(source, cancellationToken);
    }

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);
}
