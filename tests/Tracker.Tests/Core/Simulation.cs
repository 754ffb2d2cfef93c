using Cluster.Tracker.Core;
using Ipld;

namespace Cluster.Tracker.Tests.Core;

/// <summary>
/// A pinset that changes, a daemon that fails, loses pins and goes away, a connector and a tracker that die, all from one seed and in
/// virtual time. <see cref="Run"/> checks the invariants after every event, then lets the world heal and checks where it ends.
/// </summary>
internal sealed class Simulation
{
    private const int Cids = 40;

    private readonly Random _random;
    private readonly Bench _bench;
    private readonly Dictionary<int, (bool Here, int Depth, PinKind Kind)> _pinset = [];
    private readonly Dictionary<Cid, DaemonPinKind> _daemon = [];
    private readonly Dictionary<ulong, DateTimeOffset> _ends = [];
    private readonly Dictionary<Cid, int> _numbers = Enumerable.Range(0, Cids).ToDictionary(Bench.CidOf);
    private (DateTimeOffset AsOf, Dictionary<Cid, DaemonPinKind> Pins)? _listed;
    private bool _daemonUp = true;
    private bool _connected = true;
    private double _failureRate = 0.2;

    public Simulation(int seed)
    {
        _random = new Random(seed);
        _bench = new Bench(new TrackerSettings
        {
            ConcurrentPins = 1 + _random.Next(4),
            PriorityPinMaxRetries = 1 + _random.Next(3),
            MaxPinQueueSize = _random.Next(2) == 0 ? 6 : 1000,
            QueuedPerSnapshot = _random.Next(2) == 0 ? 3 : 1000,
        });
    }

    public void Run(int events)
    {
        for (var i = 0; i < events; i++)
        {
            Step();
            Check();
        }

        Heal();
    }

    private void Step()
    {
        switch (_random.Next(100))
        {
            case < 30:
                Change();
                break;
            case < 33:
                _bench.Recover(_random.Next(Cids));
                break;
            case < 36 when _daemon.Count > 0:
                _daemon.Remove(_daemon.Keys.ElementAt(_random.Next(_daemon.Count)));
                break;
            case < 39:
                CompareWithDaemon(recover: _random.Next(2) == 0);
                break;
            case < 41 when _listed is { } listed:
                // What came to pass since it was listed must count more than the list.
                Observe(listed.Pins, listed.AsOf, recover: _random.Next(2) == 0);
                _listed = null;
                break;
            case < 41:
                _listed = (_bench.Now, new Dictionary<Cid, DaemonPinKind>(_daemon));
                break;
            case < 44:
                _daemonUp = !_daemonUp;
                if (_daemonUp)
                    _bench.Tracker.MakeDue(PinState.PinError, null, 1000, _bench.Now);
                break;
            case < 47:
                ToggleConnector();
                break;
            case < 48:
                DropRequests();
                _ends.Clear();
                _bench.Restart();
                _connected = true;
                break;
            case < 49:
                Snapshot();
                break;
            default:
                Advance(TimeSpan.FromMilliseconds(_random.Next(1, 2000)));
                break;
        }

        Schedule();
    }

    private void Change()
    {
        var number = _random.Next(Cids);
        if (_pinset.TryGetValue(number, out var present) && _random.Next(2) == 0)
        {
            _pinset.Remove(number);
            _bench.Untrack(number);
            return;
        }

        var kind = present.Kind != 0 ? present.Kind : _random.Next(10) == 0 ? PinKind.Meta : PinKind.Data;
        // A recursive pin cannot become direct (3.1), the other way round it can.
        var depth = present is { Here: true, Depth: -1 } || _random.Next(3) > 0 ? -1 : 0;
        _pinset[number] = (_random.Next(4) > 0, depth, kind);
        Track(number);
    }

    private void Track(int number)
    {
        var (here, depth, kind) = _pinset[number];
        _bench.Track(number, here, depth, kind, _bench.Now - (_random.Next(4) == 0 ? TimeSpan.FromDays(2) : TimeSpan.Zero));
    }

