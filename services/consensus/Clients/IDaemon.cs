using Ipld;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Clients;

/// <summary>The IPFS daemon of a peer, through its connector.</summary>
public interface IDaemon
{
    /// <summary>Who the daemon is; a daemon that does not answer is told of in the answer, not by an exception.</summary>
    ValueTask<V1.IpfsId> IdAsync(CancellationToken cancellationToken);

    /// <summary>The CID that a path leads to.</summary>
    ValueTask<Cid> ResolveAsync(string path, CancellationToken cancellationToken);

    /// <summary>The bytes of a block.</summary>
    ValueTask<ReadOnlyMemory<byte>> GetBlockAsync(Cid cid, CancellationToken cancellationToken);

    /// <summary>Collects garbage; what was removed and what could not be.</summary>
    ValueTask<IReadOnlyList<V1.RepoGcKey>> RepoGcAsync(CancellationToken cancellationToken);

    /// <summary>Ids of the daemons it is connected to.</summary>
    ValueTask<IReadOnlyList<string>> SwarmPeersAsync(CancellationToken cancellationToken);

    /// <summary>How much its repository holds and may hold, in bytes.</summary>
    ValueTask<V1.RepoStatResponse> RepoStatAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Stores blocks, unpinned, as they come; reads on only as fast as the daemon takes them. Completes when all of them are stored.
    /// </summary>
    /// <param name="blocks">Blocks in bunches; at least one block.</param>
    /// <param name="written">Told of blocks that the daemon has stored since it was last told; a daemon may tell of all at the end.</param>
    /// <param name="cancellationToken">Ends the storing; what is stored stays.</param>
    Task PutBlocksAsync(IAsyncEnumerable<IReadOnlyList<V1.Block>> blocks, Action<long> written, CancellationToken cancellationToken);
}
