using Cluster.Consensus.Members;
using Cluster.Consensus.Pinning;
using Cluster.Consensus.Replication;
using Cluster.Model;
using Ipld;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Lifecycle;

/// <summary>
/// Unpins what has expired, every <c>state_sync_interval</c> after READY (spec/behaviour.md 7). The index of expiries tells what, so
/// that the cost grows with what expires and not with the pinset. Then looks for holders that are gone. Followers leave both to others.
/// </summary>
public sealed class StateSync(
    IConsensus consensus, UnpinPlanner unpins, Responsibility responsibility, GoneHolders holders, Readiness readiness, ClusterSettings settings, TimeProvider clock,
    ILogger logger) : BackgroundService
{
    private const int BatchOperations = 1000;

    /// <summary>Unpins what is expired now and in this peer's care; gives how many.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        if (settings.FollowerMode)
            return 0;
        var now = GoTime.Now(clock);
        var acts = await responsibility.DetermineAsync(default, cancellationToken);
        var (unpinned, operations) = (0, 0);
        var batch = new List<UnpinPlan>();
        foreach (var cid in ExpiredAt(now, acts))
        {
            if (consensus.State.Find(cid) is not { } pin || !pin.IsExpired(now))
                continue;
            try
            {
                batch.Add(await unpins.PlanAsync(cid, cancellationToken));
                operations += batch[^1].Operations.Count;
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                // It is tried again the next time; the others are unpinned now.
                Log.StateSyncFailed(logger, $"{cid}: {e.Message}");
            }

            if (operations < BatchOperations)
                continue;
            unpinned += await UnpinAsync(batch, now, cancellationToken);
            operations = 0;
        }

        return unpinned + await UnpinAsync(batch, now, cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await readiness.WhenReady.WaitAsync(stoppingToken);
            while (true)
            {
                await Pause.ForAsync(settings.StateSyncInterval, clock, stoppingToken);
                try
                {
                    await RunOnceAsync(stoppingToken);
                    await holders.RunOnceAsync(stoppingToken);
                }
                catch (Exception e) when (!stoppingToken.IsCancellationRequested)
                {
                    Log.StateSyncFailed(logger, e.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The peer stops.
        }
    }

    /// <summary>
    /// Commits what was planned. A plan may have waited for a daemon for minutes, and those before it with it: who has pinned one of them
    /// for longer meanwhile has his answer, and keeps the pin.
    /// </summary>
    private async Task<int> UnpinAsync(List<UnpinPlan> batch, GoTime now, CancellationToken cancellationToken)
    {
        batch.RemoveAll(plan => consensus.State.Find(plan.Pin.Cid) is not { } pin || !pin.IsExpired(now));
        await consensus.CommitAsync([.. batch.SelectMany(static plan => plan.Operations)], cancellationToken);
        foreach (var plan in batch)
            Log.Expired(logger, plan.Pin.Cid, plan.Pin.Options.ExpireAt.ToString());
        var count = batch.Count;
        batch.Clear();
        return count;
    }

    private List<Cid> ExpiredAt(GoTime now, Func<Cid, bool> acts)
    {
        using var snapshot = consensus.State.CreateSnapshot();
        using var expired = snapshot.ExpiringBefore(now.UnixSeconds);
        var cids = new List<Cid>();
        while (expired.MoveNext())
        {
            var cid = expired.Cid;
            if (acts(cid))
                cids.Add(cid);
        }

        return cids;
    }
}
