namespace Cluster.Consensus.Lifecycle;

/// <summary>Whether the peer is READY, and what is awaited until then (spec/behaviour.md 2.1).</summary>
public sealed class Readiness
{
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string _waitingFor = "consensus";

    /// <summary>Becomes true once.</summary>
    public bool IsReady => _ready.Task.IsCompletedSuccessfully;

    /// <summary>For people; empty when ready.</summary>
    public string WaitingFor => IsReady ? string.Empty : _waitingFor;

    /// <summary>Completes when ready.</summary>
    public Task WhenReady => _ready.Task;

    /// <summary>Tells what comes next.</summary>
    public void Await(string what) => _waitingFor = what;

    /// <summary>Everything is there.</summary>
    public void SetReady() => _ready.TrySetResult();
}
