using Cluster.Allocation;
using Cluster.Model;
using Cluster.Monitor.Core;
using Crdt;
using Ipld;
using Libp2p;

namespace Simulation.Tests;

/// <summary>
/// One peer: the real cores of the replicated set, the failure detector, the allocator and the choice of the responsible peer, put
/// together as the services do it, over a simulated disk and network.
/// </summary>
internal sealed partial class SimPeer
{
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RebroadcastInterval = TimeSpan.FromMinutes(1);

    private readonly World _world;
    private readonly List<Input> _inbox = [];
    private MerkleCrdt _core = null!;
    private MetricStore _metrics = new();
    private FailureDetector _detector = new(new MetricStore());
    private Dictionary<string, Pin> _pins = [];
    private Action? _duringNextWrite;
    private bool _busy;
    private int _life;

    public SimPeer(World world, int number)
    {
        _world = world;
        Number = number;
        Id = PeerId.FromBytes([0, 36, 8, 1, 0x12, 32, .. new byte[28], .. BitConverter.GetBytes(number + (world.Seed * 16))]);
    }

    public int Number { get; }

    public PeerId Id { get; }

    public SimDisk Disk { get; } = new();

    public bool IsUp { get; private set; }

    /// <summary>Never comes back.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Peers of the same part hear each other.</summary>
    public int Part { get; set; }

    /// <summary>Nodes whose operations were answered here.</summary>
    public HashSet<BlockId> Acknowledged { get; } = [];

    public IReadOnlyDictionary<BlockId, ulong> Heads => _core.Heads;

    public IReadOnlyCollection<BlockId> Missing => _core.Missing;

    public IReadOnlyDictionary<string, Pin> Pins => _pins;

    /// <summary>Whether nothing waits or is being written.</summary>
    public bool IsIdle => !_busy && _inbox.Count == 0;

    private GoTime Clock => GoTime.FromUnix(1_700_000_000 + (long)_world.Now.TotalSeconds, _world.Now.Ticks % TimeSpan.TicksPerSecond * 100);

    public static string KeyOf(int cid) => CidOf(cid).ToDatastoreKey();

    public static Cid CidOf(int number) => Cid.FromBytes([1, 0x55, 0, 4, .. BitConverter.GetBytes(number)]);

    /// <summary>Whether this peer would notice that another one is away: it heard of it since it started.</summary>
    public bool Remembers(PeerId peer) => _metrics.Newest("ping", peer) is not null;

    /// <summary>Starts, or starts again after a crash.</summary>
    public void Start()
    {
        IsUp = true;
        _busy = false;
        _duringNextWrite = null;
        _life++;
        _inbox.Clear();
        _fetches.Clear();
        _metrics = new MetricStore();
        _detector = new FailureDetector(_metrics);
        Open();
        foreach (var node in Acknowledged)
            _world.Require(MerkleCrdt.IsMerged(Disk.Seen, node), () => $"peer {Number} acknowledged node {node} and lost it");
        _world.Trace($"peer {Number} starts with {_pins.Count} pins, {_core.Heads.Count} heads, {_core.Missing.Count} missing");
        Enqueue(new Input.Repair());
        Later(_world.Between(0, 15), Ping);
        Later(_world.Between(0, 15), Check);
        Later(NextRebroadcast(), Rebroadcast);
        ExchangeHeads();
    }

    /// <summary>Ends without a word; what was not synced may be lost.</summary>
    public void Crash(bool forGood = false)
    {
        _world.Trace($"peer {Number} crashes{(forGood ? " for good" : "")}");
        IsUp = false;
        IsDead |= forGood;
        _life++;
        _world.Count("crashes");
        _world.Count("unsynced writes lost", Disk.Crash(_world.Random));
        foreach (var node in Acknowledged)
            _world.Require(MerkleCrdt.IsMerged(Disk.Durable, node), () => $"peer {Number} acknowledged node {node} and lost it");
        Open();
    }

    /// <summary>Has something happen while the disk is at the next write: before it is synced, after it was begun.</summary>
    public void DuringNextWrite(Action? action) => _duringNextWrite = action;

    /// <summary>Tells all others its heads and asks for theirs, as peers do that come to know each other.</summary>
    public void ExchangeHeads()
    {
        var own = Announced();
        _world.Broadcast(this, to =>
        {
            to.Enqueue(new Input.Heads(Number, own));
            var theirs = to.Announced();
            _world.Send(to, this, back => back.Enqueue(new Input.Heads(to.Number, theirs)));
        });
    }

    /// <summary>A user pins.</summary>
    public void Pin(int cid, ReplicationFactors factors, string name)
    {
        var existing = _pins.GetValueOrDefault(KeyOf(cid));
        if (Allocate(factors, existing, []) is { } allocations)
            Enqueue(new Input.Put(KeyOf(cid), NewPin(cid, factors, allocations, name)));
    }

    /// <summary>A user unpins.</summary>
    public void Unpin(int cid)
    {
        if (_pins.ContainsKey(KeyOf(cid)))
            Enqueue(new Input.Remove(KeyOf(cid)));
    }

    /// <summary>What is announced to a peer that asks.</summary>
    private byte[] Announced() => HeadsMessage.Encode(_core.Announceable);

    private void Later(TimeSpan delay, Action action)
    {
        var life = _life;
        _world.After(delay, () =>
        {
            if (IsUp && _life == life)
                action();
        });
    }

    private TimeSpan NextRebroadcast() => RebroadcastInterval * (0.7 + (0.6 * _world.Random.NextDouble()));

    private void Rebroadcast()
    {
        Enqueue(new Input.Rebroadcast());
        Later(NextRebroadcast(), Rebroadcast);
    }

    private void Open()
    {
        _core = MerkleCrdt.Open(Disk.Seen);
        _pins = MerkleCrdt.All(Disk.Seen).ToDictionary(entry => entry.Key, entry => PinProtobuf.Parse(entry.Value));
    }
}
