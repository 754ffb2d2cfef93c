using Libp2p;
using Libp2p.Bitswap;

namespace Cluster.Consensus.CrdtReplication;

/// <summary>What the network asks of the replicated set.</summary>
public interface ICrdtReplica
{
    /// <summary>The nodes of the DAG that other peers may fetch.</summary>
    IBlockStore Blocks { get; }

    /// <summary>Whether heads of this author are merged (spec/crdt.md 3).</summary>
    bool IsTrusted(PeerId author);

    /// <summary>A peer announced heads. Never waits: what cannot be kept is announced again by its author.</summary>
    /// <param name="author">Who signed the announcement; trust is checked by the caller.</param>
    /// <param name="message">The encoded broadcast (spec/crdt.md 4).</param>
    void HeadsAnnounced(PeerId author, ReadOnlyMemory<byte> message);

    /// <summary>The current heads as an encoded broadcast, for a peer that asks; empty without heads.</summary>
    ReadOnlyMemory<byte> CurrentHeads();
}
