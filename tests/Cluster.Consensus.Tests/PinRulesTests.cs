using Cluster.Model;
using Libp2p;

namespace Cluster.Consensus.Tests;

/// <summary>What becomes of a request to pin or unpin (spec/behaviour.md 3 to 8).</summary>
public sealed class PinRulesTests : IAsyncLifetime
{
    private readonly Peer _peer = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _peer.DisposeAsync().AsTask();

    [Fact]
    public async Task A_pin_takes_the_defaults_and_is_in_the_state_when_it_is_answered()
    {
        var pin = await _peer.PinAsync(Peer.Request(1, new PinOptions { Name = "one" }));

        Assert.True(pin.IsEverywhere);
        Assert.Empty(pin.Allocations!);
        Assert.Equal(GoTime.Now(_peer.Clock), pin.Timestamp);
        var stored = _peer.State.Find(Peer.Cid(1))!;
        Assert.Equal("one", stored.Options.Name);
        Assert.Equal(-1, stored.MaxDepth);
    }

    [Theory]
    [InlineData(3, 0, "cluster.replication_factor_min is larger than max")]
    [InlineData(0, 3, "cluster.replication_factor_min and max must be -1 when one of them is")]
    [InlineData(2, 1, "cluster.replication_factor_min is larger than max")]
    [InlineData(-2, 3, "cluster.replication_factor_min is wrong")]
    [InlineData(1, 2, "not enough peers to allocate CID. Needed at least: 1. Wanted at most: 2. Available candidates: 0. See logs for more info.")]
    public async Task Bad_factors_are_refused_with_the_texts_of_the_original(int minimum, int maximum, string text)
    {
        var error = await Assert.ThrowsAsync<ClusterException>(() => _peer.PinAsync(Peer.Request(1, Peer.Factors(minimum, maximum))));
        Assert.Equal(text, error.Message);
        Assert.Null(_peer.State.Find(Peer.Cid(1)));
    }

    [Fact]
    public async Task A_refused_repin_leaves_the_pin_as_it_was()
    {
        await _peer.PinAsync(Peer.Request(1, new PinOptions { Name = "kept" }));
        var sequence = _peer.State.Totals.Sequence;

        var past = new PinOptions { ExpireAt = GoTime.FromUnix(1) };
        var error = await Assert.ThrowsAsync<ClusterException>(() => _peer.PinAsync(Peer.Request(1, past)));

        Assert.Equal("pin.ExpireAt set before current time", error.Message);
        Assert.Equal("kept", _peer.State.Find(Peer.Cid(1))!.Options.Name);
        Assert.Equal(sequence, _peer.State.Totals.Sequence);
    }

    [Fact]
    public async Task A_repeated_pin_replaces_the_options_and_moves_the_timestamp()
    {
        await _peer.PinAsync(Peer.Request(1, new PinOptions { Name = "a", Metadata = Metadata.From([new("k", "v")]) }));
        _peer.Clock.Advance(TimeSpan.FromMinutes(1));
        await _peer.PinAsync(Peer.Request(1));

        var stored = _peer.State.Find(Peer.Cid(1))!;
        Assert.Equal("", stored.Options.Name);
        Assert.Null(stored.Options.Metadata);
        Assert.Equal(GoTime.Now(_peer.Clock), stored.Timestamp);
        Assert.Equal(1UL, _peer.State.Totals.Count);
    }

    [Fact]
    public async Task A_direct_pin_is_stored_direct_and_may_become_recursive_but_not_back()
    {
        var direct = new PinOptions { Mode = PinMode.Direct };
        await _peer.PinAsync(Peer.Request(1, direct));
        Assert.Equal(0, _peer.State.Find(Peer.Cid(1))!.MaxDepth);
        await _peer.PinAsync(Peer.Request(1));
        Assert.Equal(-1, _peer.State.Find(Peer.Cid(1))!.MaxDepth);

        var error = await Assert.ThrowsAsync<ClusterException>(() => _peer.PinAsync(Peer.Request(1, direct)));
        Assert.Equal(
            "cannot repin a CID which is already pinned in recursive mode (new pin is pinned as direct). Unpin it first.", error.Message);
    }

