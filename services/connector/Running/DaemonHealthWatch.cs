using System.Threading.Channels;
using KuboRpc;
using Microsoft.Extensions.Logging;

namespace Cluster.Connector.Running;

/// <summary>Whether the daemon answers.</summary>
/// <param name="Up">Whether it does.</param>
/// <param name="Error">Why not.</param>
/// <param name="Id">Its identity as known last; null before its first answer.</param>
public sealed record DaemonState(bool Up, string Error, DaemonId? Id);

/// <summary>
/// Asks the daemon for its id: once a second while it is down (spec/behaviour.md 2.1), rarely while it is up, and at once when a
/// request fails. Tells watchers of changes, and keeps the answer.
/// </summary>
public sealed class DaemonHealthWatch(KuboClient client, TimeProvider time, ILogger logger)
{
    /// <summary>Between two looks while the daemon is down.</summary>
    private static readonly TimeSpan IntervalDown = TimeSpan.FromSeconds(1);

    /// <summary>Between two looks while it is up and nothing fails.</summary>
    private static readonly TimeSpan IntervalUp = TimeSpan.FromSeconds(10);

    /// <summary>A daemon that needs longer for its id counts as down.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>A warning after so many looks in vain (spec/behaviour.md 2.1).</summary>
    private const int WarnEvery = 10;

    private readonly Lock _lock = new();
    private readonly HashSet<ChannelWriter<DaemonState>> _watchers = [];
    private readonly Channel<bool> _lookNow = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private DaemonState _state = new(false, "the IPFS daemon has not been asked yet", null);
    private long _answeredAt;

    /// <summary>The state as known last.</summary>
    public DaemonState State
    {
        get
        {
            lock (_lock)
                return _state;
        }
    }

    /// <summary>The daemon's id, from the last answer if that is young enough, else asked for.</summary>
    /// <exception cref="KuboException">The daemon does not answer.</exception>
    public async Task<DaemonId> IdAsync(TimeSpan maxAge, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (maxAge > TimeSpan.Zero && _state is { Up: true, Id: { } known } && time.GetElapsedTime(_answeredAt) <= maxAge)
                return known;
        }
        try
        {
            var id = await client.IdAsync(cancellationToken);
            Set(new DaemonState(true, "", id));
            return id;
        }
        catch (KuboException failure)
        {
            Set(new DaemonState(false, failure.Message, State.Id));
            throw;
        }
    }

    /// <summary>A request failed without an answer: look whether the daemon is there.</summary>
    public void LookNow() => _lookNow.Writer.TryWrite(true);

    /// <summary>The state now, then every change; a slow reader gets the newest only.</summary>
    public async IAsyncEnumerable<DaemonState> WatchAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = Channel.CreateBounded<DaemonState>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_lock)
        {
            channel.Writer.TryWrite(_state);
            _watchers.Add(channel.Writer);
        }
        try
        {
            await foreach (var state in channel.Reader.ReadAllAsync(cancellationToken))
                yield return state;
        }
        finally
        {
            lock (_lock)
                _watchers.Remove(channel.Writer);
        }
    }

    /// <summary>Looks until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var inVain = 0;
        while (true)
        {
            inVain = await LookAsync(cancellationToken) ? 0 : inVain + 1;
            if (inVain > 0 && inVain % WarnEvery == 0)
                ConnectorLog.NotAvailable(logger, inVain);
            using var next = new CancellationTokenSource(inVain > 0 ? IntervalDown : IntervalUp, time);
            using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, next.Token);
            try
            {
                await _lookNow.Reader.ReadAsync(wait.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Time for the next look.
            }
        }
    }

    private async Task<bool> LookAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            await IdAsync(TimeSpan.Zero, limit.Token);
            return true;
        }
        catch (KuboException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Set(new DaemonState(false, $"the IPFS daemon did not answer for {Patience.TotalSeconds} s", State.Id));
            return false;
        }
    }

    private void Set(DaemonState state)
    {
        lock (_lock)
        {
            if (state.Up)
                _answeredAt = time.GetTimestamp();
            var changed = state.Up != _state.Up || state.Id?.Id != _state.Id?.Id || !state.Up && state.Error != _state.Error;
            _state = state;
            if (!changed)
                return;
            foreach (var watcher in _watchers)
                watcher.TryWrite(state);
        }
    }
}
