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
        var unpinned = 0;
        var operations = new List<StateOperation>();
        foreach (var cid in ExpiredAt(now, acts))
        {
            if (consensus.State.Find(cid) is not { } pin || !pin.IsExpired(now))
                continue;
            try
            {
                var plan = await unpins.PlanAsync(cid, cancellationToken);
                Log.Expired(logger, cid, pin.Options.ExpireAt.ToString());
                operations.AddRange(plan.Operations);
                unpinned++;
            }
            catch (ClusterException e)
            {
                Log.StateSyncFailed(logger, $"{cid}: {e.Message}");
            }

            if (operations.Count < BatchOperations)
                continue;
            await consensus.CommitAsync([.. operations], cancellationToken);
            operations.Clear();
        }

        await consensus.CommitAsync(operations, cancellationToken);
        return unpinned;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await readiness.WhenReady.WaitAsync(stoppingToken);
            while (true)
            {
                await Task.Delay(settings.StateSyncInterval, clock, stoppingToken);
                try
                {
                    await RunOnceAsync(stoppingToken);
                    await holders.RunOnceAsync(stoppingToken);
                }
                catch (Exception e) when (e is not OperationCanceledException)
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
