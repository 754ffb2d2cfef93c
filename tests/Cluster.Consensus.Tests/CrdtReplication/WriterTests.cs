using System.Threading.Channels;
using Cluster.Consensus.CrdtReplication;
using Cluster.Consensus.Replication;
using Cluster.CrdtState;
using Cluster.Model;
using Cluster.PinState;
using Cluster.Storage;
using Crdt;
using Ipld;
using Libp2p;

namespace Cluster.Consensus.Tests.CrdtReplication;

public sealed class WriterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("crdt-writer-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_is_durable_is_answered_so_also_when_the_blocks_that_are_missing_cannot_be_asked_for()
    {
        using var database = Open("state");
        var store = PinStore.Open(database);
        var log = new LogLines();
        var inbox = new CrdtInbox(static () => { });
        var writer = new CrdtWriter(store, inbox, log);
        var network = new MemoryNetwork().Of(Peer.Id(1));
        await using var fetcher = new BlockFetcher(network, Unreadable(), TimeProvider.System, log, static _ => { });
        writer.Connect(new CrdtLinks(network, fetcher));
        inbox.Add(new CrdtInput.Announcement(Peer.Id(2), HeadsMessage.Encode([BlockId.Of("missing"u8)])));

        var pin = CrdtPeer.Pin(1);
        writer.Write([new CommitRequest([StateOperation.Put(pin)], [PinProtobuf.ToBytes(pin)], 0)]);

        Assert.True(store.Contains(pin.Cid));
        Assert.Contains(log.Lines, line => line.StartsWith("missing blocks could not be asked for: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_came_with_a_block_that_cannot_be_merged_has_its_turn_also_while_others_write_without_a_pause()
    {
        using var database = Open("state");
        var store = PinStore.Open(database);
        var log = new LogLines();
        var inbox = new CrdtInbox(static () => { });
        var writer = new CrdtWriter(store, inbox, log);
        var network = new Asked();
        await using var fetcher = new BlockFetcher(network, new CrdtReader(store), new ManualClock(), log, static _ => { });
        writer.Connect(new CrdtLinks(network, fetcher));
        var (bad, good) = (BlockId.Of("bad"u8), BlockId.Of("good"u8));
        inbox.Add(new CrdtInput.Announcement(Peer.Id(2), HeadsMessage.Encode([bad])));
        writer.Write([]);
        Assert.Equal(bad.ToCid(), await network.NextAsync());

        // A node, but another one than that of this name: no fetcher lets it through, so it fails the write that it is a part of.
        inbox.Add(new CrdtInput.Arrived(bad, new DagNode { Links = [], Delta = new Delta { Priority = 1 } }.Encode(), null));
        inbox.Add(new CrdtInput.Announcement(Peer.Id(2), HeadsMessage.Encode([good])));
        for (var i = 0; i < 4; i++)
        {
            var pin = CrdtPeer.Pin(i);
            writer.Write([new CommitRequest([StateOperation.Put(pin)], [PinProtobuf.ToBytes(pin)], 0)]);
            Assert.True(store.Contains(pin.Cid));
        }

        Assert.Equal(good.ToCid(), await network.NextAsync());
        Assert.Single(log.Lines, line => line.StartsWith("the set could not be written: ", StringComparison.Ordinal));
    }

    /// <summary>Tells what it is asked for, and has nothing.</summary>
    private sealed class Asked : ICrdtNetwork
    {
        private readonly Channel<Cid> _asked = Channel.CreateUnbounded<Cid>();

        public Task<Cid> NextAsync() => _asked.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));

        public void Announce(ReadOnlyMemory<byte> message)
        {
        }

        public IAncestorReader? ReadAncestors(IReadOnlyCollection<BlockId> blocks, PeerId? announcedBy) => null;

        public async Task<ReadOnlyMemory<byte>> FetchAsync(Cid block, PeerId? announcedBy, CancellationToken cancellationToken)
        {
            _asked.Writer.TryWrite(block);
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return default;
        }
    }

    private CrdtReader Unreadable()
    {
        var database = Open("other");
        var store = PinStore.Open(database);
        database.Dispose();
        return new CrdtReader(store);
    }

    private Database Open(string name) => Database.Open(Path.Combine(_folder, name), new DatabaseOptions { Format = PinStore.Format });
}
