using Cluster.Consensus.Rpc;
using Cluster.Model;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Values;
using Google.Protobuf;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>Every method between two hosts, in both directions.</summary>
public sealed class MethodTests : IAsyncLifetime
{
    private static readonly CancellationToken Limit = CancellationToken.None;

    private NetworkedPeer[] _peers = [];

    public static TheoryData<int, int> Directions => new() { { 0, 1 }, { 1, 0 } };

    public async Task InitializeAsync() => _peers = await NetworkedPeer.ClusterAsync(2);

    public async Task DisposeAsync()
    {
        foreach (var peer in _peers)
            await peer.DisposeAsync();
    }

    [Theory, MemberData(nameof(Directions))]
    public async Task A_peer_says_who_it_is(int from, int to)
    {
        _peers[to].Core.Daemon.Id = PrivateKey.GenerateEd25519().PeerId.ToString();
        var info = await _peers[from].Remote.IdAsync(_peers[to].Id, Limit);
        Assert.Equal(_peers[to].Id, PeerId.FromBytes(info.Id.Span));
        Assert.Equal(($"peer{to}", "1.1.6", "/ipfscluster/1.0/rpc"), (info.PeerName, info.Version, info.RpcProtocolVersion));
        Assert.Equal(_peers.Select(p => p.Id).Order(), info.ClusterPeers.Select(p => PeerId.FromBytes(p.Span)));
        Assert.Equal(_peers[to].Core.Daemon.Id, info.Ipfs.Id);
        Assert.Equal("/ip4/10.0.0.1/tcp/4001", Assert.Single(info.Ipfs.Addresses));
        Assert.EndsWith($"/p2p/{_peers[from].Id}", Assert.Single(info.ClusterPeersAddresses.Select(a => Multiaddr.FromBytes(a.Span).ToString())), StringComparison.Ordinal);

        var daemon = await _peers[from].Remote.DaemonOf(_peers[to].Id).IdAsync(Limit);
        Assert.Equal(_peers[to].Core.Daemon.Id, daemon.Id);
        Assert.Equal("1.1.6", await CallAsync(from, to, "Cluster", "Version", Empty, PeerCodec.ReadVersion));
    }

    [Theory, MemberData(nameof(Directions))]
    public async Task A_daemon_that_is_down_is_told_of(int from, int to)
    {
        _peers[to].Core.Daemon.Error = "connection refused";
        var info = await _peers[from].Remote.IdAsync(_peers[to].Id, Limit);
        Assert.Equal("connection refused", info.Ipfs.Error);
        var error = await Assert.ThrowsAsync<ClusterException>(() => _peers[from].Remote.DaemonOf(_peers[to].Id).RepoStatAsync(Limit).AsTask());
        Assert.Equal("connection refused", error.Message);
        error = await Assert.ThrowsAsync<ClusterException>(() => _peers[from].Remote.DaemonOf(_peers[to].Id).SwarmPeersAsync(Limit).AsTask());
        Assert.Equal("connection refused", error.Message);
    }

    [Theory, MemberData(nameof(Directions))]
    public async Task Who_takes_a_peer_in_asks_it_who_it_is_over_the_same_connection(int from, int to)
    {
        // The member knows no address of the joining peer: only the connection leads back.
        _peers[to].Host.Peerstore.ClearAddresses(_peers[from].Id);
        var info = await CallAsync(from, to, "Cluster", "PeerAdd", writer => writer.Peer(_peers[from].Id), PeerCodec.ReadPeer);
        Assert.Equal(_peers[from].Id, info.Id);
        Assert.Contains(_peers[to].Id, info.ClusterPeers!);
        Assert.Single(_peers[to].Host.ConnectionsTo(_peers[from].Id));
    }

