using Cluster.CrdtState;
using Crdt;
using Ipld;
using Libp2p.Bitswap;

namespace Cluster.Consensus.CrdtReplication;

/// <summary>The nodes of the DAG as bitswap serves them: all that are merged, for good (spec/crdt.md 15.10).</summary>
internal sealed class CrdtBlocks(CrdtReader store) : IBlockStore
{
    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(Cid cid, CancellationToken cancellationToken) =>
        new(Find(cid) is { } bytes ? bytes : (ReadOnlyMemory<byte>?)null);

    public ValueTask<int?> GetSizeAsync(Cid cid, CancellationToken cancellationToken) => new(Find(cid)?.Length);

    /// <summary>Does nothing: a fetched block is stored when it is merged, and nobody else may write here.</summary>
    public ValueTask PutAsync(Block block, CancellationToken cancellationToken) => default;

    private byte[]? Find(Cid cid)
    {
        try
        {
            return MerkleCrdt.TryGetBlock(store, BlockId.FromCid(cid.Bytes), out var bytes) ? bytes : null;
        }
        catch (CrdtFormatException)
        {
            return null; // the CID of something else
        }
        catch (ObjectDisposedException)
        {
            return null; // the peer stops
        }
    }
}
