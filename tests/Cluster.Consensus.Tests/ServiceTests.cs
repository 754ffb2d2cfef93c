using Cluster.Model;
using Cluster.Consensus.Tests.Peering;
using Google.Protobuf;
using Grpc.Core;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests;

/// <summary>The contracts over the wire: a real server, a real client, a Unix socket.</summary>
public sealed class ServiceTests : IAsyncLifetime
{
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(120));
    private ServedPeer _served = null!;

    private CancellationToken Limit => _limit.Token;

    public async Task InitializeAsync() => _served = await ServedPeer.StartAsync();

    public async Task DisposeAsync()
    {
        await _served.DisposeAsync();
        _limit.Dispose();
    }

    [Fact]
    public async Task A_pin_is_answered_listed_and_unpinned()
    {
        var request = new V1.PinRequest
        {
            Cid = Bytes(1),
            Options = new V1.PinOptions { Name = "näme", Mode = V1.PinMode.Direct, Metadata = { ["k"] = "v" } },
        };
        var pin = await _served.Cluster.PinAsync(request, cancellationToken: Limit);
        Assert.Equal(-1, pin.Options.ReplicationFactorMin);
        Assert.Equal(0, pin.MaxDepth);
        Assert.Equal(V1.PinType.Data, pin.Type);

        var listed = Assert.Single(await AllocationsAsync(new V1.AllocationsRequest()));
        Assert.Equal(pin.Cid, listed.Cid);
        Assert.Equal("näme", listed.Options.Name);
        Assert.Equal("v", listed.Options.Metadata["k"]);
        Assert.Equal(V1.PinMode.Direct, listed.Options.Mode);
        Assert.Equal(0, listed.Timestamp.Nanos);
        Assert.Empty(await AllocationsAsync(new V1.AllocationsRequest { Types_ = { V1.PinType.Meta } }));
        Assert.Equal(listed, await _served.Cluster.AllocationAsync(new V1.AllocationRequest { Cid = Bytes(1) }, cancellationToken: Limit));

        Assert.Equal(listed, await _served.Cluster.UnpinAsync(new V1.UnpinRequest { Cid = Bytes(1) }, cancellationToken: Limit));
        var error = await Assert.ThrowsAsync<RpcException>(
            async () => await _served.Cluster.UnpinAsync(new V1.UnpinRequest { Cid = Bytes(1) }, cancellationToken: Limit));
        Assert.Equal((StatusCode.NotFound, "pin is not part of the pinset"), (error.StatusCode, error.Status.Detail));
    }

    [Fact]
    public async Task Every_record_reads_as_the_message_that_the_model_maps_to()
    {
        await _served.Peer.ForceAsync(
            Peer.Request(1, Peer.Factors(2, 3) with
            {
                Name = "n", ShardSize = 7, ExpireAt = GoTime.FromUnix(4_000_000_000), PinUpdate = Peer.Cid(9),
                Metadata = Cluster.Model.Metadata.From([new("a", "1"), new("b", "")]),
                Origins = [Libp2p.Multiaddr.Parse($"/ip4/1.2.3.4/tcp/4001/p2p/{Peer.Self}")],
            }) with { Allocations = [Peer.Id(1), Peer.Id(2)], Timestamp = GoTime.FromUnix(1_700_000_000), MaxDepth = 1, Type = PinType.Shard, Reference = Peer.Cid(5) },
            Peer.Request(2) with { Timestamp = GoTime.FromUnix(0) },
            Peer.Request(3) with { Timestamp = GoTime.FromUnix(-100) });
        var listed = await AllocationsAsync(new V1.AllocationsRequest());
        Assert.Equal(3, listed.Count);
        foreach (var pin in listed)
            Assert.Equal(await _served.Cluster.AllocationAsync(new V1.AllocationRequest { Cid = pin.Cid }, cancellationToken: Limit), pin);
    }

    [Fact]
    public async Task Refusals_carry_the_original_text_and_a_fitting_status()
    {
        async Task<Grpc.Core.Status> RefusedAsync(V1.PinRequest request) =>
            (await Assert.ThrowsAsync<RpcException>(async () => await _served.Cluster.PinAsync(request, cancellationToken: Limit))).Status;

        Assert.Equal((StatusCode.InvalidArgument, "bad pin object"), Pair(await RefusedAsync(new V1.PinRequest())));
        Assert.Equal(StatusCode.InvalidArgument, (await RefusedAsync(new V1.PinRequest { Cid = ByteString.CopyFrom(9, 9) })).StatusCode);
        Assert.Equal(
            StatusCode.InvalidArgument,
            (await RefusedAsync(new V1.PinRequest { Cid = Bytes(1), Options = new V1.PinOptions { UserAllocations = { ByteString.CopyFrom(1) } } })).StatusCode);
        Assert.Equal(
            (StatusCode.FailedPrecondition, "cluster.replication_factor_min is larger than max"),
            Pair(await RefusedAsync(new V1.PinRequest { Cid = Bytes(1), Options = new V1.PinOptions { ReplicationFactorMin = 3 } })));
        Assert.Equal(
            StatusCode.InvalidArgument,
            (await RefusedAsync(new V1.PinRequest { Cid = Bytes(1), Options = new V1.PinOptions { Name = new string('x', 2 << 20) } })).StatusCode);
        Assert.Equal(
            StatusCode.ResourceExhausted,
            (await RefusedAsync(new V1.PinRequest { Cid = Bytes(1), Options = new V1.PinOptions { ReplicationFactorMin = 1, ReplicationFactorMax = 1 } })).StatusCode);
    }

    [Fact]
    public async Task Batched_calls_are_answered_each_by_its_id()
    {
        _served.Peer.Tracker.Known[Peer.Cid(1)] = FakeTracker.Report(Peer.Cid(1), V1.TrackerStatus.Pinned);
        using var call = _served.Cluster.Calls(cancellationToken: Limit);
        var batch = new V1.CallBatch();
        for (var i = 0; i < 300; i++)
            batch.Calls.Add(new V1.Call { Id = (ulong)i, Pin = new V1.PinRequest { Cid = Bytes(i) } });
        await call.RequestStream.WriteAsync(batch, Limit);
        await call.RequestStream.WriteAsync(new V1.CallBatch { Calls = { new V1.Call { Id = 1000, Pin = new V1.PinRequest() }, new V1.Call { Id = 1001 } } }, Limit);

        var results = await ReadAsync(call, 302);
        for (var i = 0; i < 300; i++)
            Assert.Equal(Bytes(i), results[(ulong)i].Pin.Cid);
        Assert.Equal("bad pin object", results[1000].Error.Message);
        Assert.Equal((int)StatusCode.InvalidArgument, results[1001].Error.Code);
        Assert.Equal(300UL, _served.Peer.State.Totals.Count);

        await call.RequestStream.WriteAsync(
            new V1.CallBatch
            {
                Calls =
                {
                    new V1.Call { Id = 1, Unpin = new V1.UnpinRequest { Cid = Bytes(1) } },
                    new V1.Call { Id = 2, Unpin = new V1.UnpinRequest { Cid = Bytes(999) } },
                    new V1.Call { Id = 3, Allocation = new V1.AllocationRequest { Cid = Bytes(3) } },
                    new V1.Call { Id = 4, Status = new V1.StatusRequest { Cid = Bytes(4) } },
                    new V1.Call { Id = 5, Recover = new V1.RecoverRequest { Cid = Bytes(5), Local = true } },
                },
            },
            Limit);
        results = await ReadAsync(call, 5);
        Assert.Equal(Bytes(1), results[1].Pin.Cid);
        Assert.Equal((int)StatusCode.NotFound, results[2].Error.Code);
        Assert.Equal(Bytes(3), results[3].Pin.Cid);
        Assert.Equal(V1.TrackerStatus.Unpinned, results[4].Status.Peers[0].Status);
        Assert.Equal((int)StatusCode.NotFound, results[5].Error.Code);

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(Limit));
    }

    [Fact]
    public async Task A_client_that_vanishes_in_mid_stream_harms_nobody()
    {
        for (var round = 0; round < 5; round++)
        {
            using var gone = new CancellationTokenSource();
            using var call = _served.Cluster.Calls(cancellationToken: gone.Token);
            var batch = new V1.CallBatch();
            for (var i = 0; i < 100; i++)
                batch.Calls.Add(new V1.Call { Id = (ulong)i, Pin = new V1.PinRequest { Cid = Bytes(round * 100 + i) } });
            await call.RequestStream.WriteAsync(batch, Limit);
            await gone.CancelAsync();
        }

        Assert.Equal("1.1.6", (await _served.Cluster.VersionAsync(new V1.Empty(), cancellationToken: Limit)).Version);
    }

    [Fact]
    public async Task A_watcher_gets_the_pinset_then_each_change_and_resumes_where_it_was()
    {
        await _served.Peer.PinAsync(Peer.Request(1));
        await _served.Peer.PinAsync(Peer.Request(2));
        using var first = _served.State.Watch(new V1.StateWatchRequest(), cancellationToken: Limit);
        var message = await NextAsync(first);
        Assert.True(message.Reset);
        Assert.True(message.SnapshotDone);
        Assert.Equal([Bytes(1), Bytes(2)], message.Changes.Select(c => c.Put.Cid));
        Assert.Equal(2UL, message.Sequence);
        var epoch = message.Epoch;

        await _served.Peer.UnpinAsync(1);
        message = await NextAsync(first);
        Assert.False(message.Reset);
        Assert.Equal((3UL, Bytes(1)), (message.Changes[0].Sequence, message.Changes[0].Removed.Cid));

        using var second = _served.State.Watch(new V1.StateWatchRequest { After = 2, Epoch = epoch }, cancellationToken: Limit);
        message = await NextAsync(second);
        Assert.False(message.Reset);
        Assert.Equal(3UL, Assert.Single(message.Changes).Sequence);

        // Up to date: told so at once. Of another life of the state, or ahead of it: the pinset again.
        using var third = _served.State.Watch(new V1.StateWatchRequest { After = 3, Epoch = epoch }, cancellationToken: Limit);
        message = await NextAsync(third);
        Assert.Equal((0, 3UL), (message.Changes.Count, message.Sequence));
        using var fourth = _served.State.Watch(new V1.StateWatchRequest { After = 3, Epoch = ByteString.CopyFrom(new byte[16]) }, cancellationToken: Limit);
        Assert.True((await NextAsync(fourth)).Reset);
        using var fifth = _served.State.Watch(new V1.StateWatchRequest { After = 33, Epoch = epoch }, cancellationToken: Limit);
        Assert.True((await NextAsync(fifth)).Reset);
    }

    [Fact]
    public async Task An_import_resets_the_watchers_and_an_export_gives_it_back()
    {
        await _served.Peer.PinAsync(Peer.Request(1));
        using var watch = _served.State.Watch(new V1.StateWatchRequest(), cancellationToken: Limit);
        await NextAsync(watch);

        var lines = $"{{\"cid\":\"{Peer.Cid(7)}\",\"type\":\"pin\",\"max_depth\":-1,\"replication_factor_min\":-1,\"replication_factor_max\":-1}}\n";
        using (var import = _served.State.Import(cancellationToken: Limit))
        {
            var bytes = ByteString.CopyFromUtf8(lines);
            await import.RequestStream.WriteAsync(new V1.StateImportRequest { Options = new V1.StateImportOptions(), Data = ByteString.CopyFrom(bytes.Span[..20]) }, Limit);
            await import.RequestStream.WriteAsync(new V1.StateImportRequest { Data = ByteString.CopyFrom(bytes.Span[20..]) }, Limit);
            await import.RequestStream.CompleteAsync();
            Assert.Equal(1UL, (await import).Pins);
        }

        var message = await NextAsync(watch);
        Assert.True(message.Reset);
        Assert.Equal(Bytes(7), Assert.Single(message.Changes).Put.Cid);

        using (var bad = _served.State.Import(cancellationToken: Limit))
        {
            await bad.RequestStream.WriteAsync(new V1.StateImportRequest { Data = ByteString.CopyFromUtf8("hello") }, Limit);
            await bad.RequestStream.CompleteAsync();
            var error = await Assert.ThrowsAsync<RpcException>(async () => await bad);
            Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        }

        using var export = _served.State.Export(new V1.Empty(), cancellationToken: Limit);
        Assert.True(await export.ResponseStream.MoveNext(Limit));
        Assert.Contains(Peer.Cid(7).ToString(), export.ResponseStream.Current.Lines.ToStringUtf8(), StringComparison.Ordinal);
        Assert.False(await export.ResponseStream.MoveNext(Limit));
        var info = await _served.State.InfoAsync(new V1.Empty(), cancellationToken: Limit);
        Assert.Equal((1UL, "single"), (info.Pins, info.Consensus));
    }

    [Fact]
    public async Task Lists_of_many_pins_come_in_large_messages_after_a_small_first_one()
    {
        await _served.Peer.ForceAsync([.. Enumerable.Range(0, 5000).Select(i => Peer.Request(i, new PinOptions { Name = $"pin {i}" }))]);
        using var call = _served.State.List(new V1.StateListRequest(), cancellationToken: Limit);
        var messages = new List<V1.StateListResponse>();
        while (await call.ResponseStream.MoveNext(Limit))
            messages.Add(call.ResponseStream.Current);
        Assert.Equal(5000, messages.Sum(m => m.Pins.Count));
        Assert.True(messages[0].Pins.Count < messages[1].Pins.Count);
        Assert.All(messages, m => Assert.Equal(5000UL, m.Sequence));

        var found = await _served.State.GetAsync(new V1.StateGetRequest { Cids = { Bytes(3), Bytes(9999), Bytes(4) } }, cancellationToken: Limit);
        Assert.Equal([Bytes(3), Bytes(4)], found.Pins.Select(p => p.Cid));
        using var named = _served.State.List(new V1.StateListRequest { WithName = true, Name = "pin 77" }, cancellationToken: Limit);
        Assert.True(await named.ResponseStream.MoveNext(Limit));
        Assert.Equal(Bytes(77), Assert.Single(named.ResponseStream.Current.Pins).Cid);
    }

    [Fact]
    public async Task A_peer_describes_itself_also_while_the_daemon_is_down()
    {
        var id = await _served.Cluster.IdAsync(new V1.IdRequest(), cancellationToken: Limit);
        Assert.Equal(("1.1.6", "/ipfscluster/1.0/rpc", "peer1", "12D3KooWDaemon"), (id.Version, id.RpcProtocolVersion, id.PeerName, id.Ipfs.Id));
        Assert.Equal([ByteString.CopyFrom(Peer.Self.Bytes)], id.ClusterPeers);
        Assert.Single(id.Addresses);

        _served.Peer.Daemon.Error = "connection refused";
        id = await _served.Cluster.IdAsync(new V1.IdRequest(), cancellationToken: Limit);
        Assert.Equal("connection refused", id.Ipfs.Error);
        using var peers = _served.Cluster.Peers(new V1.PeersRequest(), cancellationToken: Limit);
        Assert.True(await peers.ResponseStream.MoveNext(Limit));
        Assert.Equal(id, Assert.Single(peers.ResponseStream.Current.Peers));

        var gc = await _served.Cluster.RepoGcAsync(new V1.ClusterRepoGcRequest(), cancellationToken: Limit);
        Assert.Equal("connection refused", Assert.Single(gc.Peers).Error);
        await Assert.ThrowsAsync<RpcException>(async () => await _served.Cluster.RepoGcAsync(new V1.ClusterRepoGcRequest { Local = true }, cancellationToken: Limit));

        var graph = await _served.Cluster.ConnectGraphAsync(new V1.Empty(), cancellationToken: Limit);
        Assert.Empty(graph.IpfsLinks);
        _served.Peer.Daemon.Error = "";
        graph = await _served.Cluster.ConnectGraphAsync(new V1.Empty(), cancellationToken: Limit);
        Assert.Equal("peer1", graph.IdToPeerName[Peer.Self.ToString()]);
        Assert.True(graph.ClusterTrustLinks[Peer.Self.ToString()]);
        Assert.Empty(graph.ClusterLinks[Peer.Self.ToString()].To);
        Assert.Equal(["12D3KooWOther"], graph.IpfsLinks["12D3KooWDaemon"].To);
        gc = await _served.Cluster.RepoGcAsync(new V1.ClusterRepoGcRequest(), cancellationToken: Limit);
        Assert.Single(Assert.Single(gc.Peers).Keys);
    }

    [Fact]
    public async Task Readiness_is_told_and_can_be_waited_for()
    {
        _served.Peer.Readiness.Await("IPFS");
        var ready = await _served.Cluster.ReadyAsync(new V1.ReadyRequest(), cancellationToken: Limit);
        Assert.Equal((false, "IPFS"), (ready.Ready, ready.WaitingFor));
        var waiting = _served.Cluster.ReadyAsync(new V1.ReadyRequest { Wait = true }, cancellationToken: Limit).ResponseAsync;
        _served.Peer.Readiness.SetReady();
        Assert.True((await waiting).Ready);
    }

    [Fact]
    public async Task Statuses_of_named_CIDs_and_of_all_come_as_a_stream()
    {
        for (var i = 0; i < 5; i++)
            _served.Peer.Tracker.Known[Peer.Cid(i)] = FakeTracker.Report(Peer.Cid(i), V1.TrackerStatus.Pinned);
        var items = new List<V1.GlobalPinInfo>();
        using (var all = _served.Cluster.StatusAll(new V1.StatusAllRequest(), cancellationToken: Limit))
        {
            while (await all.ResponseStream.MoveNext(Limit))
                items.AddRange(all.ResponseStream.Current.Items);
        }

        Assert.Equal(5, items.Count);
        using var some = _served.Cluster.StatusAll(new V1.StatusAllRequest { Cids = { Bytes(1), Bytes(2) }, Local = true }, cancellationToken: Limit);
        Assert.True(await some.ResponseStream.MoveNext(Limit));
        Assert.Equal([Bytes(1), Bytes(2)], some.ResponseStream.Current.Items.Select(i => i.Cid));

        _served.Peer.Tracker.Failure = new ClusterException(ClusterErrorKind.Unavailable, "away");
        using var failing = _served.Cluster.StatusAll(new V1.StatusAllRequest { Cids = { Bytes(1) }, Local = true }, cancellationToken: Limit);
        Assert.True(await failing.ResponseStream.MoveNext(Limit));
        Assert.Equal("away", Assert.Single(failing.ResponseStream.Current.Failures).Error.Message);
    }

    [Fact]
    public async Task The_network_of_a_lone_peer_answers_for_itself_and_dials_nobody()
    {
        await _served.Network.PublishMetricsAsync(new V1.NetworkMetrics(), cancellationToken: Limit);
        var self = new V1.PeerRequest { Peer = ByteString.CopyFrom(Peer.Self.Bytes) };
        var other = new V1.PeerRequest { Peer = ByteString.CopyFrom(Peer.Id(3).Bytes) };
        Assert.Equal("peer1", (await _served.Network.IdAsync(self, cancellationToken: Limit)).PeerName);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(async () => await _served.Network.IdAsync(other, cancellationToken: Limit))).StatusCode);
        Assert.Equal(
            StatusCode.InvalidArgument,
            (await Assert.ThrowsAsync<RpcException>(async () => await _served.Network.ConnectAsync(new V1.ConnectRequest(), cancellationToken: Limit))).StatusCode);
        Assert.Empty((await _served.Network.ConnectedAsync(new V1.Empty(), cancellationToken: Limit)).Peers);
    }

    [Fact]
    public async Task Metrics_go_out_and_come_in_through_the_network_service()
    {
        await using var other = await NetworkPeer.StartAsync();
        await _served.Network.ConnectAsync(new V1.ConnectRequest { Address = ByteString.CopyFrom(other.Address.ToBytes()) }, cancellationToken: Limit);
        using var received = _served.Network.ReceiveMetrics(new V1.Empty(), cancellationToken: Limit);
        other.Peering.Metrics.Publish([MetricTests.Metric(other, "freespace", "77")]);
        Assert.True(await received.ResponseStream.MoveNext(Limit));
        var metric = received.ResponseStream.Current.Metrics[0];
        Assert.Equal(("freespace", "77", true), (metric.Name, metric.Value, metric.Valid));
        Assert.Equal(other.Id.ToBytes(), metric.Peer.ToByteArray());

        using var reader = other.Peering.Metrics.Read();
        await _served.Network.PublishMetricsAsync(
            new V1.NetworkMetrics { Metrics = { new V1.Metric { Name = "pinqueue", Value = "5", Valid = true, Expire = metric.Expire, Peer = ByteString.CopyFrom(_served.Peering.Network.Host.Id.Bytes) } } },
            cancellationToken: Limit);
        Assert.Contains(await reader.Batches.ReadAsync(Limit), m => m is { Name: "pinqueue", Value: "5" });
    }

    [Fact]
    public async Task Connections_and_traffic_are_told()
    {
        await using var other = await NetworkPeer.StartAsync();
        var address = ByteString.CopyFrom(other.Address.ToBytes());
        await _served.Network.ConnectAsync(new V1.ConnectRequest { Address = address }, cancellationToken: Limit);
        var connected = Assert.Single((await _served.Network.ConnectedAsync(new V1.Empty(), cancellationToken: Limit)).Peers);
        Assert.Equal(other.Id.ToBytes(), connected.Id.ToByteArray());
        Assert.Contains(address, connected.Addresses);

        await _served.Peering.Network.Host.PingAsync(other.Id, Limit);
        var bandwidth = await _served.Cluster.BandwidthAsync(new V1.Empty(), cancellationToken: Limit);
        Assert.True(bandwidth.Measured);
        Assert.Equal((32, 32), (bandwidth.Protocols["/ipfs/ping/1.0.0"].TotalIn, bandwidth.Protocols["/ipfs/ping/1.0.0"].TotalOut));

        var nobody = Libp2p.Multiaddr.Parse("/ip4/127.0.0.1/tcp/1").WithPeer(Peer.Id(9));
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
            await _served.Network.ConnectAsync(new V1.ConnectRequest { Address = ByteString.CopyFrom(nobody.ToBytes()) }, cancellationToken: Limit));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.StartsWith("failed to dial", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_join_to_an_unreachable_peer_fails_with_the_reason()
    {
        var nobody = Libp2p.Multiaddr.Parse("/ip4/127.0.0.1/tcp/1").WithPeer(Peer.Id(9));
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
            await _served.Cluster.JoinAsync(new V1.JoinRequest { Address = ByteString.CopyFrom(nobody.ToBytes()) }, cancellationToken: Limit));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Contains("connection refused", failure.Status.Detail, StringComparison.Ordinal);
    }

    private static ByteString Bytes(int number) => ByteString.CopyFrom(Peer.Cid(number).Bytes);

    private static (StatusCode Code, string Text) Pair(Grpc.Core.Status status) => (status.StatusCode, status.Detail);

    private async Task<List<V1.Pin>> AllocationsAsync(V1.AllocationsRequest request)
    {
        using var call = _served.Cluster.Allocations(request, cancellationToken: Limit);
        var pins = new List<V1.Pin>();
        while (await call.ResponseStream.MoveNext(Limit))
            pins.AddRange(call.ResponseStream.Current.Pins);
        return pins;
    }

    private async Task<V1.StateWatchResponse> NextAsync(AsyncServerStreamingCall<V1.StateWatchResponse> call)
    {
        Assert.True(await call.ResponseStream.MoveNext(Limit));
        return call.ResponseStream.Current;
    }

    private async Task<Dictionary<ulong, V1.CallResult>> ReadAsync(AsyncDuplexStreamingCall<V1.CallBatch, V1.CallResultBatch> call, int count)
    {
        var results = new Dictionary<ulong, V1.CallResult>();
        while (results.Count < count)
        {
            Assert.True(await call.ResponseStream.MoveNext(Limit));
            foreach (var result in call.ResponseStream.Current.Results)
                results.Add(result.Id, result);
        }

        return results;
    }
}
