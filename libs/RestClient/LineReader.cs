using System.Text;

namespace Cluster.RestClient;

/// <summary>Reads lines and bytes from a connection.</summary>
internal sealed class LineReader(Stream stream)
{
    private const int LongestLine = 64 * 1024;

    private readonly byte[] _buffer = new byte[32 * 1024];
    private int _start;
    private int _end;

    /// <summary>A line without its end. Trailers are UTF-8, as the texts in them are.</summary>
    public async ValueTask<string> ReadLineAsync(CancellationToken cancel)
    {
        var line = new MemoryStream();
        while (true)
        {
            if (_start == _end && !await FillAsync(cancel))
                throw new IOException(line.Length == 0 ? "EOF" : "unexpected EOF");
            var feed = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            var count = feed < 0 ? _end - _start : feed;
            line.Write(_buffer, _start, count);
            _start += feed < 0 ? count : count + 1;
            if (line.Length > LongestLine)
                throw new IOException("a header line is longer than 64 KiB");
            if (feed >= 0)
                return Encoding.UTF8.GetString(line.ToArray()).TrimEnd('\r');
        }
    }

    public async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancel)
    {
        if (_start == _end && !await FillAsync(cancel))
            return 0;
        var count = Math.Min(target.Length, _end - _start);
        _buffer.AsMemory(_start, count).CopyTo(target);
        _start += count;
        return count;
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancel)
    {
        _start = 0;
        _end = await stream.ReadAsync(_buffer, cancel);
        return _end > 0;
    }
}
