using Cluster.CrdtState;
using Cluster.Model;
using Crdt;

namespace Cluster.Consensus.Tests.CrdtReplication;

/// <summary>What trusted peers may announce by mistake, or with a newer version, must neither stop nor split the replicas.</summary>
public sealed class ForeignBlockTests : IAsyncLifetime
{
    private readonly MemoryNetwork _network = new();
    private readonly ServedBlocks _foreign = new();
    private readonly LogLines _log = new();
    private CrdtPeer _peer = null!;

    public Task InitializeAsync()
    {
        _network.Join(Peer.Id(9), _foreign);
        _peer = new CrdtPeer(1, _network, logger: _log);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _peer.DisposeAsync();

    [Fact]
    public async Task Entries_that_are_no_pins_are_passed_over_and_logged()
    {
        var good = CrdtPeer.Pin(1, "good");
        var head = Announce([], 1,
            new DeltaElement("/not/a/cid", PinProtobuf.ToBytes(good)),
            new DeltaElement("/AEBAGBAF!", PinProtobuf.ToBytes(good)),
            new DeltaElement(PinKey.Of(Peer.Cid(2)), "\u0001\u0002nonsense"u8.ToArray()),
            new DeltaElement(PinKey.Of(good.Cid), PinProtobuf.ToBytes(good)));
        await _peer.UntilAsync(() => _peer.Heads.ContainsKey(head));
        Assert.Equal(1UL, _peer.State.Totals.Count);
        Assert.Equal(3, _log.Lines.Count(line => line.Contains("is no pin and is passed over", StringComparison.Ordinal)));
        Assert.Equal(_peer.ExportOfTheSet(), _peer.Export());
    }

    [Fact]
    public async Task A_pin_whose_newer_value_cannot_be_read_goes_and_returns_with_the_next_readable_one()
    {
        await _peer.PinAsync(1, "readable");
        var bad = Announce([.. _peer.Heads.Keys], 2, new DeltaElement(PinKey.Of(Peer.Cid(1)), "\u0001"u8.ToArray()));
        await _peer.UntilAsync(() => _peer.Heads.ContainsKey(bad));
        Assert.False(_peer.State.Contains(Peer.Cid(1))); // whoever joins later sees it so, too
        await _peer.PinAsync(1, "again");
        Assert.Equal("again", _peer.State.Find(Peer.Cid(1))!.Options.Name);
    }

    [Fact]
    public async Task The_CID_of_the_key_wins_over_that_of_the_value()
    {
        var head = Announce([], 1, new DeltaElement(PinKey.Of(Peer.Cid(5)), PinProtobuf.ToBytes(CrdtPeer.Pin(6, "moved"))));
        await _peer.UntilAsync(() => _peer.Heads.ContainsKey(head));
        Assert.Equal("moved", _peer.State.Find(Peer.Cid(5))!.Options.Name);
        Assert.False(_peer.State.Contains(Peer.Cid(6)));
    }

    [Fact]
    public async Task Bytes_that_are_no_node_are_left_alone_and_writes_go_on()
    {
        var junk = _foreign.Add("this is no dag-pb"u8.ToArray());
        var head = Announce([junk], 2, new DeltaElement(PinKey.Of(Peer.Cid(1)), PinProtobuf.ToBytes(CrdtPeer.Pin(1))));
        await _peer.UntilAsync(() => _log.Lines.Any(line => line.Contains("could not be merged", StringComparison.Ordinal)));
        await _peer.UntilAsync(() => _peer.State.Contains(Peer.Cid(1)));
        await _peer.PinAsync(2);
        Assert.Equal(_peer.ExportOfTheSet(), _peer.Export());
        Assert.False(MerkleCrdt.IsMerged(_peer.Set, junk));
        Assert.True(MerkleCrdt.IsMerged(_peer.Set, head));
    }

    [Fact]
    public async Task Announcements_that_cannot_be_read_are_logged_and_nothing_else()
    {
        _peer.Consensus.HeadsAnnounced(Peer.Id(9), new byte[] { 0x0a, 0xff });
        await _peer.UntilAsync(() => _log.Lines.Any(line => line.Contains("could not be read", StringComparison.Ordinal)));
        await _peer.PinAsync(1);
    }

    [Fact]
    public async Task A_flood_of_announcements_does_not_stop_own_writes()
    {
        for (var i = 1; i <= 5000; i++)
        {
            // Names of blocks that nobody serves, as fast as they come.
            _peer.Consensus.HeadsAnnounced(Peer.Id(9), HeadsMessage.Encode([BlockId.Of(BitConverter.GetBytes(i))]));
        }

        // The peer's own work goes on; blocks of others wait behind those that are asked for in vain.
        await _peer.PinAsync(2);
        Assert.True(_peer.State.Contains(Peer.Cid(2)));
    }

    private BlockId Announce(BlockId[] links, ulong priority, params DeltaElement[] elements)
    {
        var id = _foreign.Add(new DagNode { Links = links, Delta = new Delta { Elements = elements, Priority = priority } }.Encode());
        _network.Change();
        _peer.Consensus.HeadsAnnounced(Peer.Id(9), HeadsMessage.Encode([id]));
        return id;
    }
}
