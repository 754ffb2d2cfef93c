using Cluster.Consensus.CrdtReplication;
using Crdt;
using Libp2p;
using Libp2p.Bitswap;

namespace Cluster.Consensus.Tests.CrdtReplication;

/// <summary>A foreign peer: serves the blocks it is given and hears nothing.</summary>
internal sealed class ServedBlocks : ICrdtReplica
{
    private readonly InMemoryBlockStore _blocks = new();

    public IBlockStore Blocks => _blocks;

    public BlockId Add(byte[] bytes)
    {
        var id = BlockId.Of(bytes);
        _blocks.Add(new Block(id.ToCid(), bytes));
        return id;
    }

    public bool IsTrusted(PeerId author) => true;

    public void HeadsAnnounced(PeerId author, ReadOnlyMemory<byte> message)
    {
    }

    public ReadOnlyMemory<byte> CurrentHeads() => default;
}