    [Theory, MemberData(nameof(Directions))]
    public async Task Members_are_listed_as_the_asked_one_sees_them(int from, int to)
    {
        var gone = PrivateKey.GenerateEd25519().PeerId;
        _peers[to].Consensus.Members.Add(gone);
        var members = new Dictionary<PeerId, V1.PeerInfo>();
        await foreach (var info in _peers[from].Remote.MembersOfAsync(_peers[to].Id, Limit))
            members.Add(PeerId.FromBytes(info.Id.Span), info);
        Assert.Equal(3, members.Count);
        Assert.Equal("peer0", members[_peers[0].Id].PeerName);
        Assert.Equal("peer1", members[_peers[1].Id].PeerName);
        Assert.Equal("failed to find any peer in table", members[gone].Error);
    }

    [Theory, MemberData(nameof(Directions))]
    public async Task Status_and_recovery_of_a_cid_come_with_every_field(int from, int to)
    {
        var known = FakeTracker.Report(Peer.Cid(1), V1.TrackerStatus.PinError, "no such block");
        known.Name = "näme";
        known.Allocations.Add(ByteString.CopyFrom(_peers[to].Id.Bytes));
        known.Origins.Add(ByteString.CopyFrom(Multiaddr.Parse($"/ip4/10.0.0.9/tcp/1/p2p/{_peers[from].Id}").ToBytes()));
        known.Created = new V1.Time { Seconds = 1_700_000_000, Nanos = 5 };
        known.Metadata["k"] = "v";
        known.Metadata["leer"] = "";
        known.InPinset = true;
        known.AttemptCount = 300;
        known.PriorityPin = true;
        _peers[to].Core.Tracker.Known[Peer.Cid(1)] = known;
        await _peers[to].Core.ForceAsync(Peer.Request(1));

        var tracker = _peers[from].Remote.TrackerOf(_peers[to].Id);
        var expected = known.Clone();
        expected.Peer = ByteString.CopyFrom(_peers[to].Id.Bytes);
        expected.PeerName = $"peer{to}";
        Assert.Equal(expected, await tracker.StatusAsync(Peer.Cid(1), 77, Limit));
        Assert.Equal((Peer.Cid(1), 1UL), _peers[to].Core.Tracker.Asked.Last());

        expected.Status = V1.TrackerStatus.PinQueued;
        Assert.Equal(expected, await tracker.RecoverAsync(Peer.Cid(1), 0, Limit));

        var unknown = await tracker.StatusAsync(Peer.Cid(2), 0, Limit);
        Assert.Equal((V1.TrackerStatus.Unpinned, false), (unknown.Status, unknown.InPinset));
    }

    [Theory, MemberData(nameof(Directions))]
    public async Task Lists_of_statuses_pass_the_filter_and_every_row(int from, int to)
    {
        for (var i = 0; i < 2000; i++)
            _peers[to].Core.Tracker.Known[Peer.Cid(i)] = FakeTracker.Report(Peer.Cid(i), i % 2 == 0 ? V1.TrackerStatus.Pinned : V1.TrackerStatus.PinError);
        var tracker = _peers[from].Remote.TrackerOf(_peers[to].Id);
        var all = await ItemsAsync(tracker.StatusAllAsync(0, 0, Limit));
        Assert.Equal(Enumerable.Range(0, 2000).Select(Peer.Cid).Order(), all.Select(i => Cid.FromBytes(i.Cid.Span)));
        Assert.All(all, i => Assert.Equal($"peer{to}", i.PeerName));
        Assert.Equal(1000, (await ItemsAsync(tracker.StatusAllAsync((int)V1.TrackerStatus.PinError, 0, Limit))).Count);
        Assert.Equal(1000, (await ItemsAsync(tracker.RecoverAllAsync(0, Limit))).Count);

        _peers[to].Core.Tracker.Failure = new ClusterException(ClusterErrorKind.Internal, "could not get pinset from IPFS: away");
        var error = await Assert.ThrowsAsync<ClusterException>(() => ItemsAsync(tracker.StatusAllAsync(0, 0, Limit)));
        Assert.Equal("could not get pinset from IPFS: away", error.Message);
    }

