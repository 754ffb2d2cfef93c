using Cluster.Contracts.V1;
using Cluster.Tracker.Core;
using Cluster.Tracker.Tests.Core;
using Google.Protobuf;
using Grpc.Core;
using Ipld;

namespace Cluster.Tracker.Tests.Service;

public class TrackerServiceTests
{
    private static Cid C(int number) => Bench.CidOf(number);

    [Fact]
    public async Task A_pin_of_the_pinset_ends_pinned_and_its_removal_unpinned()
    {
        await using var house = await House.OpenInStillTimeAsync();
        var pin = FakeState.PinOf(C(1), name: "one");
        pin.Options.Metadata["x"] = "y";
        house.State.Put(pin);
        var info = await house.UntilAsync(C(1), TrackerStatus.Pinned);
        Assert.Equal(("one", "y", true, 0, false), (info.Name, info.Metadata["x"], info.InPinset, info.AttemptCount, info.PriorityPin));
        Assert.Equal(pin.Timestamp, info.Created);
        Assert.Equal(pin.Timestamp, info.Timestamp);
        Assert.Equal((ByteString.CopyFrom(House.Self), "peer1", "12D3KooWDaemon"), (info.Peer, info.PeerName, info.IpfsPeerId));

        house.State.Remove(C(1));
        info = await house.UntilAsync(C(1), TrackerStatus.Unpinned);
        Assert.Equal((string.Empty, null, false), (info.Name, info.Created, info.InPinset));
        Assert.Empty(house.Connector.Pins);
        Assert.Empty(await house.ListAsync());
    }

    [Fact]
    public async Task What_is_allocated_to_others_is_remote_and_unpinned_here()
    {
        await using var house = await House.OpenInStillTimeAsync();
        house.Connector.Pins[C(1)] = DaemonPin.Recursive;
        house.State.Put(FakeState.PinOf(C(1), allocations: House.Other), FakeState.PinOf(C(2), allocations: House.Self));
        Assert.Equal(TrackerStatus.Remote, (await house.StatusAsync(C(1), 2)).Status);
        await house.UntilAsync(C(2), TrackerStatus.Pinned);
        await House.UntilAsync(() => !house.Connector.Pins.ContainsKey(C(1)));
        Assert.Equal([C(1)], (await house.ListAsync(TrackerStatus.Remote)).Select(i => Cid.FromBytes(i.Cid.Span)));
    }

    [Fact]
    public async Task A_failing_remote_unpin_stays_remote()
    {
        await using var house = await House.OpenInStillTimeAsync();
        house.Connector.Failing[C(1)] = "no";
        house.State.Put(FakeState.PinOf(C(1), allocations: House.Other));
        await House.UntilAsync(() => house.Connector.Unpinned.Contains(C(1)) && house.Tracker.View(C(1)).Error.Length > 0);
        var info = await house.StatusAsync(C(1));
        Assert.Equal((TrackerStatus.Remote, "no"), (info.Status, info.Error));
    }

    [Fact]
    public async Task A_pin_lost_by_the_daemon_shows_at_once_and_recover_all_brings_back_only_it()
    {
        await using var house = await House.OpenInStillTimeAsync();
        house.State.Put(FakeState.PinOf(C(1)), FakeState.PinOf(C(2), depth: 0), FakeState.PinOf(C(3), allocations: House.Other));
        await house.UntilAsync(C(1), TrackerStatus.Pinned);
        await house.UntilAsync(C(2), TrackerStatus.Pinned);
        Assert.Empty(await house.RecoverAllAsync());

        house.Connector.Pins.TryRemove(C(1), out _);
        var info = await house.StatusAsync(C(1));
        Assert.Equal((TrackerStatus.UnexpectedlyUnpinned, "the item should be pinned but it is not"), (info.Status, info.Error));
        house.Connector.Pins[C(1)] = DaemonPin.Recursive;
        Assert.Equal(TrackerStatus.Pinned, (await house.StatusAsync(C(1))).Status);

        house.Connector.Pins.TryRemove(C(1), out _);
        Assert.Equal(
            [TrackerStatus.UnexpectedlyUnpinned, TrackerStatus.Pinned, TrackerStatus.Remote],
            (await house.ListAsync()).Select(i => i.Status));
        Assert.Equal([C(1)], Cids(await house.ListAsync(TrackerStatus.UnexpectedlyUnpinned)));
        Assert.Equal([C(2)], Cids(await house.ListAsync(TrackerStatus.Pinned)));
        Assert.Empty(await house.ListAsync(TrackerStatus.PinError | TrackerStatus.UnpinError | TrackerStatus.ClusterError));
        Assert.Equal([C(1)], Cids(await house.RecoverAllAsync()));
        await house.UntilAsync(C(1), TrackerStatus.Pinned);
        Assert.Equal(DaemonPin.Recursive, house.Connector.Pins[C(1)]);
    }

