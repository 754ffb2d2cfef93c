using Grpc.Core;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Services;

/// <summary>The pieces of an import as a stream of bytes.</summary>
internal sealed class ImportStream(IAsyncStreamReader<V1.StateImportRequest> requests) : Stream
{
    private ReadOnlyMemory<byte> _piece;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The options, which the first message may carry.</summary>
    internal async Task<V1.StateImportOptions?> ReadOptionsAsync(CancellationToken cancellationToken)
    {
        if (!await requests.MoveNext(cancellationToken))
            return null;
        _piece = requests.Current.Data.Memory;
        return requests.Current.Options;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_piece.IsEmpty)
        {
            if (!await requests.MoveNext(cancellationToken))
                return 0;
            _piece = requests.Current.Data.Memory;
        }

        var count = Math.Min(buffer.Length, _piece.Length);
        _piece[..count].CopyTo(buffer);
        _piece = _piece[count..];
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("read asynchronously");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
