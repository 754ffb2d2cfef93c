using Cluster.Contracts.V1;
using Cluster.Tracker.Api;
using Cluster.Tracker.Core;
using Cluster.Tracker.Daemon;
using Cluster.Tracker.Index;
using Cluster.Tracker.State;

namespace Cluster.Tracker;

/// <summary>The parts of a tracker, put together.</summary>
public sealed class TrackerAssembly : IDisposable
{
    private readonly StateWatcher _watcher;
    private readonly ConnectorLink _link;
    private readonly Recovery _recovery;
    private readonly CancellationTokenSource _stopping = new();

    /// <param name="folder">Where the index is kept.</param>
    /// <exception cref="Storage.StorageException">The folder is locked, damaged or of another format; the message says what to do.</exception>
    public TrackerAssembly(
        string folder, TrackerSettings settings, TrackerPeer peer, Contracts.V1.State.StateClient state, Connector.ConnectorClient connector,
        TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(peer);
        var index = PinIndex.Open(folder);
        index.Belongs(peer.Id.Span);
        Tracker = new PinTracker(index, settings, time, logger);
        _link = new ConnectorLink(Tracker, connector, time, logger);
        _watcher = new StateWatcher(Tracker, state, peer, time, logger);
        var comparison = new Comparison(Tracker, _link, time);
        var daemon = new DaemonWord(Tracker, _link, comparison, time);
        _recovery = new Recovery(Tracker, _link, comparison, daemon, _watcher, time, logger);
        var statuses = new Statuses(Tracker, _link, peer, time);
        Service = new TrackerService(Tracker, statuses, new StatusListing(Tracker, statuses, daemon), daemon, time, logger, _stopping.Token);
    }

    public PinTracker Tracker { get; }

    public TrackerService Service { get; }

    /// <summary>Works until it is cancelled; fails when the tracker cannot go on.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task[] loops =
        [
            _watcher.RunAsync(ended.Token), _link.RunAsync(ended.Token), _link.WatchHealthAsync(ended.Token), _recovery.RunAsync(ended.Token),
        ];
        try
        {
            // A loop that ends before it is told to has failed.
            await await Task.WhenAny([.. loops, Tracker.Fault]);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // In order.
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The process is about to stop: ends the streams that callers keep open.</summary>
    public void EndStreams() => _stopping.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        Tracker.Dispose();
        _stopping.Dispose();
    }
}
