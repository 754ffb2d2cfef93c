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
        await _peer.State.WaitForChangeAsync(1, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(0UL, _peer.State.Totals.Count);
        await sync.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_pin_that_cannot_be_unpinned_keeps_no_other_from_it_and_does_not_end_the_state_sync()
    {
        var soon = GoTime.Now(_peer.Clock).Add(GoDuration.FromSeconds(60));
        await _peer.ForceAsync(
            Peer.Request(1, new PinOptions { ExpireAt = soon }) with { Type = PinType.Meta, Reference = Peer.Cid(9) },
            Peer.Request(2, new PinOptions { ExpireAt = soon }));
        _peer.Daemon.BeforeLinks = () => throw new OperationCanceledException("the connector went away");
        var sync = Sync(_peer);
        await sync.StartAsync(CancellationToken.None);
        _peer.Readiness.SetReady();
        var unpinned = _peer.State.WaitForChangeAsync(2, CancellationToken.None);
        await _peer.Clock.SleeperAsync();
        _peer.Clock.Advance(TimeSpan.FromMinutes(6));
        await unpinned.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.NotNull(_peer.State.Find(Peer.Cid(1)));
        Assert.Null(_peer.State.Find(Peer.Cid(2)));

        // The next time it is tried again.
        _peer.Daemon.BeforeLinks = static () => Task.CompletedTask;
        _peer.Daemon.Dags[Peer.Cid(9)] = [];
        unpinned = _peer.State.WaitForChangeAsync(3, CancellationToken.None);
        await _peer.Clock.SleeperAsync();
        _peer.Clock.Advance(TimeSpan.FromMinutes(6));
        await unpinned.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(0UL, _peer.State.Totals.Count);
        await sync.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_pin_that_is_prolonged_while_others_are_being_unpinned_stays()
    {
        var soon = GoTime.Now(_peer.Clock).Add(GoDuration.FromSeconds(60));
        await _peer.ForceAsync(
            Peer.Request(1, new PinOptions { ExpireAt = soon }),
            Peer.Request(2, new PinOptions { ExpireAt = soon.Add(GoDuration.FromSeconds(1)) }) with { Type = PinType.Meta, Reference = Peer.Cid(9) });
        _peer.Daemon.Dags[Peer.Cid(9)] = [];
        _peer.Clock.Advance(TimeSpan.FromSeconds(70));
        _peer.Daemon.BeforeLinks = () => _peer.PinAsync(Peer.Request(1, new PinOptions { ExpireAt = soon.Add(GoDuration.FromHours(1)) }));

        Assert.Equal(1, await Sync(_peer).RunOnceAsync(CancellationToken.None));

        Assert.NotNull(_peer.State.Find(Peer.Cid(1)));
        Assert.Null(_peer.State.Find(Peer.Cid(2)));
    }

    [Fact]
    public async Task An_interval_that_is_longer_than_a_timer_runs_is_kept()
    {
        await using var peer = new Peer(new ClusterSettings { AllocateBy = ["freespace"], StateSyncInterval = TimeSpan.FromDays(100) });
        await peer.PinAsync(Peer.Request(1, new PinOptions { ExpireAt = GoTime.Now(peer.Clock).Add(GoDuration.FromSeconds(60)) }));
        var sync = Sync(peer);
        await sync.StartAsync(CancellationToken.None);
        peer.Readiness.SetReady();
        var unpinned = peer.State.WaitForChangeAsync(1, CancellationToken.None);
        for (var day = 0; day < 120; day += 30)
        {
            Assert.False(unpinned.IsCompleted);
            await peer.Clock.SleeperAsync();
            peer.Clock.Advance(TimeSpan.FromDays(30));
        }

        await unpinned.WaitAsync(TimeSpan.FromSeconds(60));
        await sync.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_network_that_fails_at_its_end_does_not_keep_the_database_open()
    {
        await using var peer = new Peer();
        var departure = new Departure(Peer.Self, peer.Consensus, peer.Settings, peer.Readiness, NullLogger.Instance);
        using var owner = new StateOwner(peer.Consensus, peer.Database, new Unclosable(), departure, NullLogger.Instance, supervised: true);
        await Assert.ThrowsAsync<IOException>(() => owner.StopAsync(CancellationToken.None));
        using var again = Storage.Database.Open(peer.Database.Path, new Storage.DatabaseOptions { Format = PinState.PinStore.Format });
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
        await _peer.Readiness.WhenReady.WaitAsync(TimeSpan.FromSeconds(60));
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
    public async Task A_member_that_is_to_be_removed_gives_its_pins_up_first_even_where_nobody_can_be_removed()
    {
        _peer.HaveFreeSpace(1, 2, 3);
        await _peer.PinAsync(Peer.Request(1, Peer.Factors(2, 2)));
        Assert.Equal([Peer.Id(1), Peer.Id(2)], _peer.State.Find(Peer.Cid(1))!.Allocations!);
        await Assert.ThrowsAsync<ClusterException>(() => _peer.Membership.RemoveAsync(Peer.Id(1), CancellationToken.None));
        Assert.Equal([Peer.Id(2), Peer.Id(3)], _peer.State.Find(Peer.Cid(1))!.Allocations!);

        await using var peer = new Peer(new ClusterSettings { AllocateBy = ["freespace"], DisableRepinning = true });
        peer.HaveFreeSpace(1, 2, 3);
        await peer.PinAsync(Peer.Request(1, Peer.Factors(2, 2)));
        await Assert.ThrowsAsync<ClusterException>(() => peer.Membership.RemoveAsync(Peer.Id(1), CancellationToken.None));
        Assert.Equal([Peer.Id(1), Peer.Id(2)], peer.State.Find(Peer.Cid(1))!.Allocations!);
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

    private sealed class Unclosable : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => throw new IOException("a connection could not be closed");
    }
}
