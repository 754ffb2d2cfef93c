using Cluster.Contracts.V1;
using Cluster.Tracker.Core;
using Google.Protobuf;
using Grpc.Core;

namespace Cluster.Tracker.State;

/// <summary>Follows the pinset from the last change that was handled, for ever.</summary>
public sealed class StateWatcher(
    PinTracker tracker, Contracts.V1.State.StateClient client, TrackerPeer peer, TimeProvider time, ILogger logger)
{
    private readonly TaskCompletionSource _caughtUp = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when everything that was there at the start has been handled once.</summary>
    public Task CaughtUp => _caughtUp.Task;

    /// <summary>A snapshot of the pinset has been handled that left items to look for in the daemon.</summary>
    public event Action? LookForLost;

    /// <summary>Changes of the pinset have been handled.</summary>
    public event Action? Handled;

    public Task RunAsync(CancellationToken cancellation) => Reconnection.RunAsync(async connected =>
    {
        var position = tracker.Position;
        var request = new StateWatchRequest { After = position.Sequence, Epoch = UnsafeByteOperations.UnsafeWrap(position.Epoch) };
        using var call = client.Watch(request, cancellationToken: cancellation);
        var first = true;
        while (await call.ResponseStream.MoveNext(cancellation))
        {
            if (first)
            {
                connected();
                TrackerLog.Watching(logger, position.Sequence);
            }

            var snapshotDone = tracker.Apply(call.ResponseStream.Current, first, peer.Id.Span);
            first = false;
            if (snapshotDone)
                TellSnapshot();
            if (!tracker.InSnapshot)
                _caughtUp.TrySetResult();
            Handled?.Invoke();
        }
    }, e => TrackerLog.WatchEnded(logger, e), time, cancellation);

    private void TellSnapshot()
    {
        var lost = tracker.Count(PinState.UnexpectedlyUnpinned);
        TrackerLog.SnapshotDone(logger, tracker.Total, lost);
        if (lost > 0)
            LookForLost?.Invoke();
    }
}
