namespace KuboRpc.Http;

/// <summary>
/// How long a call may take: a limit of the whole, or (when <see cref="Progressed"/> is called) since the last progress.
/// </summary>
internal sealed class CallLimit : IDisposable
{
    /// <summary>Text of a call that ended at its limit.</summary>
    public const string DeadlineExceeded = "context deadline exceeded";

    /// <summary>Text of a pin that stopped making progress (spec/behaviour.md 16.3).</summary>
    public const string Canceled = "context canceled";

    private readonly TimeSpan? _limit;
    private readonly CancellationTokenSource _expired;
    private readonly CancellationTokenSource _linked;
    private readonly CancellationToken _caller;

    public CallLimit(TimeSpan? limit, string reason, TimeProvider time, CancellationToken caller)
    {
        _limit = limit;
        _caller = caller;
        Reason = reason;
        // CancellationTokenSource takes at most about 49 days.
        if (limit > TimeSpan.FromDays(40))
            _limit = limit = null;
        _expired = limit is { } span ? new CancellationTokenSource(span, time) : new CancellationTokenSource();
        _linked = CancellationTokenSource.CreateLinkedTokenSource(caller, _expired.Token);
    }

    public string Reason { get; }

    public CancellationToken Token => _linked.Token;

    /// <summary>Whether the limit, and not the caller, ended the call.</summary>
    public bool Expired => _expired.IsCancellationRequested && !_caller.IsCancellationRequested;

    public CancellationToken Caller => _caller;

    public void Progressed()
    {
        if (_limit is { } span)
            _expired.CancelAfter(span);
    }

    public void Dispose()
    {
        _linked.Dispose();
        _expired.Dispose();
    }
}
