using System.Globalization;
using System.Text;

namespace Cluster.RestClient;

/// <summary>A request body of unknown length: collects what is written and sends it in chunks.</summary>
internal sealed class ChunkedWriter(Stream connection) : Stream
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _used;

    /// <summary>Whether the connection took no more: what fails otherwise is the body's own.</summary>
    public bool IsBroken { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var count = Math.Min(buffer.Length, _buffer.Length - _used);
            buffer[..count].CopyTo(_buffer.AsMemory(_used));
            _used += count;
            buffer = buffer[count..];
            if (_used == _buffer.Length)
                await FlushAsync(cancellationToken);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_used == 0)
            return;
        await SendAsync(Encoding.ASCII.GetBytes(_used.ToString("x", CultureInfo.InvariantCulture) + "\r\n"), cancellationToken);
        await SendAsync(_buffer.AsMemory(0, _used), cancellationToken);
        await SendAsync("\r\n"u8.ToArray(), cancellationToken);
        _used = 0;
    }

    private async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        try
        {
            await connection.WriteAsync(bytes, cancel);
        }
        catch
        {
            IsBroken = true;
            throw;
        }
    }

    /// <summary>Sends the rest and the chunk that ends the body.</summary>
    public async Task CompleteAsync(CancellationToken cancel)
    {
        await FlushAsync(cancel);
        await SendAsync("0\r\n\r\n"u8.ToArray(), cancel);
        await connection.FlushAsync(cancel);
    }

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
