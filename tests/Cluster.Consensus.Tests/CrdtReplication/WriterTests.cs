using Cluster.Consensus.CrdtReplication;
using Cluster.Consensus.Replication;
using Cluster.CrdtState;
using Cluster.Model;
using Cluster.PinState;
using Cluster.Storage;
using Crdt;

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

    private CrdtReader Unreadable()
    {
        var database = Open("other");
        var store = PinStore.Open(database);
        database.Dispose();
        return new CrdtReader(store);
    }

    private Database Open(string name) => Database.Open(Path.Combine(_folder, name), new DatabaseOptions { Format = PinStore.Format });
}
