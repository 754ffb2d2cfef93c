using System.Buffers;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace Cluster.Gateway.Adder;

/// <summary>A multipart body that breaks the rules, or ends before its closing boundary.</summary>
public sealed class MultipartException : Exception
{
    /// <summary>With the text that the client gets.</summary>
    public MultipartException(string message)
        : base(message)
    {
    }

    /// <summary>Without a text.</summary>
    public MultipartException()
    {
    }

    /// <summary>With a cause.</summary>
    public MultipartException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>Reads the parts of a multipart body one after the other as it arrives (<c>spec/rest-api.md</c> section 9.2), in bounded
/// memory and whatever pieces it comes in.</summary>
public sealed class MultipartReader : IDisposable
{
    /// <summary>Most bytes of one part's headers.</summary>
    public const int MostHeaderBytes = 64 * 1024;

    /// <summary>Longest boundary: RFC 2046 says 70.</summary>
    public const int LongestBoundary = 70;

    private const int BufferSize = 256 * 1024;
    private const string Truncated = "multipart: NextPart: EOF";

    private readonly Stream source;
    private readonly byte[] delimiter;
    private byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int start;
    private int end;
    private bool ended;
    private bool closed;
    private bool atFirst = true;
    private PartBody? current;

    /// <summary>Begins to read.</summary>
    /// <param name="source">The body.</param>
    /// <param name="boundary">Of the content type, unquoted.</param>
    public MultipartReader(Stream source, string boundary)
    {
        this.source = source;
        delimiter = Encoding.UTF8.GetBytes($"\r\n--{boundary}");
    }

    /// <summary>Finds the boundary in a content type.</summary>
    /// <param name="contentType">The header; may be absent.</param>
    /// <param name="boundary">The boundary found.</param>
    /// <param name="error">Why there is none, in the original's words.</param>
    public static bool TryGetBoundary(string? contentType, out string boundary, out string error)
    {
        boundary = error = "";
        if (!MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? type) ||
            !(type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase) ||
              type.MediaType.Equals("multipart/mixed", StringComparison.OrdinalIgnoreCase)))
        {
            error = "request Content-Type isn't multipart/form-data";
            return false;
        }

