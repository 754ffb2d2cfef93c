namespace Grpc.Net.Compression;

/// <summary>
/// A compressing stream that writes a valid empty archive when nothing was written to it. The streams of .NET then write
/// no byte at all, which decompressors of other languages refuse as cut off.
/// </summary>
internal sealed class NeverEmptyStream(Stream compressor, Stream target, byte[] emptyArchive) : Stream
{
    private bool written;
    private bool disposed;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => !disposed;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        written |= buffer.Length > 0;
        compressor.Write(buffer);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        written |= buffer.Length > 0;
        return compressor.WriteAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() => compressor.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => compressor.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        if (!disposed)
        {
            disposed = true;
            await compressor.DisposeAsync().ConfigureAwait(false);
            if (!written)
                await target.WriteAsync(emptyArchive).ConfigureAwait(false);
        }

        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !disposed)
        {
            disposed = true;
            compressor.Dispose();
            if (!written)
                target.Write(emptyArchive);
        }

        base.Dispose(disposing);
    }
}
