using Libp2p;
using Libp2p.Kademlia;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Peering;

/// <summary>
/// Keeps this peer connected to the others: dials whom it knows and is not connected to, with pauses that grow while a peer is away, and
/// looks up the addresses of members that nobody has told. In a large cluster it is content with the low mark of connections, and dials
/// beyond it only the peers of the configuration (spec/behaviour.md 2.2, re-bootstrap).
/// </summary>
public sealed class PeerKeeper : IHostObserver, IAsyncDisposable
{
    private const int DialsAtATime = 8;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>Whatever the interval of the configuration: no timer runs for longer than 49 days.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private static readonly TimeSpan LookupPatience = TimeSpan.FromSeconds(10);

    /// <summary>Between two saves of the peerstore file.</summary>
    private static readonly TimeSpan SaveInterval = TimeSpan.FromMinutes(1);

    private readonly ClusterNetwork _network;
    private readonly KnownPeers _known;
    private readonly PeeringSettings _settings;
    private readonly Func<IEnumerable<PeerId>> _members;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Dictionary<PeerId, Attempt> _attempts = [];
    private readonly Dictionary<PeerId, Task> _dialling = [];
    private readonly CancellationTokenSource _stopping = new();
    private TaskCompletionSource _changed = NewSignal();
    private IDisposable? _observing;
    private Task _running = Task.CompletedTask;

    /// <param name="network">Dials.</param>
    /// <param name="known">Whom to dial.</param>
    /// <param name="settings">Marks and intervals.</param>
    /// <param name="members">The members of this moment: those without an address are looked up.</param>
    /// <param name="loggers">Makes the logger of <c>cluster</c>.</param>
    public PeerKeeper(ClusterNetwork network, KnownPeers known, PeeringSettings settings, Func<IEnumerable<PeerId>> members, ILoggerFactory loggers)
    {
        _network = network;
        _known = known;
        _settings = settings;
        _members = members;
        _logger = loggers.CreateLogger("cluster");
        _time = network.Host.Options.Time;
    }

    /// <summary>A peer was connected to at the start: the peer may count it as a member already (spec/behaviour.md 2.1).</summary>
    public event Action<PeerId>? Reached;

