using System.Buffers;
using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cluster.Load;

/// <summary>
/// One HTTP/1.1 keep-alive connection that costs the load generator as little as possible: requests are bytes made beforehand, answers are
/// parsed only as far as status, framing and body length. <c>HttpClient</c> would take a third of the machine that is to be measured.
/// </summary>
internal sealed class HttpConnection : IAsyncDisposable
{
    private readonly Socket socket;
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
    private int start;
    private int end;

    private HttpConnection(Socket socket) => this.socket = socket;

    public static async Task<HttpConnection> ConnectAsync(EndPoint endPoint, CancellationToken cancellation)
    {
        var socket = endPoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(endPoint, cancellation);
        return new HttpConnection(socket);
    }

    /// <summary>Sends one request without a body and reads its whole answer.</summary>
    /// <returns>Status, bytes and line feeds of the body.</returns>
    public async ValueTask<HttpAnswer> SendAsync(ReadOnlyMemory<byte> request, Action? firstByte, CancellationToken cancellation)
    {
        while (!request.IsEmpty)
        {
            var sent = await socket.SendAsync(request, SocketFlags.None, cancellation);
            request = request[sent..];
        }

        var headerEnd = await ReadUntilAsync("\r\n\r\n"u8.ToArray(), cancellation);
        firstByte?.Invoke();
        var (status, length, chunked) = ParseHead(buffer.AsSpan(start, headerEnd - start));
        start = headerEnd;
        if (status is 204 or 304) return new HttpAnswer(status, 0, 0);
        return chunked ? await ReadChunksAsync(status, cancellation) : await ReadLengthAsync(status, length, cancellation);
    }

    private static (int Status, long Length, bool Chunked) ParseHead(ReadOnlySpan<byte> head)
    {
        if (head.Length < 12 || !Utf8Parser.TryParse(head[9..12], out int status, out _))
            throw new InvalidDataException("The answer has no status line.");
        long length = -1;
        var chunked = false;
        foreach (var range in head.Split("\r\n"u8))
        {
            var line = head[range];
            if (Ascii.EqualsIgnoreCase(line[..Math.Min(15, line.Length)], "content-length:"u8))
            {
                if (!Utf8Parser.TryParse(line[15..].Trim((byte)' '), out length, out _)) throw new InvalidDataException("A length that is no number.");
            }
            else if (Ascii.EqualsIgnoreCase(line[..Math.Min(18, line.Length)], "transfer-encoding:"u8))
                chunked = line.IndexOf("chunked"u8) >= 0;
        }
        if (!chunked && length < 0 && status is not (204 or 304))
            throw new InvalidDataException("The answer has neither a length nor chunks; keep-alive is impossible.");
        return (status, length, chunked);
    }

    private async ValueTask<HttpAnswer> ReadLengthAsync(int status, long length, CancellationToken cancellation)
    {
        long lines = 0;
        for (var left = length; left > 0;)
        {
            if (start == end) await FillAsync(cancellation);
            var take = (int)Math.Min(left, end - start);
            lines += buffer.AsSpan(start, take).Count((byte)'\n');
            start += take;
            left -= take;
        }
        return new HttpAnswer(status, length, lines);
    }

    private async ValueTask<HttpAnswer> ReadChunksAsync(int status, CancellationToken cancellation)
    {
        long bytes = 0, lines = 0;
        while (true)
        {
            var lineEnd = await ReadUntilAsync("\r\n"u8.ToArray(), cancellation);
            if (!Utf8Parser.TryParse(buffer.AsSpan(start, lineEnd - start), out long size, out _, 'x'))
                throw new InvalidDataException("A chunk without a size.");
            start = lineEnd;
            if (size == 0) break;
            for (var left = size; left > 0;)
            {
                if (start == end) await FillAsync(cancellation);
                var take = (int)Math.Min(left, end - start);
                lines += buffer.AsSpan(start, take).Count((byte)'\n');
                start += take;
                left -= take;
            }
            bytes += size;
            start = await ReadUntilAsync("\r\n"u8.ToArray(), cancellation);
        }
        while (true)
        {
            var lineEnd = await ReadUntilAsync("\r\n"u8.ToArray(), cancellation);
            var line = buffer.AsSpan(start, lineEnd - start - 2);
            start = lineEnd;
            if (line.IsEmpty) return new HttpAnswer(status, bytes, lines);
            if (line.StartsWith("X-Stream-Error:"u8) && !line[15..].Trim((byte)' ').IsEmpty)
                throw new InvalidDataException("The list ended with an error: " + Encoding.UTF8.GetString(line[15..]));
        }
    }

    private async ValueTask<int> ReadUntilAsync(ReadOnlyMemory<byte> mark, CancellationToken cancellation)
    {
        while (true)
        {
            var at = buffer.AsSpan(start, end - start).IndexOf(mark.Span);
            if (at >= 0) return start + at + mark.Length;
            await FillAsync(cancellation);
        }
    }

    private async ValueTask FillAsync(CancellationToken cancellation)
    {
        if (start == end) start = end = 0;
        else if (end == buffer.Length)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }
        if (end == buffer.Length) throw new InvalidDataException("A header or chunk line longer than 256 KiB.");
        var read = await socket.ReceiveAsync(buffer.AsMemory(end), SocketFlags.None, cancellation);
        if (read == 0) throw new EndOfStreamException("The server closed the connection in the middle of an answer.");
        end += read;
    }

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        ArrayPool<byte>.Shared.Return(buffer);
        return ValueTask.CompletedTask;
    }
}

/// <summary>What is kept of an answer: the status, and bytes and line feeds (items of an NDJSON list) of its body.</summary>
internal readonly record struct HttpAnswer(int Status, long Bytes, long Lines);
