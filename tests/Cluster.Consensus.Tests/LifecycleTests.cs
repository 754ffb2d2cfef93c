using System.Net;
using Cluster.Consensus.Alerts;
using Cluster.Consensus.Lifecycle;
using Cluster.Consensus.Members;
using Cluster.Consensus.Replication;
using Cluster.Model;
using Libp2p;
using Microsoft.Extensions.Logging.Abstractions;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests;

public sealed class LifecycleTests : IAsyncLifetime
{
    private readonly Peer _peer = new(new ClusterSettings { PeerName = "peer1", AllocateBy = ["freespace"], DisableRepinning = false });

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _peer.DisposeAsync().AsTask();

    [Fact]
    public async Task Expired_pins_are_unpinned_by_the_state_sync_and_no_others()
    {
        var soon = GoTime.Now(_peer.Clock).Add(GoDuration.FromSeconds(60));
        await _peer.PinAsync(Peer.Request(1, new PinOptions { ExpireAt = soon }));
        await _peer.PinAsync(Peer.Request(2, new PinOptions { ExpireAt = soon.Add(GoDuration.FromHours(1)) }));
        await _peer.PinAsync(Peer.Request(3));
        var sync = Sync(_peer);

        Assert.Equal(0, await sync.RunOnceAsync(CancellationToken.None));
        _peer.Clock.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(1, await sync.RunOnceAsync(CancellationToken.None));
        Assert.Null(_peer.State.Find(Peer.Cid(1)));
        Assert.Equal(2UL, _peer.State.Totals.Count);
    }

    [Fact]
    public async Task The_state_sync_runs_by_itself_once_the_peer_is_ready()
    {
        await _peer.PinAsync(Peer.Request(1, new PinOptions { ExpireAt = GoTime.Now(_peer.Clock).Add(GoDuration.FromSeconds(60)) }));
        var sync = Sync(_peer);
        await sync.StartAsync(CancellationToken.None);
        _peer.Readiness.SetReady();
        await _peer.Clock.SleeperAsync();
        _peer.Clock.Advance(TimeSpan.FromMinutes(6));
        await _peer.State.WaitForChangeAsync(1, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(0UL, _peer.State.Totals.Count);
        await sync.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_peer_becomes_ready_when_the_daemon_answers()
    {
        _peer.Daemon.Error = "connection refused";
        var startup = new Startup(_peer.Consensus, _peer.Daemon, _peer.SelfPeer, _peer.Readiness, _peer.Clock, NullLogger.Instance);
        await startup.StartAsync(CancellationToken.None);
        await _peer.Clock.SleeperAsync();
        Assert.False(_peer.Readiness.IsReady);
        Assert.Equal("IPFS", _peer.Readiness.WaitingFor);

        _peer.Daemon.Error = "";
        _peer.Clock.Advance(TimeSpan.FromSeconds(1));
        await _peer.Readiness.WhenReady.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.True(_peer.Readiness.IsReady);
        Assert.Equal("", _peer.Readiness.WaitingFor);
        await startup.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task The_pins_of_a_dead_peer_move_and_every_alert_is_listed()
    {
        _peer.HaveFreeSpace(1, 2, 3);
        await _peer.PinAsync(Peer.Request(1, Peer.Factors(2, 2)));
        await _peer.PinAsync(Peer.Request(2));
        Assert.Equal([Peer.Id(1), Peer.Id(2)], _peer.State.Find(Peer.Cid(1))!.Allocations!);
        var handler = new AlertHandler(_peer.Alerts, _peer.Evacuation, _peer.Settings, NullLogger.Instance);

        await handler.HandleAsync(Alert("freespace", 1), CancellationToken.None);
        Assert.Equal([Peer.Id(1), Peer.Id(2)], _peer.State.Find(Peer.Cid(1))!.Allocations!);
        await handler.HandleAsync(Alert("ping", 1), CancellationToken.None);

        Assert.Equal([Peer.Id(2), Peer.Id(3)], _peer.State.Find(Peer.Cid(1))!.Allocations!);
        Assert.Equal(["ping", "freespace"], _peer.Alerts.NewestFirst().Select(a => a.Metric.Name));
    }

    [Fact]
    public async Task The_pins_of_a_peer_that_no_alert_told_of_move_after_the_second_look()
    {
        _peer.HaveFreeSpace(1, 2, 3);
        await _peer.PinAsync(Peer.Request(1, Peer.Factors(2, 2)));
        var members = new Rpc.MemberConsensus(_peer.Consensus, Peer.Self);
        members.Members.UnionWith([Peer.Id(2), Peer.Id(3)]);
        var holders = new GoneHolders(members, _peer.Evacuation, _peer.Settings);

        Assert.Equal(0, await holders.RunOnceAsync(CancellationToken.None));
        Assert.Equal([Peer.Id(1), Peer.Id(2)], _peer.State.Find(Peer.Cid(1))!.Allocations!);
        Assert.Equal(1, await holders.RunOnceAsync(CancellationToken.None));

        Assert.Equal([Peer.Id(2), Peer.Id(3)], _peer.State.Find(Peer.Cid(1))!.Allocations!);
        Assert.Equal(0, await holders.RunOnceAsync(CancellationToken.None));
    }

    [Fact]
    public async Task With_repinning_disabled_alerts_are_listed_all_the_same()
    {
        await using var peer = new Peer(new ClusterSettings { AllocateBy = ["freespace"] });
        var handler = new AlertHandler(peer.Alerts, peer.Evacuation, peer.Settings, NullLogger.Instance);
        for (var i = 0; i < 3; i++)
            await handler.HandleAsync(Alert("ping", i), CancellationToken.None);
        Assert.Equal(3, peer.Alerts.NewestFirst().Count);

        await using var follower = new Peer(new ClusterSettings { FollowerMode = true });
        await new AlertHandler(follower.Alerts, follower.Evacuation, follower.Settings, NullLogger.Instance)
            .HandleAsync(Alert("ping", 1), CancellationToken.None);
        Assert.Empty(follower.Alerts.NewestFirst());
    }

    [Fact]
    public void The_list_of_alerts_begins_anew_when_it_is_full()
    {
        for (var i = 0; i < 1001; i++)
            _peer.Alerts.Add(Alert("ping", i));
        Assert.Equal(1001, _peer.Alerts.NewestFirst().Count);
        _peer.Alerts.Add(Alert("last", 1));
        Assert.Equal("last", Assert.Single(_peer.Alerts.NewestFirst()).Metric.Name);
    }

    private static StateSync Sync(Peer peer) =>
        new(peer.Consensus, peer.Unpins, peer.Responsibility, new GoneHolders(peer.Consensus, peer.Evacuation, peer.Settings), peer.Readiness,
            peer.Settings, peer.Clock, NullLogger.Instance);

    private static V1.Alert Alert(string name, int peer) =>
        new() { Metric = new V1.Metric { Name = name, Peer = Google.Protobuf.ByteString.CopyFrom(Peer.Id(peer).Bytes) } };
}