    [Fact]
    public async Task For_a_busy_daemon_the_index_answers_once_statuses_have_waited_enough()
    {
        var time = new Cluster.Tests.ManualTime();
        await using var house = new House { Time = time };
        await house.StartAsync();
        var cids = Enumerable.Range(1, 11).Select(C).ToList();
        house.State.Put([.. cids.Select(cid => FakeState.PinOf(cid))]);
        foreach (var cid in cids)
            await house.UntilAsync(cid, TrackerStatus.Pinned);
        var asked = house.Connector.Questions + 10;
        var answering = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        house.Connector.Answering = answering.Task;
        var statuses = Task.WhenAll(cids.Take(10).Select(cid => house.StatusAsync(cid)));
        await House.UntilAsync(() => house.Connector.Questions == asked);
        time.Advance(TimeSpan.FromSeconds(1));
        answering.SetResult();
        await statuses;

        house.Connector.Pins.Clear();
        Assert.Equal(TrackerStatus.Pinned, (await house.StatusAsync(C(11))).Status);
        Assert.Equal(asked, house.Connector.Questions);
    }

    [Fact]
    public async Task A_failed_pin_is_listed_under_its_filters_and_recovered_by_hand()
    {
        await using var house = await House.OpenInStillTimeAsync();
        house.Connector.Failing[C(1)] = "context canceled";
        house.State.Put(FakeState.PinOf(C(1)));
        var info = await house.UntilAsync(C(1), TrackerStatus.PinError);
        Assert.Equal(("context canceled", 1, true), (info.Error, info.AttemptCount, info.PriorityPin));
        Assert.Single(await house.ListAsync(TrackerStatus.PinError));
        Assert.Single(await house.ListAsync());
        Assert.Empty(await house.ListAsync(TrackerStatus.Pinned | TrackerStatus.UnexpectedlyUnpinned));
        info = await house.RecoverAsync(C(1));
        Assert.Equal(string.Empty, info.Error);
        await House.UntilAsync(() => house.Tracker.View(C(1)) is { State: PinState.PinError, Attempts: 2 });
        house.Connector.Failing.Clear();
        Assert.Single(await house.RecoverAllAsync());
        await house.UntilAsync(C(1), TrackerStatus.Pinned);
    }

    [Fact]
    public async Task What_runs_is_pinning_and_the_opposite_request_cancels_it_at_once()
    {
        await using var house = await House.OpenInStillTimeAsync();
        house.Connector.Hanging[C(1)] = true;
        house.State.Put(FakeState.PinOf(C(1)));
        var info = await house.UntilAsync(C(1), TrackerStatus.Pinning);
        Assert.Equal((1, true), (info.AttemptCount, info.PriorityPin));
        Assert.Single(await house.ListAsync(TrackerStatus.Pinning));
        Assert.Single(await house.ListAsync());
        Assert.Empty(await house.ListAsync(TrackerStatus.PinQueued | TrackerStatus.UnpinQueued));
        await house.RecoverAsync(C(1));
        Assert.Single(house.Connector.PinRequests);

        house.State.Remove(C(1));
        await House.UntilAsync(() => house.Connector.CancelledPins.Contains(C(1)));
        await house.UntilAsync(C(1), TrackerStatus.Unpinned);
        Assert.Empty(house.Connector.Pins);
    }

