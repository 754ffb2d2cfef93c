using System.Buffers;

namespace Ipld;

/// <summary>Pieces of one size; the last may be shorter.</summary>
internal sealed class SizeChunker(Stream source, int size) : Chunker
{
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(size);
    private bool _ended;
    private bool _disposed;

    public override async ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        Current = default;
        if (_ended)
        {
            return false;
        }

        var filled = await FillAsync(source, _buffer.AsMemory(0, size), cancellationToken).ConfigureAwait(false);
        // An end right at a piece's start is not remembered: like in the original the stream is asked again, and a
        // progress object goes out each time (spec/rest-api.md 9.5).
        _ended = filled > 0 && filled < size;
        Current = _buffer.AsMemory(0, filled);
        return filled > 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (!_disposed)
        {
            _disposed = true;
            ArrayPool<byte>.Shared.Return(_buffer);
        }
    }
}
