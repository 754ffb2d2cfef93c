using System.Buffers;
using System.Text.Json;

namespace KuboRpc.Json;

/// <summary>Cuts a byte stream into the JSON values that follow each other in it, with or without newlines between.</summary>
internal sealed class JsonValueReader(Stream stream, int maxValue) : IDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(4096);
    private int _start;
    private int _end;
    private bool _ended;

    /// <summary>The value read last; valid until the next read.</summary>
    public ReadOnlyMemory<byte> Current { get; private set; }

    /// <summary>Reads the next value. False at the end of the stream after the last whole value.</summary>
    /// <exception cref="DaemonAnswerException">What comes is no JSON, is cut, or is longer than allowed.</exception>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            SkipWhitespace();
            if (_start < _end && TryCut())
                return true;
            if (_ended)
            {
                if (_start < _end)
                    throw new DaemonAnswerException("unexpected EOF");
                return false;
            }
            await FillAsync(cancellationToken);
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void SkipWhitespace()
    {
        while (_start < _end && _buffer[_start] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            _start++;
    }

    private bool TryCut()
    {
        var reader = new Utf8JsonReader(_buffer.AsSpan(_start, _end - _start), _ended, new JsonReaderState(JsonFields.ReaderOptions));
        try
        {
            if (!reader.Read() || !reader.TrySkip())
                return false;
        }
        catch (JsonException failure)
        {
            throw new DaemonAnswerException(JsonFields.SyntaxError(_buffer.AsSpan(_start, _end - _start), failure), failure);
        }
        var length = (int)reader.BytesConsumed;
        Current = _buffer.AsMemory(_start, length);
        _start += length;
        return true;
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
            if (_end > maxValue)
                throw new DaemonAnswerException($"the daemon sent a JSON value longer than {maxValue} bytes");
            var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
            _buffer.AsSpan(0, _end).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _ended = read == 0;
        _end += read;
    }
}