    [Fact]
    public async Task While_the_daemon_is_down_statuses_say_so_and_listings_fail()
    {
        await using var house = await House.OpenInStillTimeAsync();
        house.State.Put(FakeState.PinOf(C(1), name: "one"));
        await house.UntilAsync(C(1), TrackerStatus.Pinned);
        house.Connector.SetUp(false);
        var info = await house.StatusAsync(C(1));
        Assert.Equal((TrackerStatus.ClusterError, $"Post \"pin/ls?arg={C(1)}\": refused", "one"), (info.Status, info.Error, info.Name));
        Assert.NotNull(info.Created);
        var error = await Assert.ThrowsAsync<RpcException>(() => house.ListAsync());
        Assert.Equal("could not get pinset from IPFS: Post \"pin/ls?stream=true&type=recursive\": refused", error.Status.Detail);
        await Assert.ThrowsAsync<RpcException>(() => house.ListAsync(TrackerStatus.Pinned));
        await Assert.ThrowsAsync<RpcException>(() => house.RecoverAllAsync());
        Assert.Equal(TrackerStatus.ClusterError, Assert.Single(await house.ListAsync(TrackerStatus.ClusterError | TrackerStatus.PinError)).Status);

        house.State.Put(FakeState.PinOf(C(2)));
        Assert.Contains("refused", (await house.UntilAsync(C(2), TrackerStatus.PinError)).Error, StringComparison.Ordinal);
        house.State.Remove(C(1));
        info = await house.UntilAsync(C(1), TrackerStatus.UnpinError);
        Assert.Equal((string.Empty, 1, false, false), (info.Name, info.AttemptCount, info.PriorityPin, info.InPinset));
        Assert.NotNull(info.Created);
        Assert.Single(await house.ListAsync(TrackerStatus.UnpinError));

        house.Connector.SetUp(true);
        Assert.Equal([C(2)], Cids(await house.RecoverAllAsync()));
        await house.UntilAsync(C(2), TrackerStatus.Pinned);
        Assert.Equal(TrackerStatus.UnpinError, (await house.StatusAsync(C(1))).Status);
        await house.RecoverAsync(C(1));
        await house.UntilAsync(C(1), TrackerStatus.Unpinned);
    }

    [Fact]
    public async Task What_failed_while_the_daemon_was_down_heals_by_itself()
    {
        await using var house = await House.OpenAsync(new TrackerSettings { HealDelay = TimeSpan.FromMilliseconds(200) });
        house.State.Put(FakeState.PinOf(C(3)));
        await house.UntilAsync(C(3), TrackerStatus.Pinned);
        house.Connector.SetUp(false);
        house.State.Put(FakeState.PinOf(C(1)));
        await house.UntilAsync(C(1), TrackerStatus.PinError);
        house.Connector.Pins.Clear();
        house.Connector.SetUp(true);
        await house.UntilAsync(C(1), TrackerStatus.Pinned);
        // The daemon came back empty; nobody has to ask for it.
        await House.UntilAsync(() => house.Connector.Pins.ContainsKey(C(3)));
    }

    [Fact]
    public async Task Calls_come_in_batches_and_each_gets_its_answer()
    {
        await using var house = await House.OpenInStillTimeAsync();
        var sequence = house.State.Put([.. Enumerable.Range(0, 50).Select(i => FakeState.PinOf(C(i)))]);
        for (var i = 0; i < 50; i++)
            await house.UntilAsync(C(i), TrackerStatus.Pinned);
        using var calls = house.Client.Calls(deadline: House.Soon);
        var batch = new TrackerCallBatch();
        for (var i = 0; i < 1000; i++)
        {
            var cid = ByteString.CopyFrom(C(i % 60).Bytes);
            batch.Calls.Add(i % 7 == 0
                ? new TrackerCall { Id = (ulong)i, Recover = new TrackerRecoverRequest { Cid = cid } }
                : new TrackerCall { Id = (ulong)i, Status = new TrackerStatusRequest { Cid = cid, AtLeastSequence = sequence } });
        }

        batch.Calls.Add(new TrackerCall { Id = 1000, Status = new TrackerStatusRequest { Cid = ByteString.CopyFromUtf8("nonsense") } });
        batch.Calls.Add(new TrackerCall { Id = 1001 });
        await calls.RequestStream.WriteAsync(batch);
        await calls.RequestStream.CompleteAsync();
        var results = new Dictionary<ulong, TrackerCallResult>();
        await foreach (var answers in calls.ResponseStream.ReadAllAsync())
        {
            foreach (var result in answers.Results)
                results.Add(result.Id, result);
        }

        Assert.Equal(1002, results.Count);
        for (var i = 0; i < 1000; i++)
            Assert.Equal(i % 60 < 50 ? TrackerStatus.Pinned : TrackerStatus.Unpinned, results[(ulong)i].Info.Status);
        Assert.Equal((int)StatusCode.InvalidArgument, results[1000].Error.Code);
        Assert.Equal((int)StatusCode.InvalidArgument, results[1001].Error.Code);
    }

