using Cluster.Storage;

namespace Cluster.Consensus.Replication;

/// <summary>
/// Writes operations with one synced write for all that wait at a time (design section 4). What arrives while a write is under way
/// forms the next one; a lone request is written at once, unless a <see cref="CommitCollection"/> has it wait for others. A thread of
/// its own waits for the disk, so that the thread pool, which has as many threads as the machine has cores, does not.
/// </summary>
internal sealed class GroupCommit : IDisposable
{
    private const int MaxBatch = 4096;

    private readonly IGroupWriter _writer;
    private readonly CommitCollection? _collection;
    private readonly CommitQueue _queue;
    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();
    private readonly AutoResetEvent _work = new(false); // not a SemaphoreSlim, whose waiter spins first: it would take the core from those it waits for
    private readonly Thread _thread;
    private readonly Queue<CommitRequest> _waiting = new();
    private int _waitingOperations;
    private bool _rung;
    private bool _closed;

    /// <param name="writer">What writes.</param>
    /// <param name="collection">How long operations wait for others; null: not at all.</param>
    /// <param name="queue">How many may wait.</param>
    /// <param name="clock">Tells how long something has waited.</param>
    internal GroupCommit(IGroupWriter writer, CommitCollection? collection = null, CommitQueue? queue = null, TimeProvider? clock = null)
    {
        _writer = writer;
        _collection = collection;
        _queue = queue ?? CommitQueue.Default;
        _clock = clock ?? TimeProvider.System;
        _thread = new Thread(Run) { Name = "commit", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Accepts operations; completes with the number of the state's last change when they are durable.</summary>
    /// <param name="operations">What is to be done, in order and as one.</param>
    /// <param name="values">What is prepared for each, if the writer wants that.</param>
    /// <exception cref="ClusterException">Too many wait, or the peer stops.</exception>
    internal Task<ulong> CommitAsync(IReadOnlyList<StateOperation> operations, IReadOnlyList<ReadOnlyMemory<byte>>? values = null)
    {
        if (operations.Count == 0)
            return Task.FromResult(_writer.Sequence);
        var request = new CommitRequest(operations, values, _clock.GetTimestamp());
        lock (_lock)
        {
            if (_closed)
                throw new ClusterException(ClusterErrorKind.Unavailable, _queue.Closed);
            if (_waitingOperations + operations.Count > _queue.Operations && _waitingOperations > 0)
                throw new ClusterException(ClusterErrorKind.ResourceExhausted, _queue.Refusal);
            _waiting.Enqueue(request);
            _waitingOperations += operations.Count;

            // Within the lock: once it is closed, the bell may be gone.
            if (_waiting.Count == 1 || (_collection is not null && _waitingOperations >= _collection.Items))
                _work.Set();
        }

        return request.Done.Task;
    }

    /// <summary>Asks for a write, whether there are requests or not. Waits for nothing.</summary>
    internal void Ring()
    {
        lock (_lock)
        {
            if (_rung || _closed)
                return;
            _rung = true;
            _work.Set();
        }
    }

    /// <summary>Writes what was accepted, then ends. Blocks until then, whoever else has asked for it before.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (!_closed)
                _work.Set();
            _closed = true;
        }

        _thread.Join();
        _work.Dispose();
    }

    private void Run()
    {
        var batch = new List<CommitRequest>();
        var wait = Timeout.InfiniteTimeSpan;
        var toldShutdown = false;
        while (true)
        {
            _work.WaitOne(wait);
            while (Take(batch, out wait, out var ended))
            {
                var operations = batch.Sum(request => request.Operations.Count);
                Commit(batch);
                if (operations > 0 && ended is { } end)
                    _collection?.Ended?.Invoke(end, operations);
                toldShutdown |= ended == CollectionEnd.Shutdown;
                _writer.Answered();
            }

            lock (_lock)
            {
                if (!_closed || _waiting.Count > 0)
                    continue;
            }

            if (!toldShutdown)
                _collection?.Ended?.Invoke(CollectionEnd.Shutdown, 0);
            return;
        }
    }

    /// <summary>Takes what is to be written now: false when that is nothing, for so long as <paramref name="wait"/> says.</summary>
    private bool Take(List<CommitRequest> batch, out TimeSpan wait, out CollectionEnd? ended)
    {
        batch.Clear();
        lock (_lock)
        {
            var rung = _rung;
            _rung = false;
            ended = EndOfCollection(out wait);
            if (_collection is not null && ended is null)
                return rung;
            var operations = 0;
            while (_waiting.TryPeek(out var request) && (batch.Count == 0 || operations + request.Operations.Count <= MaxBatch))
            {
                operations += request.Operations.Count;
                batch.Add(_waiting.Dequeue());
            }

            _waitingOperations -= operations;
            return rung || batch.Count > 0;
        }
    }

    /// <summary>Why the collected operations are to be written now; null while they wait, or nothing is collected.</summary>
    private CollectionEnd? EndOfCollection(out TimeSpan wait)
    {
        wait = Timeout.InfiniteTimeSpan;
        if (_collection is null || !_waiting.TryPeek(out var first))
            return null;
        if (_closed)
            return CollectionEnd.Shutdown;
        if (_waitingOperations >= _collection.Items)
            return CollectionEnd.Size;
        wait = _collection.Age - _clock.GetElapsedTime(first.Arrived);
        if (wait > TimeSpan.Zero)
            return null;
        wait = Timeout.InfiniteTimeSpan;
        return CollectionEnd.Age;
    }

    private void Commit(List<CommitRequest> batch)
    {
        try
        {
            var sequence = _writer.Write(batch);
            foreach (var request in batch)
                request.Done.SetResult(sequence);
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

            foreach (var request in batch)
            {
                request.Done.SetException(
                    e is StorageException ? new ClusterException(ClusterErrorKind.Internal, $"the change could not be written: {e.Message}", e) : e);
            }
        }
    }
}
