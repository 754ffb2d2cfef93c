using Cluster.Contracts.V1;
using Cluster.Tracker.Core;
using Cluster.Tracker.Daemon;
using Grpc.Core;
using Ipld;

namespace Cluster.Tracker.Api;

/// <summary>
/// Listings by a filter (spec/behaviour.md 13.5): from the lists of the wanted states, ordered by CID, in bounded memory. What v1.1.6
/// does wrong is right here: direct pins are no lost ones, and an item under way is not shown in its derived status instead.
/// </summary>
public sealed class StatusListing(PinTracker tracker, Statuses statuses, DaemonWord daemon)
{
    /// <summary>Items of the first message: it leaves at once.</summary>
    private const int FirstPage = 16;

    private const int Page = 512;

    private const TrackerStatus DaemonDecides =
        TrackerStatus.Pinned | TrackerStatus.UnexpectedlyUnpinned;

    // An empty filter shows the pinset: what is only still to be unpinned is not part of it.
    private static readonly PinState[] Pinset =
    [
        PinState.Pinned, PinState.PinQueued, PinState.PinError, PinState.Remote, PinState.Sharded, PinState.UnexpectedlyUnpinned,
    ];

    private static readonly (TrackerStatus Status, PinState Stored)[] StoredAs =
    [
        (TrackerStatus.Pinned, PinState.Pinned),
        (TrackerStatus.UnexpectedlyUnpinned, PinState.UnexpectedlyUnpinned),
        (TrackerStatus.PinQueued, PinState.PinQueued),
        (TrackerStatus.PinError, PinState.PinError),
        (TrackerStatus.UnpinQueued, PinState.UnpinQueued),
        (TrackerStatus.UnpinError, PinState.UnpinError),
        (TrackerStatus.Remote, PinState.Remote),
        (TrackerStatus.Sharded, PinState.Sharded),
    ];

    /// <summary>Writes everything that matches, page by page.</summary>
    /// <exception cref="RpcException">The daemon would have to say which items are pinned, and does not answer.</exception>
    public async Task WriteAsync(
        TrackerStatusAllRequest request, Func<TrackerStatusAllResponse, Task> write, CancellationToken cancellation)
    {
        var mask = (TrackerStatus)request.StatusMask;
        DaemonAnswer? down = null;
        if (mask == 0 || (mask & (DaemonDecides | TrackerStatus.ClusterError)) != 0)
        {
            var error = await daemon.RefreshAsync(cancellation);
            if (error is not null && (mask == 0 || (mask & DaemonDecides) != 0))
                throw new RpcException(new Status(StatusCode.Unknown, DaemonWord.CannotList + error));
            if (error is not null)
                down = new DaemonAnswer(DaemonPinKind.Unpinned, error);
        }

        var (reader, running) = tracker.OpenListing(ListsFor(mask, down is not null));
        using (reader)
        {
            var page = NewPage(request.WithoutPeer);
            var limit = FirstPage;
            foreach (var info in Matches(mask, reader, running, down, request.WithoutPeer))
            {
                page.Items.Add(info);
                if (page.Items.Count < limit)
                    continue;
                cancellation.ThrowIfCancellationRequested();
                await write(page);
                page = new TrackerStatusAllResponse();
                limit = Page;
            }

            if (page.Items.Count > 0)
                await write(page);
        }
    }

    private TrackerStatusAllResponse NewPage(bool withoutPeer)
    {
        var page = new TrackerStatusAllResponse();
        if (withoutPeer)
            page.Self = statuses.Self;
        return page;
    }

    private IEnumerable<PinInfo> Matches(
        TrackerStatus mask, Index.PinReader reader, Dictionary<Cid, PinView> running, DaemonAnswer? down, bool withoutPeer)
    {
        if ((mask & ~(TrackerStatus.Pinning | TrackerStatus.Unpinning)) == 0 && mask != 0)
        {
            // Nothing but what runs: a handful, whatever waits behind it.
            foreach (var (cid, view) in running.OrderBy(r => r.Key))
            {
                if ((mask & Statuses.StatusOf(view.State)) != 0)
                    yield return Info(cid, view, null, withoutPeer);
            }

            yield break;
        }

        while (reader.MoveNext())
        {
            var pin = reader.Current;
            if (!running.TryGetValue(pin.Cid, out var view))
                view = new PinView(pin.State, pin.Since, pin.Attempts, pin.Priority, pin.Error, pin);
            var info = Info(pin.Cid, view, pin.IsSettledHere ? down : null, withoutPeer);
            if (mask == 0 || (mask & info.Status) != 0)
                yield return info;
        }
    }

    private PinInfo Info(Cid cid, PinView view, DaemonAnswer? answer, bool withoutPeer) =>
        withoutPeer ? statuses.Bare(cid, view, answer) : statuses.Full(cid, view, answer);

    /// <summary>The lists to walk along: what is being pinned is listed as queued, and a daemon that is down makes errors of what it holds.</summary>
    private static PinState[] ListsFor(TrackerStatus mask, bool down)
    {
        if (mask == 0)
            return Pinset;
        if ((mask & TrackerStatus.Pinning) != 0)
            mask |= TrackerStatus.PinQueued;
        if ((mask & TrackerStatus.Unpinning) != 0)
            mask |= TrackerStatus.UnpinQueued;
        if (down && (mask & TrackerStatus.ClusterError) != 0)
            mask |= DaemonDecides;
        return [.. StoredAs.Where(s => (mask & s.Status) != 0).Select(s => s.Stored)];
    }
}
