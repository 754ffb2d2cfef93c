using System.Globalization;

namespace Cluster.RestClient;

/// <summary>A body as it comes over HTTP/1.1: in chunks with trailers behind, of a known length, or until the connection ends.</summary>
internal sealed class ResponseBody(LineReader reader, bool chunked, long? length)
{
    private const int LongestErrorBody = 8 * 1024 * 1024;

    private long _left = length ?? (chunked ? 0 : long.MaxValue);
    private bool _started;
    private bool _ended = length == 0;

    private volatile Exception? _failure;

    public List<(string Name, string Value)> Trailers { get; } = [];

    /// <summary>Says why reading is about to fail.</summary>
    public void Fail(Exception failure) => _failure = failure;

    /// <summary>0 at the end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancel)
    {
        try
        {
            return await ReadOnAsync(buffer, cancel);
        }
        catch (Exception e) when (_failure is not null && !cancel.IsCancellationRequested)
        {
            throw new IOException(_failure.Message, e);
        }
    }

    private async ValueTask<int> ReadOnAsync(Memory<byte> buffer, CancellationToken cancel)
    {
        while (!_ended)
        {
            if (chunked && _left == 0)
            {
                await NextChunkAsync(cancel);
                continue;
            }

            var read = await reader.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancel);
            if (read == 0)
            {
                if (chunked || length is not null)
                    throw new IOException("unexpected EOF");
                _ended = true;
                break;
            }

            _left -= read;
            _ended = !chunked && _left == 0;
            return read;
        }

        return 0;
    }

    /// <summary>The whole rest.</summary>
    public async Task<byte[]> ReadAllAsync(CancellationToken cancel)
    {
        var all = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await ReadAsync(buffer, cancel)) > 0)
        {
            all.Write(buffer, 0, read);
            if (all.Length > LongestErrorBody)
                throw new IOException("the answer is longer than 8 MiB");
        }

        return all.ToArray();
    }

    private async Task NextChunkAsync(CancellationToken cancel)
    {
        if (_started)
            await reader.ReadLineAsync(cancel); // the end of the chunk before
        _started = true;
        var line = await reader.ReadLineAsync(cancel);
        var size = line.Split(';')[0].Trim();
        if (!long.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _left) || _left < 0)
            throw new IOException("malformed chunked encoding");
        if (_left > 0)
            return;
        while ((line = await reader.ReadLineAsync(cancel)).Length > 0)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
                Trailers.Add((line[..colon].Trim(), line[(colon + 1)..].Trim()));
        }

        _ended = true;
    }
}
