using Cluster.Model;

namespace Cluster.PinState.Transfer;

/// <summary>Cuts a stream of JSON values, separated by any white space or nothing, into values. Complains in Go's words.</summary>
internal sealed class JsonSplitter(Stream input, int maxValueBytes)
{
    private byte[] _buffer = new byte[64 << 10];
    private int _start;
    private int _end;
    private bool _inputEnded;

    /// <summary>The next value, valid until the next call; null at the end of the stream.</summary>
    internal async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancellationToken)
    {
        var scan = new Scan();
        var at = 0;
        while (true)
        {
            if (scan.Advance(_buffer.AsSpan(_start, _end - _start), ref at))
            {
                var value = _buffer.AsMemory(_start + scan.Begin, at - scan.Begin);
                _start += at;
                return value;
            }

            if (_inputEnded)
                return Last(scan, at);
            await FillAsync(cancellationToken);
        }
    }

    private ReadOnlyMemory<byte>? Last(Scan scan, int at)
    {
        if (!scan.Started)
            return null;
        var rest = _buffer.AsMemory(_start + scan.Begin, _end - _start - scan.Begin);
        _start += at;
        if (scan.Depth == 0 && !scan.InString)
            return rest; // a bare word or number at the very end
        var complaint = GoJsonSyntax.Complaint(rest.Span);
        throw new FormatException(complaint is null or "unexpected end of JSON input" ? "unexpected EOF" : complaint);
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= maxValueBytes)
                throw new FormatException($"an entry is longer than {maxValueBytes} bytes");
            Array.Resize(ref _buffer, (int)Math.Min((long)_buffer.Length * 2, maxValueBytes));
        }

        var read = await input.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _inputEnded = read == 0;
        _end += read;
    }

    /// <summary>Finds the end of a value; goes on where it stopped when more bytes have come.</summary>
    private struct Scan
    {
        private bool _escaped;
        private bool _bare;

        public int Begin { get; private set; }

        public bool Started { get; private set; }

        public int Depth { get; private set; }

        public bool InString { get; private set; }

        public bool Advance(ReadOnlySpan<byte> text, ref int at)
        {
            for (; at < text.Length; at++)
            {
                var octet = text[at];
                if (!Started)
                {
                    if (IsSpace(octet))
                        continue;
                    Started = true;
                    Begin = at;
                    _bare = octet is not ((byte)'{' or (byte)'[' or (byte)'"');
                }

                if (_bare)
                {
                    if (at > Begin && (IsSpace(octet) || octet is (byte)'{' or (byte)'[' or (byte)'"'))
                        return true;
                }
                else if (Closes(octet))
                {
                    at++;
                    return true;
                }
            }

            return false;
        }

        private static bool IsSpace(byte octet) => octet is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';

        private bool Closes(byte octet)
        {
            if (InString)
            {
                if (_escaped)
                    _escaped = false;
                else if (octet == '\\')
                    _escaped = true;
                else if (octet == '"')
                    InString = false;
                return !InString && Depth == 0;
            }

            switch (octet)
            {
                case (byte)'"':
                    InString = true;
                    return false;
                case (byte)'{' or (byte)'[':
                    Depth++;
                    return false;
                case (byte)'}' or (byte)']':
                    return --Depth == 0;
                default:
                    return false;
            }
        }
    }
}
