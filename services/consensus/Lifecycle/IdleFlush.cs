using Cluster.Hosting.Lifetime;
using Cluster.PinState;
using Cluster.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Lifecycle;

/// <summary>
/// Tidies up when a time of writing is over: what the database holds in memory goes to its files, so that the next start has no log to
/// read again, and memory that the burst needed goes back to the system (design: a peer is idle for most of its life).
/// </summary>
internal sealed class IdleFlush(PinStore state, TimeProvider clock, ILogger logger) : BackgroundService
{
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(10);

    /// <summary>Less is not worth the work.</summary>
    private const ulong ManyChanges = 1000;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (tidied, seen) = (state.Totals.Sequence, state.Totals.Sequence);
        using var timer = new PeriodicTimer(Calm, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var now = state.Totals.Sequence;
                if (now == seen && now - tidied >= ManyChanges)
                {
                    tidied = now;
                    Tidy();
                }

                seen = now;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }

    private void Tidy()
    {
        try
        {
            state.Database.Flush();
        }
        catch (StorageException e)
        {
            Log.TidyFailed(logger, e.Message);
        }

        // After the flush: what the memtables held is free only now.
        ProcessMemory.GiveBack();
    }
}
