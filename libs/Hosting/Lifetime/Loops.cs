namespace Cluster.Hosting.Lifetime;

/// <summary>Things that a service does for as long as it runs, side by side.</summary>
public static class Loops
{
    /// <summary>
    /// Runs all of them. The first that fails stops the others, and its failure is this task's: a service that does only half of its work
    /// without anybody's noticing is worse than one that ends and is started again. One that returns has done its work.
    /// </summary>
    public static async Task RunAsync(IEnumerable<Func<CancellationToken, Task>> loops, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(loops);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = loops.Select(loop => StartAsync(loop, ending.Token)).ToList();
        var all = Task.WhenAll(running);
        Task? failed = null;
        while (failed is null && running.Count > 0)
        {
            var ended = await Task.WhenAny(running);
            running.Remove(ended);
            if (!ended.IsCompletedSuccessfully)
                failed = ended;
        }

        await ending.CancelAsync();
        await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (failed is not null)
            await failed;
    }

    /// <summary>What fails at once fails as its task, too.</summary>
    private static async Task StartAsync(Func<CancellationToken, Task> loop, CancellationToken cancellationToken) => await loop(cancellationToken);
}
