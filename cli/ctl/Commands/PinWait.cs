using Cluster.Model;
using Cluster.RestClient;
using Ipld;

namespace Cluster.Ctl.Commands;

/// <summary>Waiting until peers have reached a status (spec/ctl.md 5).</summary>
internal static class PinWait
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private const TrackerStatus Failed = TrackerStatus.ClusterError | TrackerStatus.PinError | TrackerStatus.UnpinError;

    /// <summary>Asks every second until the CID has the status on enough peers; the last answer is returned.</summary>
    /// <param name="session">The client.</param>
    /// <param name="cid">What to look at.</param>
    /// <param name="target">Pinned or unpinned.</param>
    /// <param name="limit">Peers that are enough; 0 and less: all of them.</param>
    /// <param name="timeout">Effective above one second; 0 waits for ever.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <exception cref="CommandException">A peer failed, or the time is over.</exception>
    public static async Task<GlobalPinInfo> ForAsync(
        Session session, Cid cid, TrackerStatus target, int limit, GoDuration timeout, CancellationToken cancel)
    {
        const string doing = "waiting for pin status";
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        // Timers take no more than about 49 days; nobody waits for longer.
        if (timeout > GoDuration.FromSeconds(1) && timeout.ToTimeSpan() < TimeSpan.FromDays(40))
            limited.CancelAfter(timeout.ToTimeSpan());
        using var timer = new PeriodicTimer(Interval, session.Clock);
        try
        {
            while (true)
            {
                await timer.WaitForNextTickAsync(limited.Token);
                var status = await session.Client.StatusAsync(cid, local: false, limited.Token);
                if (IsReached(status, target, limit))
                    return status;
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new CommandException(doing, "context deadline exceeded", ExitCodes.WaitTimeout);
        }
        catch (RestException e)
        {
            throw new CommandException(doing, e.Error.Message);
        }
    }

    private static bool IsReached(GlobalPinInfo status, TrackerStatus target, int limit)
    {
        var peers = status.PeerMap ?? [];
        var reached = 0;
        var settled = 0;
        foreach (var (_, info) in peers)
        {
            if (info.Status == TrackerStatus.Undefined || (info.Status & Failed) != 0)
                throw new CommandException("waiting for pin status", "error has occurred while attempting to reach status: " + target.ToText());
            if (info.Status == target)
                reached++;
            if (info.Status == target || (target == TrackerStatus.Pinned && info.Status == TrackerStatus.Remote))
                settled++;
        }

        return limit > 0 ? reached >= Math.Min(limit, peers.Count) : settled == peers.Count;
    }
}