    [Fact]
    public async Task A_stream_of_calls_does_not_hold_up_the_stop()
    {
        await using var house = await House.OpenInStillTimeAsync();
        using var call = house.Client.Calls(deadline: House.Soon);
        var batch = new TrackerCallBatch();
        batch.Calls.Add(new TrackerCall { Id = 1, Status = new TrackerStatusRequest { Cid = ByteString.CopyFrom(C(1).Bytes) } });
        await call.RequestStream.WriteAsync(batch);
        Assert.True(await call.ResponseStream.MoveNext());
        house.EndStreams();
        var end = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal((StatusCode.Unavailable, "the tracker stops"), (end.StatusCode, end.Status.Detail));
    }

    [Fact]
    public async Task Statuses_beyond_the_budget_come_from_the_index()
    {
        await using var house = await House.OpenInStillTimeAsync();
        house.State.Put(FakeState.PinOf(C(1)));
        await house.UntilAsync(C(1), TrackerStatus.Pinned);
        for (var i = 0; i < 1000; i++)
            Assert.Equal(TrackerStatus.Pinned, (await house.StatusAsync(C(1))).Status);
        Assert.Equal(Tracker.Daemon.DaemonWord.Burst, house.Connector.Questions);
    }

    [Fact]
    public async Task A_status_waits_for_the_change_that_it_asks_for()
    {
        await using var house = await House.OpenInStillTimeAsync();
        house.Connector.Hanging[C(1)] = true;
        var status = house.StatusAsync(C(1), 1);
        await Task.Delay(50);
        Assert.False(status.IsCompleted);
        house.State.Put(FakeState.PinOf(C(1)));
        Assert.NotEqual(TrackerStatus.Unpinned, (await status).Status);
        var late = await Assert.ThrowsAsync<RpcException>(async () => await house.Client.StatusAsync(
            new TrackerStatusRequest { Cid = ByteString.CopyFrom(C(1).Bytes), AtLeastSequence = 99 }, deadline: DateTime.UtcNow.AddMilliseconds(200)));
        Assert.Equal(StatusCode.DeadlineExceeded, late.StatusCode);
    }

    [Fact]
    public async Task Queue_sizes_are_told()
    {
        await using var house = await House.OpenInStillTimeAsync(new TrackerSettings { ConcurrentPins = 2 });
        for (var i = 0; i < 5; i++)
            house.Connector.Hanging[C(i)] = true;
        house.State.Put([.. Enumerable.Range(0, 5).Select(i => FakeState.PinOf(C(i)))]);
        await house.StatusAsync(C(0), 5);
        // The pinset may be there before the connector is.
        await House.UntilAsync(() => house.Connector.PinRequests.Count == 2);
        var sizes = await house.Client.QueueSizeAsync(new Empty(), deadline: House.Soon);
        Assert.Equal((3ul, 3ul, 2ul, 5ul), (sizes.PinQueued, sizes.PriorityQueued, sizes.Pinning, sizes.Sequence));
        Assert.Equal(2, (await house.ListAsync(TrackerStatus.Pinning)).Count);
        Assert.Equal(3, (await house.ListAsync(TrackerStatus.PinQueued)).Count);
        Assert.Equal(5, (await house.ListAsync(TrackerStatus.PinQueued | TrackerStatus.Pinning)).Count);
    }

    private static IEnumerable<Cid> Cids(IEnumerable<PinInfo> items) => items.Select(i => Cid.FromBytes(i.Cid.Span));
}