    private void Snapshot()
    {
        _bench.Tracker.BeginSnapshot();
        foreach (var number in _pinset.Keys.OrderBy(Bench.CidOf))
            Track(number);
        for (var at = _bench.Tracker.Sweep(null, 7, _bench.Now); at is not null;)
            at = _bench.Tracker.Sweep(at, 7, _bench.Now);
        _bench.Take();
    }

    private void ToggleConnector()
    {
        _connected = !_connected;
        if (_connected)
        {
            _bench.Connect();
            return;
        }

        DropRequests();
        _bench.Disconnect();
        _ends.Clear();
    }

    /// <summary>What was under way may or may not have come about.</summary>
    private void DropRequests()
    {
        foreach (var action in _bench.Requests.Values)
        {
            if (_random.Next(2) == 0)
                TakeEffect(action);
        }
    }

    private void CompareWithDaemon(bool recover) => Observe(_daemon, _bench.Now, recover);

    private void Observe(Dictionary<Cid, DaemonPinKind> pins, DateTimeOffset asOf, bool recover)
    {
        foreach (var row in _bench.Index.Rows.Where(r => r.IsSettledHere || r.State == PinState.PinQueued).ToArray())
        {
            _bench.Tracker.Observe(row.Cid, pins.GetValueOrDefault(row.Cid), asOf, _bench.Now);
            if (recover && _bench.State(_numbers[row.Cid]) == PinState.UnexpectedlyUnpinned)
                _bench.Recover(_numbers[row.Cid]);
        }
    }

    /// <summary>Gives new requests an end, and has cancelled ones end soon.</summary>
    private void Schedule()
    {
        foreach (var id in _bench.Requests.Keys)
        {
            if (!_ends.ContainsKey(id))
                _ends[id] = _bench.Now + TimeSpan.FromMilliseconds(_random.Next(1, 1500));
            if (_bench.Cancelled.Contains(id))
                _ends[id] = Min(_ends[id], _bench.Now + TimeSpan.FromMilliseconds(_random.Next(1, 900)));
        }
    }

    private void Advance(TimeSpan time)
    {
        var until = _bench.Now + time;
        while (true)
        {
            Schedule();
            var (id, end) = _ends.OrderBy(e => e.Value).FirstOrDefault();
            if (id == 0 || end > until)
                break;
            _ends.Remove(id);
            if (end > _bench.Now)
                _bench.Tick(end - _bench.Now);
            if (_bench.Requests.ContainsKey(id))
                Finish(id);
            Check();
        }

        _bench.Tick(until - _bench.Now);
    }

    private void Finish(ulong id)
    {
        var action = _bench.Requests[id];
        if (_bench.Cancelled.Contains(id))
        {
            if (_random.Next(2) == 0)
                TakeEffect(action);
            if (_random.Next(2) == 0)
                _bench.Complete(id);
            else
                _bench.Fail(id, "cancelled", FailureKind.Returned);
        }
        else if (!_daemonUp)
        {
            _bench.Fail(id, "connection refused", FailureKind.DaemonAway);
        }
        else if (_random.NextDouble() < _failureRate)
        {
            _bench.Fail(id, "no", _random.Next(3) == 0 ? FailureKind.Returned : FailureKind.Refused);
        }
        else if (action is StartPin { Pin.MaxDepth: 0 } direct && _daemon.GetValueOrDefault(direct.Pin.Cid) == DaemonPinKind.Recursive)
        {
            _bench.Fail(id, "already pinned recursively");
        }
        else
        {
            TakeEffect(action);
            _bench.Complete(id);
        }
    }

    private void TakeEffect(TrackerAction action)
    {
        if (action is not StartPin pin)
            _daemon.Remove(Bench.CidOf(action));
        else if (_daemon.GetValueOrDefault(pin.Pin.Cid) != DaemonPinKind.Recursive)
            _daemon[pin.Pin.Cid] = pin.Pin.MaxDepth == 0 ? DaemonPinKind.Direct : DaemonPinKind.Recursive;
    }

