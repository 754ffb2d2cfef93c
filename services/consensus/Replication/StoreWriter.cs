using Cluster.PinState;
using Cluster.Storage;

namespace Cluster.Consensus.Replication;

/// <summary>Writes operations straight into the state: the log of a cluster of one.</summary>
/// <param name="store">The state.</param>
/// <param name="committed">Told of operations that are durable, after those who wait for them.</param>
internal sealed class StoreWriter(PinStore store, Action<IReadOnlyList<StateOperation>>? committed = null) : IGroupWriter
{
    private readonly List<IReadOnlyList<StateOperation>> _written = [];

    public ulong Sequence => store.Totals.Sequence;

    public ulong Write(IReadOnlyList<CommitRequest> requests)
    {
        using var transaction = store.Begin();
        foreach (var request in requests)
        {
            for (var i = 0; i < request.Operations.Count; i++)
            {
                var operation = request.Operations[i];
                if (operation.Kind == OperationKind.Pin)
                    transaction.Put(operation.Pin!);
                else
                    transaction.Remove(operation.Cid);
            }
        }

        var sequence = transaction.Commit(Durability.Synced);
        _written.AddRange(requests.Select(request => request.Operations));
        return sequence;
    }

    public void Answered()
    {
        // All that was written since the last time: after a failure the requests of a batch are written one by one.
        if (committed is not null)
        {
            foreach (var operations in _written)
                committed(operations);
        }

        _written.Clear();
    }
}
