using System.Buffers;
using System.IO.Pipelines;

namespace Libp2p.Muxing;

/// <summary>Reads a stream and reports what was consumed, which opens the window again.</summary>
internal sealed class YamuxReader(YamuxStream stream, PipeReader inner) : PipeReader
{
    private ReadOnlySequence<byte> current;

    public override bool TryRead(out ReadResult result)
    {
        bool ok = inner.TryRead(out result);
        if (ok) current = result.Buffer;
        return ok;
    }

    [System.Runtime.CompilerServices.AsyncMethodBuilder(typeof(System.Runtime.CompilerServices.PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var result = await inner.ReadAsync(cancellationToken);
        current = result.Buffer;
        return result;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        long bytes = current.Slice(0, consumed).Length;
        current = default;
        inner.AdvanceTo(consumed, examined);
        if (bytes > 0) stream.OnConsumed(bytes);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        current = default;
        inner.Complete(exception);
        if (exception is null) stream.CloseRead();
        else stream.Reset(StreamErrorCode.None);
    }
}
