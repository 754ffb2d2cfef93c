using Microsoft.Extensions.Hosting;

namespace Cluster.Hosting.Lifetime;

/// <summary>
/// Gives memory back when a process has come to rest: the collector keeps what a burst (an import, a long listing) needed, and so does
/// the C library, until something else wants it, which on a machine shared by five processes is somebody else's loss.
/// </summary>
internal sealed class IdleTrim(TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan interval = TimeSpan.FromSeconds(5);

    /// <summary>Allocated since the last time; less is not worth the work, some 10 ms.</summary>
    private const long WorthIt = 16 << 20;

    /// <summary>Allocated within an interval by a process at rest.</summary>
    private const long AtRest = 1 << 20;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, clock);
        var trimmedAt = 0L;
        var before = 0L;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var allocated = GC.GetTotalAllocatedBytes();
                if (allocated - before < AtRest && allocated - trimmedAt > WorthIt)
                {
                    ProcessMemory.GiveBack();
                    trimmedAt = allocated;
                }

                before = allocated;
            }
        }
        catch (OperationCanceledException)
        {
            // The process ends.
        }
    }
}
