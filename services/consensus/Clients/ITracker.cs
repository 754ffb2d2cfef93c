using Ipld;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Clients;

/// <summary>The tracker of a peer: what it holds and how far it is.</summary>
public interface ITracker
{
    /// <summary>Status of one CID, as of a change of the state or later.</summary>
    ValueTask<V1.PinInfo> StatusAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken);

    /// <summary>Queues a failed or lost CID again and gives its status then.</summary>
    ValueTask<V1.PinInfo> RecoverAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken);

    /// <summary>All statuses that pass a mask (0: all), in pages, ordered by the bytes of the CID.</summary>
    IAsyncEnumerable<StatusPage> StatusAllAsync(int statusMask, ulong atLeastSequence, CancellationToken cancellationToken);

    /// <summary>Queues everything failed or lost again; gives what was queued, in pages, ordered by the bytes of the CID.</summary>
    IAsyncEnumerable<StatusPage> RecoverAllAsync(ulong atLeastSequence, CancellationToken cancellationToken);
}
