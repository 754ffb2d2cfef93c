using System.Collections.Concurrent;
using Cluster.Tracker.Core;
using Grpc.Core;
using Ipld;

namespace Cluster.Tracker.Daemon;

/// <summary>
/// When the daemon is asked whether it still has what the index says is pinned. v1.1.6 keeps no index: it asks for every status of one
/// CID, and lists all its pins for every listing. Users see a pin that somebody removed from the daemon at once, and pay for it always.
///
/// The rule here:
/// <list type="bullet">
/// <item>Status of one CID: the daemon is asked while the budget lasts (<see cref="Burst"/> questions at once,
/// <see cref="PerSecond"/> more a second; the same CID is asked once for all who want to know), and its word goes into the index.
/// Beyond the budget, or when it takes longer than <see cref="AnswerWithin"/>, the index answers. A daemon that is busy pinning answers
/// late: the time that statuses wait for it has a budget too (<see cref="Patience"/>, <see cref="PatiencePerSecond"/>).</item>
/// <item>Listings that show pinned or unexpectedly unpinned items: with up to <see cref="SmallIndex"/> items that this peer holds, the
/// daemon's pins are listed first and compared, unless it has more than <see cref="SmallDaemon"/> of them. A larger listing comes from
/// the index at once, as it was at the last comparison, and sets off the next one when that is older than
/// <see cref="ListingFreshness"/>.</item>
/// <item>A daemon that does not answer is told of: the status is cluster_error, the listing fails.</item>
/// <item>Every `pin_recover_interval`, at the start, and when the daemon comes back, everything is compared and what was lost is
/// pinned again (15). A peer that holds nothing at its start does so ten seconds later.</item>
/// <item>When very many pins wait, all of the daemon's are listed, and those that it has are done (<see cref="Backlog"/>).</item>
/// </list>
/// </summary>
public sealed class DaemonWord(PinTracker tracker, ConnectorLink link, Comparison comparison, TimeProvider time)
{
    /// <summary>Questions at once.</summary>
    public const int Burst = 100;

    /// <summary>Questions a second in the long run: a daemon takes a millisecond or two for one.</summary>
    public const int PerSecond = 50;

    /// <summary>Time that statuses may wait for the daemon, all of them together, before the index answers for it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Share of the time that comes back to <see cref="Patience"/>.</summary>
    public const double PatiencePerSecond = 0.2;

    /// <summary>Items held here up to which a listing waits for the daemon.</summary>
    public const int SmallIndex = 1024;

    /// <summary>Pins of the daemon up to which a listing waits for it.</summary>
    public const int SmallDaemon = 8192;

    /// <summary>How long a status waits for the daemon.</summary>
    public static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);

    /// <summary>Age of a comparison from which on a large listing asks for a new one.</summary>
    public static readonly TimeSpan ListingFreshness = TimeSpan.FromMinutes(1);

    /// <summary>Before the daemon's reason, in an answer that needs its pins.</summary>
    internal const string CannotList = "could not get pinset from IPFS: ";

    private readonly ConcurrentDictionary<Cid, Task<DaemonAnswer>> _asked = new();
    private readonly Lock _lock = new();
    private Task<string?>? _refreshing;
    private double _budget = Burst;
    private double _patience = Patience.TotalSeconds;
    private long _budgetAt = time.GetTimestamp();

    /// <summary>A large listing wants a comparison in the background.</summary>
    public event Action? ComparisonWanted;

    /// <summary>
    /// The daemon's word on an item that the index says is pinned, or lost; null when the index has to do.
    /// </summary>
    public async ValueTask<DaemonAnswer?> OnAsync(TrackedPin pin, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(pin);
        var down = link.Health is { Up: false } health ? health.Error : null;
        if (!_asked.TryGetValue(pin.Cid, out var answer))
        {
            if (!TakeFromBudget())
                return down is null ? null : new DaemonAnswer(DaemonPinKind.Unpinned, down);
            answer = AskAsync(pin);
        }

        try
        {
            return await answer.WaitAsync(AnswerWithin, time, cancellation);
        }
        catch (Exception e) when (e is TimeoutException or RpcException { StatusCode: StatusCode.Unavailable }
            || e is OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            // The connector restarts, or the daemon is busy, perhaps with a question of somebody who asked earlier and has given it up:
            // what was known stands.
            return down is null ? null : new DaemonAnswer(DaemonPinKind.Unpinned, down);
        }
    }

    /// <summary>Prepares the index for a listing; returns why the daemon cannot be asked, or null.</summary>
    public async ValueTask<string?> RefreshAsync(CancellationToken cancellation)
    {
        if (HeldHere > SmallIndex)
        {
            ComparisonWanted?.Invoke();
            return link.Health is { Up: false } health ? health.Error : null;
        }

        Task<string?> refreshing;
        lock (_lock)
        {
            if (_refreshing is not { IsCompleted: false })
                _refreshing = CompareSmallAsync();
            refreshing = _refreshing;
        }

        try
        {
            return await refreshing.WaitAsync(AnswerWithin, time, cancellation);
        }
        catch (TimeoutException)
        {
            return link.Health is { Up: false } health ? health.Error : null;
        }
    }

    /// <summary>
    /// Brings the index up to date, whatever its size. A peer that has just joined holds nothing yet: its daemon is spared the listing.
    /// </summary>
    /// <exception cref="RpcException">The daemon cannot be asked.</exception>
    public async Task CompareAsync(CancellationToken cancellation)
    {
        if (HeldHere == 0 && link.Health is { Up: true })
            return;
        try
        {
            await comparison.RunAsync(recover: false, waiting: false, null, cancellation);
        }
        catch (RpcException e) when (!cancellation.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unknown, CannotList + e.Status.Detail));
        }
    }

    private long HeldHere => tracker.Count(PinState.Pinned) + tracker.Count(PinState.UnexpectedlyUnpinned);

    private async Task<string?> CompareSmallAsync()
    {
        using var limit = new CancellationTokenSource(AnswerWithin * 2, time);
        try
        {
            if (await comparison.RunAsync(recover: false, waiting: false, SmallDaemon, limit.Token) is null)
                ComparisonWanted?.Invoke();
            return null;
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.Cancelled || link.Health is null)
        {
            return null;
        }
        catch (RpcException e)
        {
            return e.Status.Detail;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private async Task<DaemonAnswer> AskAsync(TrackedPin pin)
    {
        using var limit = new CancellationTokenSource(AnswerWithin * 2, time);
        var asOf = time.GetUtcNow();
        var began = time.GetTimestamp();
        var asking = link.AskAsync(pin.Cid, pin.MaxDepth, limit.Token);
        _asked[pin.Cid] = asking;
        try
        {
            var answer = await asking;
            if (answer.Error is null)
                tracker.Observe([(pin.Cid, answer.Kind)], asOf, recover: false);
            return answer;
        }
        finally
        {
            _asked.TryRemove(pin.Cid, out _);
            // Many questions may have been under way at once: the debt is bounded, so that it is paid within seconds.
            lock (_lock)
                _patience = Math.Max(-1, _patience - time.GetElapsedTime(began).TotalSeconds);
        }
    }

    private bool TakeFromBudget()
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var passed = time.GetElapsedTime(_budgetAt, now).TotalSeconds;
            _budget = Math.Min(Burst, _budget + passed * PerSecond);
            _patience = Math.Min(Patience.TotalSeconds, _patience + passed * PatiencePerSecond);
            _budgetAt = now;
            if (_budget < 1 || _patience <= 0)
                return false;
            _budget--;
            return true;
        }
    }
}
