using Ipld;
using Libp2p.Bitswap;

namespace Cluster.Consensus.Peering;

/// <summary>
/// Serves fetched nodes while they still wait to be merged: the store gets them then, but peers behind this one, which are not connected
/// to the author, ask at the same moment as this one does, and would be told of them only when they ask again. Bounded; the oldest go.
/// </summary>
internal sealed class RecentBlocks(IBlockStore store) : IBlockStore
{
    /// <summary>Bytes kept: some batches of pins.</summary>
    internal const int MostBytes = 4 << 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<Cid, ReadOnlyMemory<byte>> _recent = [];
    private readonly Queue<Cid> _order = new();
    private long _bytes;

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(Cid cid, CancellationToken cancellationToken) =>
        Find(cid) is { } recent ? new((ReadOnlyMemory<byte>?)recent) : store.GetAsync(cid, cancellationToken);

    public ValueTask<int?> GetSizeAsync(Cid cid, CancellationToken cancellationToken) =>
        Find(cid) is { } recent ? new(recent.Length) : store.GetSizeAsync(cid, cancellationToken);

    public ValueTask PutAsync(Block block, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (block.Data.Length <= MostBytes && _recent.TryAdd(block.Cid, block.Data))
            {
                _order.Enqueue(block.Cid);
                _bytes += block.Data.Length;
                while (_bytes > MostBytes)
                {
                    _recent.Remove(_order.Dequeue(), out var oldest);
                    _bytes -= oldest.Length;
                }
            }
        }

        return store.PutAsync(block, cancellationToken);
    }

    private ReadOnlyMemory<byte>? Find(Cid cid)
    {
        lock (_lock)
            return _recent.TryGetValue(cid, out var data) ? data : (ReadOnlyMemory<byte>?)null;
    }
}
