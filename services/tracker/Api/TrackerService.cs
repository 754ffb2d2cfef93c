using Cluster.Contracts.V1;
using Cluster.Hosting.Batching;
using Cluster.Tracker.Core;
using Cluster.Tracker.Daemon;
using Grpc.Core;
using Ipld;

namespace Cluster.Tracker.Api;

/// <summary>The `Tracker` contract.</summary>
/// <param name="stopping">Cancelled when the process stops: streams of calls, which others keep open for ever, end then with UNAVAILABLE
/// instead of holding the stop up.</param>
public sealed class TrackerService(
    PinTracker tracker, Statuses statuses, StatusListing listing, DaemonWord daemon, TimeProvider time,
    ILogger logger, CancellationToken stopping)
    : Contracts.V1.Tracker.TrackerBase
{
    private const int RecoverPage = 256;

    /// <summary>Calls of one stream under way at a time; a client that sends more has to wait.</summary>
    private const int CallsAtATime = 4096;

    /// <summary>The longest that a call waits for a change of the pinset to arrive.</summary>
    private static readonly TimeSpan CatchUpWithin = TimeSpan.FromSeconds(30);

    public override async Task<PinInfo> Status(TrackerStatusRequest request, ServerCallContext context) =>
        await StatusAsync(request, context.CancellationToken);

    public override async Task<PinInfo> Recover(TrackerRecoverRequest request, ServerCallContext context) =>
        await RecoverAsync(request, context.CancellationToken);

    public override async Task StatusAll(
        TrackerStatusAllRequest request, IServerStreamWriter<TrackerStatusAllResponse> responseStream, ServerCallContext context)
    {
        await CatchUpAsync(request.AtLeastSequence, context.CancellationToken);
        await listing.WriteAsync(request, page => responseStream.WriteAsync(page, context.CancellationToken), context.CancellationToken);
    }

    /// <summary>
    /// Queues again what failed to be pinned and what the daemon lost. Failed unpins are not part of the pinset and left to their own
    /// retries and to the single call, as everybody expects (recorded: http/rest/ipfs-down).
    /// </summary>
    public override async Task RecoverAll(
        TrackerRecoverAllRequest request, IServerStreamWriter<TrackerStatusAllResponse> responseStream, ServerCallContext context)
    {
        var cancellation = context.CancellationToken;
        await CatchUpAsync(request.AtLeastSequence, cancellation);
        await daemon.CompareAsync(cancellation);

        var cids = new List<Cid>(RecoverPage);
        var (reader, _) = tracker.OpenListing([PinState.PinError, PinState.UnexpectedlyUnpinned]);
        using (reader)
        {
            for (var more = true; more;)
            {
                more = reader.MoveNext();
                if (more)
                    cids.Add(reader.Current.Cid);
                if (cids.Count < (more ? RecoverPage : 1))
                    continue;
                await RecoverPageAsync(cids, responseStream, cancellation);
                cids.Clear();
            }
        }
    }

    public override Task<QueueSizeResponse> QueueSize(Empty request, ServerCallContext context)
    {
        var counts = tracker.Counts;
        return Task.FromResult(new QueueSizeResponse
        {
            PinQueued = (ulong)(counts.PriorityQueued + counts.NormalQueued),
            PriorityQueued = (ulong)counts.PriorityQueued,
            UnpinQueued = (ulong)counts.UnpinQueued,
            Pinning = (ulong)counts.Pinning,
            Unpinning = (ulong)counts.Unpinning,
            PinErrors = (ulong)tracker.Count(PinState.PinError),
            UnpinErrors = (ulong)tracker.Count(PinState.UnpinError),
            Sequence = tracker.Sequence.Reached,
        });
    }

    public override async Task Calls(
        IAsyncStreamReader<TrackerCallBatch> requestStream, IServerStreamWriter<TrackerCallResultBatch> responseStream,
        ServerCallContext context)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping);
        await BatchedCalls.ServeAsync(
            BatchShapes.Tracker, requestStream, responseStream, (call, _, cancellation) => AnswerAsync(call, cancellation), CallsAtATime, ended.Token);
        if (stopping.IsCancellationRequested)
            throw new RpcException(new Status(StatusCode.Unavailable, "the tracker stops"));
    }

    private async ValueTask<TrackerCallResult> AnswerAsync(TrackerCall call, CancellationToken cancellation) => new()
    {
        Info = call.CallCase switch
        {
            TrackerCall.CallOneofCase.Status => await StatusAsync(call.Status, cancellation),
            TrackerCall.CallOneofCase.Recover => await RecoverAsync(call.Recover, cancellation),
            _ => throw new RpcException(new Status(StatusCode.InvalidArgument, "the call asks for nothing")),
        },
    };

    private async ValueTask<PinInfo> StatusAsync(TrackerStatusRequest request, CancellationToken cancellation)
    {
        var cid = ParseCid(request.Cid.Span);
        await CatchUpAsync(request.AtLeastSequence, cancellation);
        return await StatusAsync(cid, cancellation);
    }

    private async ValueTask<PinInfo> StatusAsync(Cid cid, CancellationToken cancellation)
    {
        var view = statuses.View(cid);
        if (view.State is not (PinState.Pinned or PinState.UnexpectedlyUnpinned))
            return statuses.Full(cid, view, null);
        return statuses.Full(cid, view, await daemon.OnAsync(view.Pin!, cancellation));
    }

    private async ValueTask<PinInfo> RecoverAsync(TrackerRecoverRequest request, CancellationToken cancellation)
    {
        var cid = ParseCid(request.Cid.Span);
        await CatchUpAsync(request.AtLeastSequence, cancellation);
        var now = await StatusAsync(cid, cancellation);
        if (now.Status is not (TrackerStatus.PinError or TrackerStatus.UnpinError or TrackerStatus.UnexpectedlyUnpinned))
            return now;
        foreach (var view in tracker.Recover([cid]))
        {
            Tell(cid, view);
            return statuses.Full(cid, view, null);
        }

        return statuses.Full(cid, statuses.View(cid), null);
    }

    private async Task RecoverPageAsync(
        List<Cid> cids, IServerStreamWriter<TrackerStatusAllResponse> responseStream, CancellationToken cancellation)
    {
        var page = new TrackerStatusAllResponse();
        foreach (var view in tracker.Recover(cids))
        {
            Tell(view.Pin!.Cid, view);
            page.Items.Add(statuses.Full(view.Pin!.Cid, view, null));
        }

        if (page.Items.Count > 0)
            await responseStream.WriteAsync(page, cancellation);
    }

    private void Tell(Cid cid, PinView view)
    {
        if (view.State is PinState.UnpinQueued or PinState.Unpinning)
            TrackerLog.RestartingUnpin(logger, cid);
        else
            TrackerLog.RestartingPin(logger, cid);
    }

    private async ValueTask CatchUpAsync(ulong sequence, CancellationToken cancellation)
    {
        var waiting = tracker.Sequence.WaitAsync(sequence, cancellation);
        if (waiting.IsCompletedSuccessfully)
            return;
        try
        {
            await waiting.AsTask().WaitAsync(CatchUpWithin, time, cancellation);
        }
        catch (TimeoutException)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded,
                $"change {sequence} of the pinset has not reached the tracker, which stands at {tracker.Sequence.Reached}"));
        }
    }

    private static Cid ParseCid(ReadOnlySpan<byte> bytes) => Cid.TryFromBytes(bytes, out var cid, out var error)
        ? cid
        : throw new RpcException(new Status(StatusCode.InvalidArgument, "bad cid: " + error));
}
