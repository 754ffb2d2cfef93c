using Google.Protobuf;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>What is asked of all members at once: who they are, who sees whom, their daemons' garbage.</summary>
public sealed class MembersTests : IAsyncLifetime
{
    private readonly List<string> _daemons = [.. Enumerable.Range(0, 3).Select(_ => PrivateKey.GenerateEd25519().PeerId.ToString())];

    private Cluster _cluster = new([]);

    public async Task InitializeAsync()
    {
        _cluster = new Cluster(await NetworkedPeer.ClusterAsync(3));
        for (var i = 0; i < 3; i++)
        {
            _cluster[i].Core.Daemon.Id = _daemons[i];
            _cluster[i].Core.Daemon.Swarm = [.. _daemons.Where(d => d != _daemons[i])];
            _cluster[i].Core.Daemon.Garbage.Clear();
            _cluster[i].Core.Daemon.Garbage.Add(new V1.RepoGcKey { Key = ByteString.CopyFrom(Peer.Cid(i).Bytes) });
        }
    }

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task All_members_are_listed_and_those_that_cannot_be_reached_with_their_error()
    {
        var dead = Die();
        var members = await _cluster[0].Core.Membership.DescribeAllAsync(CancellationToken.None).ToListAsync();
        Assert.Equal(["", "peer0", "peer1", "peer2"], members.Select(m => m.PeerName).Order(StringComparer.Ordinal));
        var failed = Assert.Single(members, m => m.Error.Length > 0);
        Assert.Equal(dead.ToBytes(), failed.Id.ToByteArray());
        Assert.Equal(
            $"failed to dial: failed to dial {dead}: all dials failed\n  * [/ip4/127.0.0.1/tcp/9] dial tcp4 127.0.0.1:9: connect: connection refused", failed.Error);
    }

    [Fact]
    public async Task A_connector_that_goes_away_during_a_collection_is_told_of_beside_what_others_collected()
    {
        _cluster[0].Core.Daemon.GarbageFailure = new OperationCanceledException("the connector stops");
        var collected = await _cluster[0].Core.Membership.CollectGarbageAsync(local: false, CancellationToken.None);
        Assert.Equal(
            _cluster.Select(p => (p.Id, p == _cluster[0] ? "the connector stops" : "")).OrderBy(p => p.Id),
            collected.Peers.Select(p => (PeerId.FromBytes(p.Peer.Span), p.Error)).OrderBy(p => p.Item1));
        Assert.Equal(2, collected.Peers.Sum(p => p.Keys.Count));
    }

    [Fact]
    public async Task Whoever_has_heard_enough_leaves_no_question_behind()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var givenUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _cluster[1].Core.Daemon.BeforeId = async token =>
        {
            using var ending = token.Register(givenUp.SetResult);
            asked.SetResult();
            await Task.Delay(Timeout.Infinite, token);
        };
        await foreach (var member in _cluster[0].Core.Membership.DescribeAllAsync(CancellationToken.None))
        {
            await asked.Task.WaitAsync(TimeSpan.FromSeconds(60));
            break;
        }

