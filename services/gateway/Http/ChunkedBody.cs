using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Cluster.Gateway.Http;

/// <summary>The body of a streamed answer, chunked by hand. Kestrel has no trailers over HTTP/1.1, but when the application sets
/// <c>Transfer-Encoding: chunked</c> itself, what it writes goes out as it is: so the chunks and the trailers are written here. To an
/// HTTP/1.0 client, which knows neither, the plain bytes go out and the end of the connection ends the body.</summary>
/// <remarks>Documents are written into <see cref="Buffer"/>; what has gathered there becomes one chunk when <see cref="FlushAsync"/> is
/// called. <see cref="WantsFlush"/> tells when enough has gathered. Nothing is allocated per document.</remarks>
public sealed class ChunkedBody : IDisposable
{
    /// <summary>A chunk is sent when this many bytes have gathered.</summary>
    public const int ChunkSize = 32 * 1024;

    // Room for the size line of a chunk: six hexadecimal digits (leading zeros are allowed) and the line's end.
    private const int SizeLine = 8;
    private const int MostInChunk = 0xffffff;

    private readonly PipeWriter output;
    private readonly bool plain;
    private readonly ByteBuffer buffer = new(ChunkSize + 4096);

    /// <summary>Begins a body.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="plain">True for HTTP/1.0.</param>
    public ChunkedBody(PipeWriter output, bool plain)
    {
        this.output = output;
        this.plain = plain;
        buffer.Advance(SizeLine);
    }

    /// <summary>Where documents are written.</summary>
    public ByteBuffer Buffer => buffer;

    /// <summary>Bytes of documents sent.</summary>
    public long Sent { get; private set; }

    /// <summary>Whether something waits to be sent.</summary>
    public bool HasPending => buffer.Length > SizeLine;

    /// <summary>Whether enough waits to be sent.</summary>
    public bool WantsFlush => buffer.Length >= ChunkSize;

    /// <summary>Sends what has gathered; waits while the client is slower than we are.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellation)
    {
        if (!HasPending) return;
        Emit();
        FlushResult result = await output.FlushAsync(cancellation).ConfigureAwait(false);
        if (result.IsCompleted || result.IsCanceled) throw new OperationCanceledException("the client has gone");
    }

    /// <summary>Sends the rest and the end of the body with its trailers, in order. Line ends in values become spaces.</summary>
    public async ValueTask EndAsync(IReadOnlyList<KeyValuePair<string, string>> trailers, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(trailers);
        if (HasPending) Emit();
        if (!plain)
        {
            buffer.Truncate();
            buffer.Append("0\r\n"u8);
            foreach ((string name, string value) in trailers)
            {
                buffer.Append(Encoding.ASCII.GetBytes(name));
                buffer.Append(": "u8);
                buffer.Append(Encoding.UTF8.GetBytes(value.ReplaceLineEndings(" ").Replace('\0', ' ').Trim()));
                buffer.Append("\r\n"u8);
            }

            buffer.Append("\r\n"u8);
            output.Write(buffer.Written);
        }

        buffer.Truncate(0);
        buffer.Advance(SizeLine);
        await output.FlushAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => buffer.Dispose();

    private void Emit()
    {
        int size = buffer.Length - SizeLine;
        Sent += size;
        if (plain) output.Write(buffer.Written[SizeLine..]);
        else if (size <= MostInChunk)
        {
            Span<byte> written = buffer.GetWritten();
            for (int i = 5, rest = size; i >= 0; i--, rest >>= 4) written[i] = "0123456789abcdef"u8[rest & 15];
            written[6] = (byte)'\r';
            written[7] = (byte)'\n';
            buffer.Append("\r\n"u8);
            output.Write(buffer.Written);
        }
        else
        {
            output.Write(Encoding.ASCII.GetBytes($"{size:x}\r\n"));
            output.Write(buffer.Written[SizeLine..]);
            output.Write("\r\n"u8);
        }

        buffer.Truncate(SizeLine);
    }
}
