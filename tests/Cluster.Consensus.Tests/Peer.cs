using Cluster.Consensus.Alerts;
using Cluster.Consensus.Clients;
using Cluster.Consensus.Lifecycle;
using Cluster.Consensus.Members;
using Cluster.Consensus.Metrics;
using Cluster.Consensus.Pinning;
using Cluster.Consensus.Replication;
using Cluster.Consensus.Services;
using Cluster.Consensus.Status;
using Cluster.Model;
using Cluster.PinState;
using Cluster.Storage;
using Ipld;
using Libp2p;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cluster.Consensus.Tests;

/// <summary>The core of a peer on a real database in a folder of its own; clock, tracker and daemon are the test's.</summary>
internal sealed class Peer : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("consensus-test-").FullName;

    public Peer(ClusterSettings? settings = null, IConsensus? other = null, PeerId? id = null, IRemotePeers? remote = null, Func<IConsensus, IConsensus>? wrap = null)
    {
        var self = id ?? Self;
        Remote = remote ?? new NoRemotePeers();
        Settings = settings ?? new ClusterSettings { PeerName = "peer1", AllocateBy = ["freespace"] };
        Database = Database.Open(Path.Combine(_folder, "state"), new DatabaseOptions { Format = PinStore.Format });
        State = PinStore.Open(Database);
        Consensus = other ?? new SinglePeerConsensus(self, State);
        if (wrap is not null)
            Consensus = wrap(Consensus);
        var logger = NullLogger.Instance;
        Metrics = new MetricSnapshot(Clock);
        var allocator = new MetricAllocator(Metrics, Consensus, Settings, Clock, new Random(1), logger);
        Planner = new PinPlanner(State, allocator, Settings, Clock, logger);
        Unpins = new UnpinPlanner(State, Daemon, Planner, logger);
        Operations = new PinOperations(Consensus, Planner, Unpins, Daemon);
        SelfPeer = new SelfPeer(self, Settings.PeerName, () => [Multiaddr.Parse($"/ip4/127.0.0.1/tcp/9096/p2p/{self}")], Consensus, Remote, Daemon);
        var reports = new StatusReports(SelfPeer, Metrics, Clock);
        Status = new GlobalStatus(Consensus, Tracker, Remote, SelfPeer, reports, Settings);
        Listing = new StatusListing(Consensus, Tracker, Remote, SelfPeer, reports, Settings);
        Responsibility = new Responsibility(self, Consensus);
        Evacuation = new Evacuation(self, Consensus, Planner, Responsibility, Settings, logger);
        Membership = new Membership(Consensus, SelfPeer, Daemon, Remote, Metrics, Evacuation);
        Parts = new ClusterParts(Consensus, Operations, Planner, Unpins, Status, Listing, Membership, SelfPeer, Alerts, Readiness, Settings);
    }

    public static PeerId Self { get; } = Id(0);

    public ManualClock Clock { get; } = new();

    public FakeTracker Tracker { get; } = new();

    public FakeDaemon Daemon { get; } = new();

    public IRemotePeers Remote { get; }

    public AlertList Alerts { get; } = new();

    public Readiness Readiness { get; } = new();

    public ClusterSettings Settings { get; }

    public Database Database { get; }

    public PinStore State { get; }

    public IConsensus Consensus { get; }

    public MetricSnapshot Metrics { get; }

    public PinPlanner Planner { get; }

    public UnpinPlanner Unpins { get; }

    public PinOperations Operations { get; }

    public SelfPeer SelfPeer { get; }

    public GlobalStatus Status { get; }

    public StatusListing Listing { get; }

    public Responsibility Responsibility { get; }

    public Evacuation Evacuation { get; }

    public Membership Membership { get; }

    public ClusterParts Parts { get; }

    public static PeerId Id(int number) => PeerId.FromBytes([0, 36, 8, 1, 0x12, 32, .. new byte[28], .. BitConverter.GetBytes(number)]);

    public static Cid Cid(int number) => Ipld.Cid.FromBytes([1, 0x55, 0, 4, .. BitConverter.GetBytes(number)]);

    public static Pin Request(int number, PinOptions? options = null) => Pin.WithOptions(Cid(number), options ?? new PinOptions());

    public static PinOptions Factors(int minimum, int maximum) => new() { Replication = new ReplicationFactors(minimum, maximum) };

    public Task<Pin> PinAsync(Pin pin) => Operations.PinAsync(pin, CancellationToken.None).AsTask();

    public Task<Pin> UnpinAsync(int number) => Operations.UnpinAsync(Cid(number), CancellationToken.None).AsTask();

    /// <summary>Puts a pin into the state as it is, past all checks.</summary>
    public ValueTask<ulong> ForceAsync(params Pin[] pins) =>
        Consensus.CommitAsync([.. pins.Select(StateOperation.Put)], CancellationToken.None);

    /// <summary>Gives peers free space, the more the lower their number.</summary>
    public void HaveFreeSpace(params int[] peers)
    {
        var expire = GoTime.Now(Clock).UnixNanoseconds + 3_600_000_000_000;
        Metrics.Reset(peers.SelectMany(n => new[]
        {
            new Metric { Name = "freespace", Peer = Id(n), Value = $"{1000 - n}", Weight = 1000 - n, Valid = true, Expire = expire },
            new Metric { Name = "ping", Peer = Id(n), Value = $"{{\"peername\":\"p{n}\",\"ipfs_id\":\"ipfs{n}\"}}", Valid = true, Expire = expire },
        }));
    }

    public async ValueTask DisposeAsync()
    {
        await Consensus.DisposeAsync();
        Database.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