        // Sooner than a call ends by itself.
        await givenUp.Task.WaitAsync(NetworkedPeer.Patient.Call / 5);
        await _cluster.IdleAsync();
    }

    [Fact]
    public async Task The_graph_shows_members_daemons_and_trust()
    {
        var graph = await _cluster[0].Core.Membership.ConnectGraphAsync(CancellationToken.None);
        Assert.Equal(_cluster[0].Id.ToBytes(), graph.ClusterId.ToByteArray());
        Assert.Equal(_cluster.Select(p => p.Id.ToString()).Order(), graph.ClusterLinks.Keys.Order());
        for (var i = 0; i < 3; i++)
        {
            var id = _cluster[i].Id.ToString();
            Assert.Equal(_cluster.Where(p => p != _cluster[i]).Select(p => p.Id.ToString()).Order(StringComparer.Ordinal), graph.ClusterLinks[id].To);
            Assert.Equal($"peer{i}", graph.IdToPeerName[id]);
            Assert.Equal(_daemons[i], graph.ClusterToIpfs[id]);
            Assert.Equal(_daemons.Where(d => d != _daemons[i]), graph.IpfsLinks[_daemons[i]].To);
            Assert.True(graph.ClusterTrustLinks[id]);
        }
    }

    [Fact]
    public async Task In_the_graph_a_member_out_of_reach_has_no_links_and_one_without_a_daemon_no_daemon()
    {
        var dead = Die();
        _cluster[1].Core.Daemon.Error = "away";
        _cluster[0].Consensus.Trusted.Remove(_cluster[2].Id);
        var graph = await _cluster[0].Core.Membership.ConnectGraphAsync(CancellationToken.None);
        Assert.Equal(4, graph.ClusterLinks.Count);
        Assert.Empty(graph.ClusterLinks[dead.ToString()].To);
        Assert.False(graph.ClusterTrustLinks[dead.ToString()]);
        Assert.False(graph.ClusterTrustLinks[_cluster[2].Id.ToString()]);
        Assert.Equal(3, graph.IdToPeerName.Count);
        Assert.Equal([_cluster[0].Id.ToString(), _cluster[2].Id.ToString()], graph.ClusterToIpfs.Keys.Order(Comparer<string>.Create(
            (a, b) => _cluster.ToList().FindIndex(p => p.Id.ToString() == a).CompareTo(_cluster.ToList().FindIndex(p => p.Id.ToString() == b)))));
        Assert.DoesNotContain(_cluster[0].Id.ToString(), graph.ClusterLinks[_cluster[0].Id.ToString()].To);
        Assert.DoesNotContain(dead.ToString(), graph.ClusterLinks[_cluster[0].Id.ToString()].To);
    }

    [Fact]
    public async Task Garbage_is_collected_on_all_members_and_failures_are_told_of()
    {
        var dead = Die();
        _cluster[1].Core.Daemon.Error = "away";
        _cluster[2].Consensus.Trusted.Remove(_cluster[0].Id);
        var collected = await _cluster[0].Core.Membership.CollectGarbageAsync(local: false, CancellationToken.None);
        var byPeer = collected.Peers.ToDictionary(p => PeerId.FromBytes(p.Peer.Span));
        Assert.Equal(new[] { _cluster[0].Id, _cluster[1].Id, dead }.Order(), byPeer.Keys.Order());
        Assert.Equal(Peer.Cid(0).ToBytes(), Assert.Single(byPeer[_cluster[0].Id].Keys).Key.ToByteArray());
        Assert.Equal(("away", 0), (byPeer[_cluster[1].Id].Error, byPeer[_cluster[1].Id].Keys.Count));
        Assert.StartsWith($"failed to dial: failed to dial {dead}", byPeer[dead].Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recovery_of_everything_comes_from_all_members()
    {
        for (var i = 0; i < 3; i++)
        {
            _cluster[i].Core.Tracker.Known[Peer.Cid(i)] = FakeTracker.Report(Peer.Cid(i), V1.TrackerStatus.PinError);
            _cluster[i].Core.Tracker.Known[Peer.Cid(9)] = FakeTracker.Report(Peer.Cid(9), V1.TrackerStatus.PinError);
        }

        var items = new List<V1.GlobalPinInfo>();
        await _cluster[0].Listing.RecoverAllAsync(
            local: false,
            message =>
            {
                items.AddRange(V1.GlobalPinInfoBatch.Parser.ParseFrom(message.Span).Items);
                return Task.CompletedTask;
            },
            CancellationToken.None);
        Assert.Equal([(0, 1), (1, 1), (2, 1), (9, 3)], items.Select(i => (BitConverter.ToInt32(i.Cid.Span[4..]), i.Peers.Count)));
    }

    /// <summary>A member where nobody listens.</summary>
    private PeerId Die()
    {
        var dead = PrivateKey.GenerateEd25519().PeerId;
        _cluster[0].Consensus.Members.Add(dead);
        _cluster[0].Host.Peerstore.AddAddresses(dead, [Multiaddr.Parse("/ip4/127.0.0.1/tcp/9")], AddressTtl.Permanent);
        return dead;
    }
}