        boundary = HeaderUtilities.RemoveQuotes(type.Boundary).ToString();
        if (boundary.Length is > 0 and <= LongestBoundary) return true;
        error = boundary.Length == 0 ? "no multipart boundary param in Content-Type" : "multipart: boundary is too long";
        return false;
    }

    /// <summary>The next part, or null after the last. What was not read of the part before is skipped.</summary>
    /// <exception cref="MultipartException">The body ended too early or a part's headers cannot be read.</exception>
    public async ValueTask<MultipartPart?> NextAsync(CancellationToken cancellation)
    {
        if (current is not null) await current.SkipAsync(cancellation).ConfigureAwait(false);
        if (closed) return null;
        if (atFirst && !await SkipPreambleAsync(cancellation).ConfigureAwait(false)) return null;
        Dictionary<string, string> headers = await ReadHeadersAsync(cancellation).ConfigureAwait(false);
        current = new PartBody(this);
        return new MultipartPart(headers, current);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (buffer.Length == 0) return;
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
        ended = closed = true;
        start = end = 0;
    }

    private ReadOnlySpan<byte> Pending => buffer.AsSpan(start, end - start);

    private async ValueTask<bool> FillAsync(CancellationToken cancellation)
    {
        if (ended) return false;
        if (start > 0 && (start == end || end == buffer.Length))
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
        }

        int read = await source.ReadAsync(buffer.AsMemory(end), cancellation).ConfigureAwait(false);
        ended = read == 0;
        end += read;
        return !ended;
    }

    /// <summary>Goes behind the line of the first boundary; false when the closing one comes at once.</summary>
    private async ValueTask<bool> SkipPreambleAsync(CancellationToken cancellation)
    {
        atFirst = false;
        while (true)
        {
            // The first boundary may stand at the very beginning, without a line end before it.
            int line = Pending.IndexOf((byte)'\n');
            if (line < 0)
            {
                if (end - start > BufferSize / 2) start = end - delimiter.Length;
                if (!await FillAsync(cancellation).ConfigureAwait(false))
                {
                    if (IsBoundaryLine(Pending, out bool closing) && closing) return !(closed = true);
                    throw new MultipartException(Truncated);
                }

                continue;
            }

            bool found = IsBoundaryLine(Pending[..line], out bool last);
            start += line + 1;
            if (!found) continue;
            if (last) closed = true;
            return !last;
        }
    }

    private bool IsBoundaryLine(ReadOnlySpan<byte> line, out bool closing)
    {
        closing = false;
        ReadOnlySpan<byte> dashBoundary = delimiter.AsSpan(2);
        if (!line.StartsWith(dashBoundary)) return false;
        ReadOnlySpan<byte> rest = line[dashBoundary.Length..];
        closing = rest.StartsWith("--"u8);
        return (closing ? rest[2..] : rest).Trim(" \t\r\n"u8).IsEmpty;
    }

    private async ValueTask<Dictionary<string, string>> ReadHeadersAsync(CancellationToken cancellation)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        string? last = null;
        int size = 0;
        while (true)
        {
            int length = Pending.IndexOf((byte)'\n');
            if (length < 0)
            {
                if (size + end - start > MostHeaderBytes) throw new MultipartException("multipart: message too large");
                if (!await FillAsync(cancellation).ConfigureAwait(false)) throw new MultipartException(Truncated);
                continue;
            }

            string line = Encoding.UTF8.GetString(Pending[..length]).TrimEnd('\r');
            start += length + 1;
            size += length + 1;
            if (size > MostHeaderBytes) throw new MultipartException("multipart: message too large");
            if (line.Length == 0) return headers;
            if (line[0] is ' ' or '\t' && last is not null)
            {
                headers[last] += " " + line.Trim();
                continue;
            }

            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0) throw new MultipartException($"malformed MIME header line: {line}");
            last = line[..colon].TrimEnd();
            headers.TryAdd(last, line[(colon + 1)..].Trim());
        }
    }

    /// <summary>What of a part can be handed out now: bytes before the delimiter, or the end of the part.</summary>
    private sealed class PartBody(MultipartReader owner) : Stream
    {
        private bool done;
        private bool begun;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public async ValueTask SkipAsync(CancellationToken cancellation)
        {
            while (!done)
            {
                int available = await AvailableAsync(cancellation).ConfigureAwait(false);
                owner.start += available;
            }
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
        {
            if (destination.IsEmpty) return 0;
            int available = await AvailableAsync(cancellationToken).ConfigureAwait(false);
            int count = Math.Min(available, destination.Length);
            owner.buffer.AsSpan(owner.start, count).CopyTo(destination.Span);
            owner.start += count;
            return count;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("only asynchronous reads");

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private async ValueTask<int> AvailableAsync(CancellationToken cancellation)
        {
            while (!done)
            {
                (int count, bool needsMore) = Look();
                if (count > 0 || done) return count;
                if (needsMore && !await owner.FillAsync(cancellation).ConfigureAwait(false))
                {
                    // Nothing but the closing boundary without a line end behind it may stand at the end of the body.
                    if (TryEndAtEof()) return 0;
                    throw new MultipartException(Truncated);
                }
            }

            return 0;
        }

        private (int Count, bool NeedsMore) Look()
        {
            ReadOnlySpan<byte> pending = owner.Pending;
            ReadOnlySpan<byte> delimiter = owner.delimiter;
            if (!begun)
            {
                // An empty part: its boundary follows the headers' line end directly.
                ReadOnlySpan<byte> dashBoundary = delimiter[2..];
                if (pending.Length < dashBoundary.Length && dashBoundary.StartsWith(pending) && !owner.ended) return (0, true);
                if (pending.StartsWith(dashBoundary))
                {
                    bool? verdict = TryEnd(pending, dashBoundary.Length);
                    if (verdict is null) return (0, true);
                    if (verdict.Value) return (0, false);
                }

                begun = pending.Length > 0 || owner.ended;
            }

            int from = 0;
            while (true)
            {
                int found = pending[from..].IndexOf(delimiter);
                if (found < 0) break;
                found += from;
                if (found > 0)
                {
                    bool? later = Classify(pending[(found + delimiter.Length)..], out _, out _);
                    if (later != false) return (found, false);
                    from = found + delimiter.Length;
                    continue;
                }

                bool? verdict = TryEnd(pending, delimiter.Length);
                if (verdict is null) return (0, true);
                if (verdict.Value) return (0, false);
                from = delimiter.Length;
            }

            // The tail may be the beginning of a delimiter.
            int keep = Math.Min(pending.Length, delimiter.Length - 1);
            for (int tail = keep; tail > 0; tail--)
            {
                if (!delimiter.StartsWith(pending[^tail..])) continue;
                keep = tail;
                return (pending.Length - keep, true);
            }

            return (pending.Length, true);
        }

        /// <summary>Ends the part when a real boundary stands at the front; null when it takes more bytes to tell.</summary>
        private bool? TryEnd(ReadOnlySpan<byte> pending, int length)
        {
            bool? boundary = Classify(pending[length..], out int rest, out bool closing);
            if (boundary != true) return boundary;
            owner.start += length + rest;
            owner.closed = closing;
            done = true;
            return true;
        }

        private bool TryEndAtEof()
        {
            ReadOnlySpan<byte> pending = owner.Pending;
            ReadOnlySpan<byte> delimiter = owner.delimiter;
            int skip = pending.StartsWith(delimiter) ? delimiter.Length : !begun && pending.StartsWith(delimiter[2..]) ? delimiter.Length - 2 : -1;
            if (skip < 0 || !pending[skip..].StartsWith("--"u8)) return false;
            owner.start = owner.end;
            owner.closed = done = true;
            return true;
        }

        /// <summary>Judges what follows the name of a boundary: the rest of its line. True for a boundary, false for content that only looks
        /// like one, null when the line is not complete.</summary>
        private static bool? Classify(ReadOnlySpan<byte> after, out int length, out bool closing)
        {
            length = 0;
            closing = false;
            if (after.IsEmpty) return null;
            if (after[0] == '-')
            {
                if (after.Length < 2) return null;
                if (after[1] != '-') return false;
                closing = true;
                length = 2;
                return true;
            }

            int line = after.IndexOf((byte)'\n');
            ReadOnlySpan<byte> padding = line < 0 ? after : after[..line];
            if (padding.IndexOfAnyExcept(" \t\r"u8) >= 0) return false;
            if (line < 0) return padding.Length > 128 ? false : null;
            length = line + 1;
            return true;
        }
    }
}