    private void Check()
    {
        var limit = _bench.Settings.ConcurrentPins;
        var counts = _bench.Tracker.Counts;
        Assert.InRange(counts.Pinning, 0, limit);
        Assert.InRange(counts.Unpinning, 0, limit);
        Assert.InRange(counts.Releasing, 0, limit);
        Assert.Equal(_bench.Requests.Count, counts.Pinning + counts.Unpinning + counts.Releasing);
        Assert.True(counts is { PriorityQueued: >= 0, NormalQueued: >= 0, UnpinQueued: >= 0 });
        // One request at most for a CID: a pin and an unpin of the same must not race in the daemon.
        Assert.Equal(_bench.Requests.Count, _bench.Requests.Values.Select(Bench.CidOf).Distinct().Count());
        if (_connected && counts.Pinning < limit)
            Assert.Equal(0, counts.PriorityQueued + counts.NormalQueued);
        foreach (var row in _bench.Index.Rows)
        {
            if (row.InPinset)
                Assert.True(_pinset.ContainsKey(_numbers[row.Cid]));
            if (row.State is PinState.PinError or PinState.UnpinError)
                Assert.NotNull(row.RetryAt);
        }

        foreach (var number in _pinset.Keys)
            Assert.NotEqual(PinState.Unpinned, _bench.State(number));
    }

    private void Heal()
    {
        _failureRate = 0;
        _daemonUp = true;
        if (!_connected)
            ToggleConnector();
        // A recursive pin that was there before its direct successor: the daemon refuses, rightly, for ever.
        foreach (var (cid, kind) in _daemon.ToArray())
        {
            if (kind == DaemonPinKind.Recursive && _pinset.TryGetValue(_numbers[cid], out var pin) && pin is { Here: true, Depth: 0 })
                _daemon.Remove(cid);
        }

        // With a queue of six, 40 pins need some rounds.
        for (var i = 0; i < 9; i++)
        {
            CompareWithDaemon(recover: true);
            Advance(_bench.Settings.PinRecoverInterval + TimeSpan.FromSeconds(60));
        }

        Assert.Empty(_bench.Requests);
        Assert.Equal(default, _bench.Tracker.Counts);
        for (var number = 0; number < Cids; number++)
        {
            var inDaemon = _daemon.GetValueOrDefault(Bench.CidOf(number));
            if (!_pinset.TryGetValue(number, out var pin))
            {
                Assert.Equal(PinState.Unpinned, _bench.State(number));
                Assert.Equal(DaemonPinKind.Unpinned, inDaemon);
            }
            else if (pin.Kind == PinKind.Meta)
            {
                Assert.Equal(PinState.Sharded, _bench.State(number));
            }
            else if (!pin.Here)
            {
                Assert.Equal(PinState.Remote, _bench.State(number));
                Assert.Equal(DaemonPinKind.Unpinned, inDaemon);
            }
            else
            {
                Assert.Equal(PinState.Pinned, _bench.State(number));
                Assert.Equal(pin.Depth == 0 ? DaemonPinKind.Direct : DaemonPinKind.Recursive, inDaemon);
            }
        }

        Assert.Null(_bench.Tracker.NextWake);
    }

    private static DateTimeOffset Min(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;
}

public class SimulationTests
{
    [Fact]
    public void Nothing_is_lost_and_everything_ends_as_the_pinset_wants_it()
    {
        for (var seed = 0; seed < 150; seed++)
            RunSeed(seed, 300);
    }

    [Fact]
    [Trait("Category", "Long")]
    public void Nothing_is_lost_in_a_long_life()
    {
        for (var seed = 1000; seed < 3000; seed++)
            RunSeed(seed, 1500);
    }

    private static void RunSeed(int seed, int events)
    {
        try
        {
            new Simulation(seed).Run(events);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
        }
    }
}
