using Crdt;
using Ipld;
using Libp2p;

namespace Cluster.Consensus.CrdtReplication;

/// <summary>What the replicated set asks of the network.</summary>
public interface ICrdtNetwork
{
    /// <summary>Announces heads on the cluster's topic (spec/crdt.md 4). Waits for nobody.</summary>
    /// <param name="message">The encoded broadcast.</param>
    void Announce(ReadOnlyMemory<byte> message);

    /// <summary>Gets a node of the DAG from connected peers; goes on asking until it is cancelled.</summary>
    /// <param name="block">The node.</param>
    /// <param name="announcedBy">Who named it: asked first. Null when that is not known.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    Task<ReadOnlyMemory<byte>> FetchAsync(Cid block, PeerId? announcedBy, CancellationToken cancellationToken);

    /// <summary>Prepares to read nodes and their ancestors in one go; waits for nobody.</summary>
    /// <param name="blocks">Where to begin.</param>
    /// <param name="announcedBy">Who named them: asked if possible.</param>
    /// <returns>Null when nobody can be asked: <see cref="FetchAsync"/> gets them one by one.</returns>
    IAncestorReader? ReadAncestors(IReadOnlyCollection<BlockId> blocks, PeerId? announcedBy) => null;

    /// <summary>Tells that nodes came and are stored, so that those who wait for them here get them. Waits for nobody.</summary>
    void Stored(IReadOnlyCollection<BlockId> blocks)
    {
    }
}