    /// <summary>Begins; waits for nobody.</summary>
    public void Start()
    {
        _observing = _network.Host.Observe(this);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Something is known that was not before: looks at once.</summary>
    public void Nudge()
    {
        lock (_lock)
            _changed.TrySetResult();
    }

    /// <inheritdoc/>
    public void OnConnected(PeerConnection connection)
    {
        var peer = connection.RemotePeer;
        lock (_lock)
        {
            if (!_attempts.TryGetValue(peer, out var attempt))
                return;
            var again = attempt.Lost || attempt.Failures > 0;
            attempt.Succeeded();
            if (!again)
                return;
        }

        if (_known.IsConfigured(peer))
            PeeringLog.ReconnectedToPriorityPeer(_logger, peer);
        else
            PeeringLog.Reconnected(_logger, peer);
    }

    /// <inheritdoc/>
    public void OnDisconnected(PeerConnection connection, bool last)
    {
        if (!last)
            return;
        lock (_lock)
        {
            // Both sides notice at the same time: a random moment keeps them from dialling each other at once.
            var attempt = AttemptOf(connection.RemotePeer);
            attempt.Lost = true;
            attempt.Next = _time.GetUtcNow() + (FirstPause * _network.Host.Options.Random.NextDouble());
            _changed.TrySetResult();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        _observing?.Dispose();
        await _stopping.CancelAsync();
        await _running;
        Task[] dialling;
        lock (_lock)
            dialling = [.. _dialling.Values];
        await Task.WhenAll(dialling);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync()
    {
        try
        {
            await _known.ImportAsync(_stopping.Token);
            await Task.WhenAll(ResolveNamesAsync(), KeepAsync());
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The peer stops.
        }
        catch (Exception e)
        {
            PeeringLog.KeeperFailed(_logger, e);
        }
    }

    private async Task ResolveNamesAsync()
    {
        try
        {
            await _known.ResolveNamesAsync(Nudge, _stopping.Token);
        }
        catch (Exception e) when (!_stopping.IsCancellationRequested)
        {
            // The others are dialled all the same.
            PeeringLog.RoundFailed(_logger, e);
        }
    }

    private async Task KeepAsync()
    {
        var saved = _time.GetTimestamp();
        while (true)
        {
            TimeSpan wait;
            Task changed;
            try
            {
                (wait, changed) = DialWhoIsDue();
                if (_time.GetElapsedTime(saved) >= SaveInterval)
                {
                    saved = _time.GetTimestamp();
                    await _known.SaveAsync(_stopping.Token);
                    _network.Host.Peerstore.Sweep(peer => _network.Host.IsConnected(peer));
                }
            }
            catch (Exception e) when (!_stopping.IsCancellationRequested)
            {
                // A peer that stops looking for the others is lost to them: it looks again after a pause.
                PeeringLog.RoundFailed(_logger, e);
                await Task.Delay(FirstPause, _time, _stopping.Token);
                continue;
            }

            try
            {
                await changed.WaitAsync(wait < LongestWait ? wait : LongestWait, _time, _stopping.Token);
            }
            catch (TimeoutException)
            {
                // Somebody is due, or the members are to be looked at again.
            }
        }
    }

    private (TimeSpan Wait, Task Changed) DialWhoIsDue()
    {
        var candidates = Candidates();
        lock (_lock)
        {
            Forget(candidates);
            if (_changed.Task.IsCompleted)
                _changed = NewSignal();
            var now = _time.GetUtcNow();
            var wait = _settings.Cluster.PeerWatchInterval.ToTimeSpan();
            foreach (var peer in candidates)
            {
                if (_dialling.ContainsKey(peer))
                    continue;
                var due = AttemptOf(peer).Next - now;
                if (due > TimeSpan.Zero)
                    wait = due < wait ? due : wait;
                else if (_dialling.Count < DialsAtATime)
                    _dialling.Add(peer, Task.Run(() => DialAsync(peer)));
            }

            return (wait, _changed.Task);
        }
    }

    /// <summary>Nothing is kept of peers whose addresses ran out: anybody can name any number of peers.</summary>
    private void Forget(List<PeerId> candidates)
    {
        if (_attempts.Count <= candidates.Count)
            return;
        var dialled = candidates.ToHashSet();
        foreach (var peer in _attempts.Keys)
        {
            // Removing while enumerating is permitted.
            if (!dialled.Contains(peer) && !_dialling.ContainsKey(peer) && !_network.Host.IsConnected(peer))
                _attempts.Remove(peer);
        }
    }

    private List<PeerId> Candidates()
    {
        var host = _network.Host;
        var enough = host.ConnectedPeers.Count >= _settings.Cluster.ConnectionManager.LowWater;
        var candidates = _known.InOrder().Concat(_known.Forgotten());
        if (!enough)
            candidates = candidates.Concat(_members());
        return [.. candidates.Where(p => p != host.Id && !host.IsConnected(p) && (!enough || _known.IsConfigured(p))).Distinct()];
    }

    private async Task DialAsync(PeerId peer)
    {
        try
        {
            var addresses = _known.AddressesOf(peer);
            if (addresses.Count == 0)
                addresses = await LookUpAsync(peer);
            await _network.Host.DialAsync(peer, addresses, _stopping.Token);
            Reached?.Invoke(peer);
        }
        catch (DialException e)
        {
            Failed(peer, e.Failure, DialTexts.Of(e));
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException && _stopping.IsCancellationRequested)
        {
            // The peer stops.
        }
        catch (Exception e)
        {
            // Whatever it was: without a pause it would be tried again at once, for ever.
            Failed(peer, DialFailure.Other, e.Message);
        }
        finally
        {
            lock (_lock)
            {
                _dialling.Remove(peer);
                _changed.TrySetResult();
            }
        }
    }

    private async Task<IReadOnlyList<Multiaddr>> LookUpAsync(PeerId peer)
    {
        using var limit = new CancellationTokenSource(LookupPatience, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stopping.Token);
        try
        {
            return await _network.Dht.FindPeerAsync(peer, both.Token);
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            return [];
        }
    }

    private void Failed(PeerId peer, DialFailure failure, string text)
    {
        bool news;
        lock (_lock)
        {
            var attempt = AttemptOf(peer);
            news = attempt.LastFailure != failure;
            attempt.LastFailure = failure;
            var pause = FirstPause * Math.Pow(2, Math.Min(attempt.Failures++, 10));
            attempt.Next = _time.GetUtcNow() + ((pause < LongestPause ? pause : LongestPause) * (0.75 + (_network.Host.Options.Random.NextDouble() / 2)));
        }

        // A peer that is down is told of once, and what needs a hand louder than what heals by itself.
        if (news && DialTexts.IsMisconfiguration(failure))
            PeeringLog.CannotConnect(_logger, peer, text);
        else if (news && _known.IsConfigured(peer))
            PeeringLog.NotReached(_logger, peer, text);
        else
            PeeringLog.DialFailed(_logger, text);
    }

    private Attempt AttemptOf(PeerId peer)
    {
        if (!_attempts.TryGetValue(peer, out var attempt))
            _attempts.Add(peer, attempt = new Attempt());
        return attempt;
    }

    private sealed class Attempt
    {
        public DateTimeOffset Next { get; set; } = DateTimeOffset.MinValue;

        public int Failures { get; set; }

        public DialFailure? LastFailure { get; set; }

        public bool Lost { get; set; }

        public void Succeeded() => (Failures, LastFailure, Lost) = (0, null, false);
    }
}