    [Fact]
    public async Task Another_type_under_the_same_CID_is_refused()
    {
        await _peer.PinAsync(Peer.Request(1));
        var meta = Peer.Request(1) with { Type = PinType.Meta, Reference = Peer.Cid(2) };
        var error = await Assert.ThrowsAsync<ClusterException>(() => _peer.PinAsync(meta));
        Assert.Equal(
            "cannot repin CID with different tracking method, clear state with pin rm to proceed. New: meta-pin. Was: pin", error.Message);
    }

    [Fact]
    public async Task Allocations_come_from_the_metrics_and_prefer_free_space_and_the_users_choice()
    {
        _peer.HaveFreeSpace(1, 2, 3);
        var two = await _peer.PinAsync(Peer.Request(1, Peer.Factors(1, 2)));
        Assert.Equal([Peer.Id(1), Peer.Id(2)], two.Allocations!);

        var chosen = Peer.Factors(1, 1) with { UserAllocations = [Peer.Id(3), Peer.Id(99)] };
        var one = await _peer.PinAsync(Peer.Request(2, chosen));
        Assert.Equal([Peer.Id(3)], one.Allocations!);
        Assert.Null(_peer.State.Find(Peer.Cid(2))!.Options.UserAllocations);

        // Enough of the current ones are left: nothing is added.
        var again = await _peer.PinAsync(Peer.Request(2, Peer.Factors(1, 3)));
        Assert.Equal([Peer.Id(3)], again.Allocations!);
    }

    [Fact]
    public async Task Expired_metrics_are_not_allocated_to()
    {
        _peer.HaveFreeSpace(1);
        _peer.Clock.Advance(TimeSpan.FromHours(2));
        await Assert.ThrowsAsync<ClusterException>(() => _peer.PinAsync(Peer.Request(1, Peer.Factors(1, 1))));
    }

    [Fact]
    public async Task The_adders_allocations_are_kept()
    {
        var preset = Peer.Request(1, Peer.Factors(1, 2)) with { Allocations = [Peer.Id(7)] };
        Assert.Equal([Peer.Id(7)], (await _peer.PinAsync(preset)).Allocations!);

        var everywhere = Peer.Request(2) with { Allocations = [Peer.Id(7)] };
        Assert.Empty((await _peer.PinAsync(everywhere)).Allocations!);
    }

    [Fact]
    public async Task An_update_copies_the_source_under_the_new_CID()
    {
        _peer.HaveFreeSpace(1, 2);
        await _peer.PinAsync(Peer.Request(1, Peer.Factors(1, 1) with { Name = "source", Metadata = Metadata.From([new("k", "v")]) }));

        var pin = await _peer.PinAsync(Peer.Request(2, new PinOptions { PinUpdate = Peer.Cid(1), Mode = PinMode.Direct }));
        Assert.Equal("source", pin.Options.Name);
        Assert.Equal([Peer.Id(1)], pin.Allocations!);
        Assert.Equal(-1, pin.MaxDepth);
        Assert.Equal(Peer.Cid(1), pin.Options.PinUpdate);
        Assert.Equal("v", pin.Options.Metadata!["k"]);
        Assert.NotNull(_peer.State.Find(Peer.Cid(1)));

        var renamed = await _peer.PinAsync(Peer.Request(3, new PinOptions { PinUpdate = Peer.Cid(1), Name = "new", ExpireAt = GoTime.FromUnix(1) }));
        Assert.Equal("new", renamed.Options.Name);
        Assert.False(renamed.Options.HasExpiry);

        var missing = await Assert.ThrowsAsync<ClusterException>(
            () => _peer.PinAsync(Peer.Request(4, new PinOptions { PinUpdate = Peer.Cid(99) })));
        Assert.Equal((ClusterErrorKind.NotFound, "pin is not part of the pinset"), (missing.Kind, missing.Message));

        // Its own source: an ordinary pin that shows it.
        var self = await _peer.PinAsync(Peer.Request(5, new PinOptions { PinUpdate = Peer.Cid(5) }));
        Assert.Equal(Peer.Cid(5), self.Options.PinUpdate);
    }

    [Fact]
    public async Task A_type_that_is_no_data_cannot_be_updated()
    {
        await _peer.ForceAsync(Peer.Request(1) with { Type = PinType.Shard, MaxDepth = 1 });
        var error = await Assert.ThrowsAsync<ClusterException>(
            () => _peer.PinAsync(Peer.Request(2, new PinOptions { PinUpdate = Peer.Cid(1) })));
        Assert.Equal("this pin type cannot be updated", error.Message);
    }