    [Theory, MemberData(nameof(Directions))]
    public async Task A_single_local_recovery_answers_with_the_status(int from, int to)
    {
        _peers[to].Core.Tracker.Known[Peer.Cid(1)] = FakeTracker.Report(Peer.Cid(1), V1.TrackerStatus.PinError, "no");
        await _peers[to].Core.ForceAsync(Peer.Request(1));
        var info = await CallAsync(from, to, "Cluster", "RecoverLocal", writer => writer.Cid(Peer.Cid(1)), StatusCodec.ReadPinInfo);
        Assert.Equal((Peer.Cid(1), _peers[to].Id, TrackerStatus.PinQueued), (info.Cid, info.Peer, info.Status));
    }

    [Theory, MemberData(nameof(Directions))]
    public async Task The_daemon_is_asked_through_its_peer(int from, int to)
    {
        var neighbours = Enumerable.Range(0, 3).Select(_ => PrivateKey.GenerateEd25519().PeerId.ToString()).ToList();
        _peers[to].Core.Daemon.Swarm = neighbours;
        _peers[to].Core.Daemon.Garbage.Clear();
        _peers[to].Core.Daemon.Garbage.Add(new V1.RepoGcKey { Key = ByteString.CopyFrom(Peer.Cid(1).Bytes) });
        _peers[to].Core.Daemon.Garbage.Add(new V1.RepoGcKey { Error = "cannot remove" });
        var daemon = _peers[from].Remote.DaemonOf(_peers[to].Id);
        Assert.Equal(neighbours, await daemon.SwarmPeersAsync(Limit));
        var stat = await daemon.RepoStatAsync(Limit);
        Assert.Equal((1000UL, 5000UL), (stat.RepoSize, stat.StorageMax));
        Assert.Equal(_peers[to].Core.Daemon.Garbage, await daemon.RepoGcAsync(Limit));
    }

    [Theory, MemberData(nameof(Directions))]
    public async Task A_trusted_peer_has_a_prepared_pin_written_and_removed(int from, int to)
    {
        var pin = Peer.Request(1, Peer.Factors(1, 2)) with { Allocations = [_peers[from].Id], Timestamp = GoTime.FromUnix(1_700_000_000) };
        await CallAsync(from, to, "Consensus", "LogPin", writer => PinCodec.Write(writer, pin), Skip);
        Assert.Equal([_peers[from].Id], _peers[to].Core.State.Find(Peer.Cid(1))!.Allocations);
        await CallAsync(from, to, "Consensus", "LogUnpin", writer => PinCodec.Write(writer, pin), Skip);
        Assert.Null(_peers[to].Core.State.Find(Peer.Cid(1)));
        await CallAsync(from, to, "Consensus", "LogUnpin", writer => PinCodec.Write(writer, pin), Skip);
        await CallAsync(from, to, "Consensus", "AddPeer", writer => writer.Peer(_peers[from].Id), Skip);
        foreach (var (service, method) in new[] { ("Consensus", "RmPeer"), ("Cluster", "PeerRemove") })
        {
            var error = await Assert.ThrowsAsync<ClusterException>(() => CallAsync(from, to, service, method, writer => writer.Peer(_peers[from].Id), Skip));
            Assert.Equal("crdt consensus component cannot remove peers", error.Message);
        }
    }

    private static void Empty(MsgpackWriter writer) => writer.MapHeader(0);

    private static bool Skip(ref MsgpackReader reader)
    {
        reader.Skip();
        return true;
    }

    private static async Task<List<V1.PinInfo>> ItemsAsync(IAsyncEnumerable<Clients.StatusPage> pages)
    {
        var items = new List<V1.PinInfo>();
        await foreach (var page in pages)
            items.AddRange(page.Decode().Items);
        return items;
    }

    private Task<T> CallAsync<T>(int from, int to, string service, string method, Action<MsgpackWriter> argument, PeerRpc.Streams.Decode<T> decode) =>
        new PeerCalls(_peers[from].Host, TimeProvider.System, NetworkedPeer.Patient)
            .CallAsync(_peers[to].Id, new ServiceId(service, method), argument, decode, null, Limit).AsTask();
}
