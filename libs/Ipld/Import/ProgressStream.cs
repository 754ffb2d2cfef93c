namespace Ipld;

/// <summary>Tells how much of a file was read: at every 256 KiB and whenever the end is met (spec/rest-api.md 9.5).</summary>
internal sealed class ProgressStream(Stream inner, string name, IImportOutput output) : Stream
{
    private const int Increment = 256 * 1024;

    private long _read;
    private long _told;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Never across a report's place, so that reports do not depend on how the network cut the upload.
        var room = (int)Math.Min(buffer.Length, _told + Increment - _read);
        var read = await inner.ReadAsync(buffer[..room], cancellationToken).ConfigureAwait(false);
        _read += read;
        if ((read == 0 && room > 0) || _read - _told >= Increment)
        {
            _told = _read;
            await output.WriteAsync(new ImportOutput(name, default, (ulong)_read, 0), cancellationToken).ConfigureAwait(false);
        }

        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("reading is asynchronous");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
