using Cluster.Consensus.CrdtReplication;
using Cluster.Consensus.Metrics;
using Cluster.Consensus.Peering;
using Cluster.Consensus.Tests.CrdtReplication;
using Cluster.CrdtState;
using Cluster.Model.Configuration;
using Cluster.PinState;
using Cluster.Storage;
using Crdt;
using Ipld;
using Libp2p;

namespace Cluster.Consensus.Tests.Peering;

/// <summary>A replicated set on a real database and a real loopback port; it counts what it asks of others.</summary>
internal sealed class LinkedPeer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>It names an address at which nobody is, so that connections are those that the test makes.</summary>
    public static readonly ClusterSection Hidden = NetworkPeer.Section() with { AnnounceAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/1")] };

    private readonly string _folder = Directory.CreateTempSubdirectory("linked-peer-test-").FullName;
    private readonly Database _database;

    /// <param name="pins">Pins that it begins with, one a node.</param>
    /// <param name="clock">Of the network; the system's if none is given.</param>
    /// <param name="settings">Everybody is trusted if none are given.</param>
    public LinkedPeer(int pins = 0, TimeProvider? clock = null, CrdtSettings? settings = null)
    {
        _database = Database.Open(_folder, new DatabaseOptions { Format = PinStore.Format });
        State = PinStore.Open(_database);
        if (pins > 0)
            Chain.Write(State, 0, pins);
        Network = new ClusterNetwork(NetworkPeer.SettingsFor(Hidden), clock ?? TimeProvider.System, Log);
        Asked = new AskedOf(Network);
        Consensus = new CrdtConsensus(
            Network.Host.Id, State, settings ?? new CrdtSettings(), new MetricSnapshot(TimeProvider.System), TimeProvider.System, new Random(1), Log.CreateLogger("crdt"));
        Network.Attach(Consensus);
    }

    public LineCollector Log { get; } = new();

    public PinStore State { get; }

    public ClusterNetwork Network { get; }

    public CrdtConsensus Consensus { get; }

    /// <summary>What it asked of others.</summary>
    public AskedOf Asked { get; }

    public PeerId Id => Network.Host.Id;

    public IReadOnlyDictionary<BlockId, ulong> Heads => MerkleCrdt.Open(new CrdtReader(State)).Heads;

    public async Task<LinkedPeer> StartAsync()
    {
        Consensus.Start(Asked);
        await Network.StartAsync(CancellationToken.None);
        return this;
    }

    public Task<PeerConnection> DialAsync(LinkedPeer other) => Network.Host.DialAsync(other.Network.Host.ListenAddresses[0].WithPeer(other.Id));

    public Task PinAsync(int number) =>
        Consensus.CommitAsync([Replication.StateOperation.Put(CrdtPeer.Pin(number))], CancellationToken.None).AsTask();

    /// <summary>Waits until something holds; looks again whenever the pinset changes.</summary>
    public async Task UntilAsync(Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!holds())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.WhenAny(State.WaitForChangeAsync(State.Totals.Sequence, patience.Token), Task.Delay(20, patience.Token));
        }
    }

    /// <summary>Waits until this peer has all that another has, then compares them byte for byte.</summary>
    public async Task CatchUpAsync(LinkedPeer other)
    {
        await UntilAsync(() => MerkleCrdt.Open(new CrdtReader(State)) is { Missing.Count: 0 } core && core.Heads.SequenceEqual(other.Heads));
        Assert.Equal(CrdtPeer.Export(other.State), CrdtPeer.Export(State));
    }

    public async ValueTask DisposeAsync()
    {
        await Consensus.DisposeAsync();
        await Network.DisposeAsync();
        _database.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The network, with a count of what is asked of it.</summary>
    internal sealed class AskedOf(ClusterNetwork network) : ICrdtNetwork
    {
        private int _fetches;
        private int _streams;
        private int _told;
        private int _waitsFor;

        /// <summary>Blocks that were asked for one by one.</summary>
        public int Fetches => Volatile.Read(ref _fetches);

        /// <summary>Times that a peer was asked for ancestors.</summary>
        public int Streams => Volatile.Read(ref _streams);

        /// <summary>Blocks that came as ancestors.</summary>
        public int Told => Volatile.Read(ref _told);

        /// <summary>The number of the ancestor that it waited for last.</summary>
        public int WaitsFor => Volatile.Read(ref _waitsFor);

        public void Announce(ReadOnlyMemory<byte> message) => network.Announce(message);

        public void Stored(IReadOnlyCollection<BlockId> blocks) => network.Stored(blocks);

        public Task<ReadOnlyMemory<byte>> FetchAsync(Cid block, PeerId? announcedBy, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _fetches);
            return network.FetchAsync(block, announcedBy, cancellationToken);
        }

        public IAncestorReader? ReadAncestors(IReadOnlyCollection<BlockId> blocks, PeerId? announcedBy)
        {
            if (network.ReadAncestors(blocks, announcedBy) is not { } reader)
                return null;
            Interlocked.Increment(ref _streams);
            return new Reader(this, reader);
        }

        private sealed class Reader(AskedOf asked, IAncestorReader inner) : IAncestorReader
        {
            public PeerId Peer => inner.Peer;

            public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancellationToken)
            {
                var coming = inner.NextAsync(cancellationToken);
                if (!coming.IsCompleted)
                    Volatile.Write(ref asked._waitsFor, asked._told + 1);
                var block = await coming;
                if (block is not null)
                    Interlocked.Increment(ref asked._told);
                return block;
            }

            public void Avoid() => inner.Avoid();

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }
}
