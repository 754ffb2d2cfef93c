namespace Cluster.PeerRpc.Streams;

/// <summary>What ends a call that is being served: its deadline, the caller, or the server's stop.</summary>
internal sealed class CallLife : IDisposable
{
    private readonly CancellationTokenSource? timer;
    private readonly CancellationTokenSource ending;

    public CallLife(TimeSpan? deadline, TimeProvider time, CancellationToken stopping)
    {
        if (deadline is { } limit)
        {
            timer = new CancellationTokenSource(limit, time);
            ending = CancellationTokenSource.CreateLinkedTokenSource(stopping, timer.Token);
        }
        else
        {
            ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        }
    }

    public CancellationToken Token => ending.Token;

    /// <summary>The original's words for the end.</summary>
    public string EndText => timer is { IsCancellationRequested: true } ? "context deadline exceeded" : "context canceled";

    public void CallerGone() => ending.Cancel();

    public void Dispose()
    {
        ending.Dispose();
        timer?.Dispose();
    }
}
