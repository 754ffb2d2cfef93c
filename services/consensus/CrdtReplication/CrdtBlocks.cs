using Cluster.CrdtState;
using Crdt;
using Ipld;
using Libp2p.Bitswap;

namespace Cluster.Consensus.CrdtReplication;

/// <summary>The nodes of the DAG as bitswap serves them: all that are merged, for good (spec/crdt.md 15.10).</summary>
internal sealed class CrdtBlocks(CrdtReader store) : IBlockStore
{
    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(Cid cid, CancellationToken cancellationToken) =>
        new(KeyOf(cid) is { } key && IfOpen(() => store.TryGet(key, out var bytes) ? bytes : null) is { } found ? found : (ReadOnlyMemory<byte>?)null);

    public ValueTask<int?> GetSizeAsync(Cid cid, CancellationToken cancellationToken) =>
        new(KeyOf(cid) is { } key ? IfOpen(() => store.SizeOf(key)) : null);

    /// <summary>Does nothing: a fetched block is stored when it is merged, and nobody else may write here.</summary>
    public ValueTask PutAsync(Block block, CancellationToken cancellationToken) => default;

    /// <summary>Null for the CID of something else.</summary>
    private static byte[]? KeyOf(Cid cid)
    {
        try
        {
            return MerkleCrdt.KeyOfBlock(BlockId.FromCid(cid.Bytes));
        }
        catch (CrdtFormatException)
        {
            return null;
        }
    }

    private static T? IfOpen<T>(Func<T?> read)
    {
        try
        {
            return read();
        }
        catch (ObjectDisposedException)
        {
            return default; // the peer stops
        }
    }
}
