using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Cluster.Hosting.Health;

/// <summary>
/// What this process says of its health: one state for the process (the empty name) and one for each gRPC service it offers.
/// Thread-safe. Starts as not serving; the host sets it to serving when the endpoint listens, unless the service has set a state
/// of its own.
/// </summary>
public sealed class ServiceHealth
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, ServingStatus> states = new(StringComparer.Ordinal) { [""] = ServingStatus.NotServing };
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool chosen;

    /// <summary>Sets the state of the process.</summary>
    public void Set(bool serving)
    {
        lock (gate)
            chosen = true;
        SetAll(serving);
    }

    /// <summary>Sets the state of one gRPC service.</summary>
    /// <param name="service">Its full name.</param>
    /// <param name="serving">Whether it serves.</param>
    public void Set(string service, bool serving)
    {
        ArgumentNullException.ThrowIfNull(service);
        lock (gate)
            states[service] = serving ? ServingStatus.Serving : ServingStatus.NotServing;
        Announce();
    }

    internal void Add(string service)
    {
        lock (gate)
            states.TryAdd(service, states[""]);
    }

    internal void SetListening()
    {
        lock (gate)
        {
            if (chosen)
                return;
        }

        SetAll(true);
    }

    internal void SetStopping() => SetAll(false);

    internal ServingStatus? Get(string service)
    {
        lock (gate)
            return states.TryGetValue(service, out var status) ? status : null;
    }

    internal IReadOnlyDictionary<string, ServingStatus> GetAll()
    {
        lock (gate)
            return new Dictionary<string, ServingStatus>(states);
    }

    /// <summary>The state now, and a task that completes at the next change of any state.</summary>
    internal (ServingStatus? Status, Task Changed) Observe(string service)
    {
        lock (gate)
            return (states.TryGetValue(service, out var status) ? status : null, changed.Task);
    }

    private void SetAll(bool serving)
    {
        lock (gate)
        {
            foreach (var name in states.Keys)
                states[name] = serving ? ServingStatus.Serving : ServingStatus.NotServing;
        }

        Announce();
    }

    private void Announce()
    {
        TaskCompletionSource previous;
        lock (gate)
        {
            previous = changed;
            changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        previous.TrySetResult();
    }
}
