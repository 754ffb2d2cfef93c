namespace KuboRpc.Blocks;

/// <summary>The caller's blocks with a look ahead: the next one, or that none comes for a while.</summary>
internal sealed class BlockSource(IAsyncEnumerator<DaemonBlock> blocks, TimeProvider time, CancellationToken cancellationToken) : IAsyncDisposable
{
    private Task<bool>? _next;

    /// <summary>Waits for the next block; false at the end.</summary>
    public Task<bool> PeekAsync() => Next.WaitAsync(cancellationToken);

    /// <summary>Waits at most so long for the next block; false at the end and when none came.</summary>
    public async ValueTask<bool> PeekAsync(TimeSpan patience)
    {
        if (Next.IsCompleted)
            return await Next;
        try
        {
            return await Next.WaitAsync(patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Whether <see cref="Current"/> is there without waiting.</summary>
    public bool IsReady => Next.IsCompletedSuccessfully && Next.Result;

    /// <summary>The block that a peek found.</summary>
    public DaemonBlock Current => blocks.Current;

    /// <summary>Takes the block that a peek found.</summary>
    public void Take() => _next = null;

    public async ValueTask DisposeAsync()
    {
        if (_next is { } pending)
        {
            // An enumerator must not be disposed while it moves; the caller's cancellation, or its next block, ends the move.
            await pending.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        await blocks.DisposeAsync();
    }

    private Task<bool> Next => _next ??= blocks.MoveNextAsync().AsTask();
}