    [Fact]
    public async Task An_unpin_answers_with_the_pin_and_is_done_then()
    {
        await _peer.PinAsync(Peer.Request(1, new PinOptions { Name = "gone" }));
        Assert.Equal("gone", (await _peer.UnpinAsync(1)).Options.Name);
        Assert.Null(_peer.State.Find(Peer.Cid(1)));
        var error = await Assert.ThrowsAsync<ClusterException>(() => _peer.UnpinAsync(1));
        Assert.Equal(ClusterErrorKind.NotFound, error.Kind);
    }

    [Fact]
    public async Task Shards_and_cluster_DAGs_go_with_their_root_only()
    {
        await _peer.ForceAsync(
            Peer.Request(1) with { Type = PinType.Meta, Reference = Peer.Cid(2), MaxDepth = 0 },
            Peer.Request(2) with { Type = PinType.ClusterDag, Reference = Peer.Cid(1), MaxDepth = 0 },
            Peer.Request(3) with { Type = PinType.Shard, MaxDepth = 1 },
            Peer.Request(4) with { Type = PinType.Shard, MaxDepth = 1, Reference = Peer.Cid(3) },
            Peer.Request(5));

        Assert.Equal(
            "cannot unpin a shard directly. Unpin content root CID instead",
            (await Assert.ThrowsAsync<ClusterException>(() => _peer.UnpinAsync(3))).Message);
        Assert.Equal(
            "cannot unpin a Cluster DAG directly. Unpin content root CID instead",
            (await Assert.ThrowsAsync<ClusterException>(() => _peer.UnpinAsync(2))).Message);
        Assert.StartsWith(
            "error reading clusterDAG block from ipfs: ",
            (await Assert.ThrowsAsync<ClusterException>(() => _peer.UnpinAsync(1))).Message, StringComparison.Ordinal);
        Assert.Equal(5UL, _peer.State.Totals.Count);

        _peer.Daemon.Dags[Peer.Cid(2)] = [Peer.Cid(3), Peer.Cid(4), Peer.Cid(5)];
        await _peer.UnpinAsync(1);
        Assert.Equal(1UL, _peer.State.Totals.Count);
        Assert.NotNull(_peer.State.Find(Peer.Cid(5)));
    }

    [Fact]
    public async Task A_follower_writes_nothing()
    {
        await using var follower = new Peer(new ClusterSettings { FollowerMode = true });
        const string Text = "this peer is configured to be in follower mode. Write operations are disabled";
        Assert.Equal(Text, (await Assert.ThrowsAsync<ClusterException>(() => follower.PinAsync(Peer.Request(1)))).Message);
        Assert.Equal(Text, (await Assert.ThrowsAsync<ClusterException>(() => follower.UnpinAsync(1))).Message);
        Assert.Equal(Text, Assert.Throws<ClusterException>(() => follower.Planner.PlanBlocks(Peer.Request(1), () => [])).Message);
    }

    [Fact]
    public async Task Blocks_go_where_the_pin_will_be()
    {
        _peer.HaveFreeSpace(1, 2);
        Assert.Equal([Peer.Id(0), Peer.Id(1), Peer.Id(2)], _peer.Planner.PlanBlocks(new Pin { Options = new PinOptions() }, _peer.Membership.ReachablePeers));
        Assert.Equal([Peer.Id(1)], _peer.Planner.PlanBlocks(new Pin { Options = Peer.Factors(1, 1) }, () => []));
        var wrong = Assert.Throws<ClusterException>(() => _peer.Planner.PlanBlocks(new Pin { Options = Peer.Factors(2, 1) }, () => []));
        Assert.Equal("cluster.replication_factor_min is larger than max", wrong.Message);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task A_path_that_names_a_CID_asks_nobody()
    {
        _peer.Daemon.Paths["/ipns/name"] = Peer.Cid(3);
        foreach (var path in new[] { $"{Peer.Cid(1)}", $"/ipfs/{Peer.Cid(1)}", $"/ipld/{Peer.Cid(1)}" })
            Assert.Equal(Peer.Cid(1), await _peer.Operations.ResolveAsync(path, CancellationToken.None));
        Assert.Equal(Peer.Cid(3), await _peer.Operations.ResolveAsync("/ipns/name", CancellationToken.None));
        await Assert.ThrowsAsync<ClusterException>(async () => await _peer.Operations.ResolveAsync($"/ipfs/{Peer.Cid(1)}/a", CancellationToken.None));
    }
}
