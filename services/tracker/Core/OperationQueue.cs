namespace Cluster.Tracker.Core;

/// <summary>
/// First in, first out, with withdrawal: what was cancelled stays in its place until it is reached or until the dead outnumber the
/// living, so that withdrawing costs nothing and memory follows the number of those that wait.
/// </summary>
internal sealed class OperationQueue
{
    private Queue<Operation> _waiting = new();
    private readonly Stack<Operation> _first = new();
    private int _dead;

    /// <summary>Operations that wait.</summary>
    public int Count => _first.Count + _waiting.Count - _dead;

    public void Enqueue(Operation operation) => _waiting.Enqueue(operation);

    /// <summary>Puts back what has already had its turn.</summary>
    public void EnqueueFirst(Operation operation) => _first.Push(operation);

    /// <summary>Call after an operation that waits here has been cancelled.</summary>
    public void Withdrawn()
    {
        _dead++;
        if (_dead > 64 && _dead > Count)
            Compact();
    }

    public bool TryDequeue(out Operation operation)
    {
        while (_first.TryPop(out operation!) || _waiting.TryDequeue(out operation!))
        {
            if (!operation.Cancelled)
                return true;
            _dead--;
        }

        if (_waiting.EnsureCapacity(0) > 4096)
            _waiting = new Queue<Operation>();
        return false;
    }

    private void Compact()
    {
        var living = new Queue<Operation>(Count);
        foreach (var operation in _first.Concat(_waiting))
        {
            if (!operation.Cancelled)
                living.Enqueue(operation);
        }

        _first.Clear();
        _waiting = living;
        _dead = 0;
    }
}
