namespace Cluster.Consensus.Lifecycle;

/// <summary>Pauses as the configuration has them: of a year, too, by which people turn something off. A timer runs for 49 days at most.</summary>
internal static class Pause
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary>Waits for so long.</summary>
    internal static async Task ForAsync(TimeSpan length, TimeProvider clock, CancellationToken cancellationToken)
    {
        for (; length > Longest; length -= Longest)
            await Task.Delay(Longest, clock, cancellationToken);
        await Task.Delay(length, clock, cancellationToken);
    }
}
