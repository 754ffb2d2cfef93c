using Cluster.PinState;
using Cluster.Storage;

namespace Cluster.Consensus.Replication;

/// <summary>
/// Writes operations to a state with one synced write for all that wait at a time (design section 4). What arrives while a write is
/// under way forms the next one; a lone request is written at once. A thread of its own waits for the disk, so that the thread
/// pool, which has as many threads as the machine has cores, does not.
/// </summary>
internal sealed class GroupCommit : IDisposable
{
    /// <summary>Operations that may wait; beyond that a request is refused, for its caller to slow down.</summary>
    internal const int MaxWaiting = 100_000;

    private const int MaxBatch = 4096;

    private readonly PinStore _store;
    private readonly Action<IReadOnlyList<StateOperation>>? _committed;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly Thread _thread;
    private Queue<Request> _waiting = new();
    private int _waitingOperations;
    private bool _closed;

    /// <param name="store">The state.</param>
    /// <param name="committed">Told of operations that are durable, after those who wait for them.</param>
    internal GroupCommit(PinStore store, Action<IReadOnlyList<StateOperation>>? committed = null)
    {
        _store = store;
        _committed = committed;
        _thread = new Thread(Run) { Name = "commit", IsBackground = true };
        _thread.Start();
    }

    internal Task<ulong> CommitAsync(IReadOnlyList<StateOperation> operations)
    {
        if (operations.Count == 0)
            return Task.FromResult(_store.Totals.Sequence);
        var request = new Request(operations);
        bool ring;
        lock (_lock)
        {
            if (_closed)
                throw new ClusterException(ClusterErrorKind.Unavailable, "shutting down. Pin could not be committed");
            if (_waitingOperations + operations.Count > MaxWaiting && _waitingOperations > 0)
                throw new ClusterException(
                    ClusterErrorKind.ResourceExhausted, $"more than {MaxWaiting} operations are waiting to be committed. Try again later");
            ring = _waiting.Count == 0;
            _waiting.Enqueue(request);
            _waitingOperations += operations.Count;
        }

        if (ring)
            _work.Release();
        return request.Done.Task;
    }

    /// <summary>Writes what was accepted, then ends. Blocks until then.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_closed)
                return;
            _closed = true;
        }

        _work.Release();
        _thread.Join();
        _work.Dispose();
    }

    private void Run()
    {
        var batch = new List<Request>();
        while (true)
        {
            _work.Wait();
            while (Take(batch))
                Commit(batch);
            lock (_lock)
            {
                if (_closed && _waiting.Count == 0)
                    return;
            }
        }
    }

    private bool Take(List<Request> batch)
    {
        batch.Clear();
        lock (_lock)
        {
            var operations = 0;
            while (_waiting.TryPeek(out var request) && (batch.Count == 0 || operations + request.Operations.Count <= MaxBatch))
            {
                operations += request.Operations.Count;
                batch.Add(_waiting.Dequeue());
            }

            _waitingOperations -= operations;
        }

        return batch.Count > 0;
    }

    private void Commit(List<Request> batch)
    {
        try
        {
            Write(batch);
        }
        catch (Exception e)
        {
            // One request that cannot be written must not take the others with it.
            if (batch.Count > 1)
            {
                foreach (var request in batch.ToArray())
                    Commit([request]);
                return;
            }

            batch[0].Done.SetException(
                e is StorageException ? new ClusterException(ClusterErrorKind.Internal, $"the change could not be written: {e.Message}", e) : e);
        }
    }

    private void Write(List<Request> batch)
    {
        ulong sequence;
        using (var transaction = _store.Begin())
        {
            foreach (var request in batch)
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

            sequence = transaction.Commit(Durability.Synced);
        }

        foreach (var request in batch)
            request.Done.SetResult(sequence);
        if (_committed is null)
            return;
        foreach (var request in batch)
            _committed(request.Operations);
    }

    private sealed class Request(IReadOnlyList<StateOperation> operations)
    {
        public IReadOnlyList<StateOperation> Operations { get; } = operations;

        public TaskCompletionSource<ulong> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
