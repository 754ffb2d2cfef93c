using Cluster.Consensus.Rpc;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Cluster.PeerRpc.Values;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>How calls end when they do not end well: given up, too late, too many, or nonsense.</summary>
public sealed class CallLifeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_call_that_is_given_up_ends_on_the_other_side_too()
    {
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2));
        var (asked, ended) = Hold(cluster[1]);
        using var giveUp = new CancellationTokenSource();
        var asking = cluster[0].Remote.TrackerOf(cluster[1].Id).StatusAsync(Peer.Cid(1), 0, giveUp.Token).AsTask();
        await asked.Task.WaitAsync(Limit);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await ended.Task.WaitAsync(Limit);
        await cluster.IdleAsync();
    }

    [Fact]
    public async Task Of_many_questions_each_gets_its_own_answer_or_error()
    {
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2));
        for (var i = 0; i < 1000; i++)
            cluster[1].Core.Tracker.Known[Peer.Cid(i)] = FakeTracker.Report(Peer.Cid(i), V1.TrackerStatus.Pinned, $"{i}");
        var tracker = cluster[0].Remote.TrackerOf(cluster[1].Id);
        var infos = await Task.WhenAll(Enumerable.Range(0, 1000).Select(n => tracker.StatusAsync(Peer.Cid(n), 0, CancellationToken.None).AsTask())).WaitAsync(Limit);
        Assert.Equal(Enumerable.Range(0, 1000).Select(n => $"{n}"), infos.Select(i => i.Error));

        cluster[1].Core.Tracker.Failure = new ClusterException(ClusterErrorKind.Internal, "the index is broken");
        var failed = await Task.WhenAll(Enumerable.Range(0, 20).Select(n =>
            Assert.ThrowsAsync<ClusterException>(() => tracker.StatusAsync(Peer.Cid(n), 0, CancellationToken.None).AsTask()))).WaitAsync(Limit);
        Assert.All(failed, e => Assert.Equal("the index is broken", e.Message));
        await cluster.IdleAsync();
    }

    [Fact]
    public async Task Who_gives_up_one_of_many_questions_leaves_the_others_alone()
    {
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2));
        var release = new TaskCompletionSource();
        cluster[1].Core.Tracker.BeforeEach = token => release.Task.WaitAsync(token);
        var tracker = cluster[0].Remote.TrackerOf(cluster[1].Id);
        using var giveUp = new CancellationTokenSource();
        var asked = Enumerable.Range(0, 10).Select(n => tracker.StatusAsync(Peer.Cid(n), 0, n % 2 == 0 ? giveUp.Token : CancellationToken.None).AsTask()).ToList();
        await UntilAsync(() => cluster[1].Core.Tracker.Asked.Count == asked.Count);
        await giveUp.CancelAsync();
        for (var n = 0; n < 10; n += 2)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked[n]);
        release.SetResult();
        for (var n = 1; n < 10; n += 2)
            Assert.Equal(V1.TrackerStatus.Unpinned, (await asked[n].WaitAsync(Limit)).Status);
        await cluster.IdleAsync();
    }

    [Fact]
    public async Task A_peer_that_does_not_answer_in_time_is_an_error()
    {
        var clock = new ManualClock();
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2, clock: clock));
        await cluster[0].Core.ForceAsync(Peer.Request(1, Peer.Factors(-1, -1)));
        var (asked, ended) = Hold(cluster[1]);
        var asking = cluster[0].Status.StatusAsync(Peer.Cid(1), local: false, CancellationToken.None).AsTask();
        await asked.Task.WaitAsync(Limit);
        clock.Advance(NetworkedPeer.Patient.Call);
        var status = await asking.WaitAsync(Limit);
        var failed = Assert.Single(status.Peers, p => p.Status == V1.TrackerStatus.ClusterError);
        Assert.Equal((cluster[1].Id, "context deadline exceeded"), (PeerId.FromBytes(failed.Peer.Span), failed.Error));
        await ended.Task.WaitAsync(Limit);
    }

    [Fact]
    public async Task A_caller_that_ends_its_side_too_early_gets_the_originals_error()
    {
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2));
        var (asked, ended) = Hold(cluster[1]);
        await using var stream = await cluster[0].Host.NewStreamAsync(cluster[1].Id, PeerCalls.Protocol);
        await SendAsync(stream, "PinTracker", "Status", writer => writer.Cid(Peer.Cid(1)));
        await asked.Task.WaitAsync(Limit);
        await stream.CloseWriteAsync();
        await ended.Task.WaitAsync(Limit);
        var (header, value) = await AnswerAsync(stream);
        Assert.Equal(("context canceled", CallErrorKind.Application, "81a163c0"), (header.Error, header.Kind, value));
    }

    [Fact]
    public async Task A_connection_that_breaks_ends_the_calls_on_it()
    {
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2));
        var (asked, ended) = Hold(cluster[1]);
        // A status would be asked for once more, on a new connection.
        var asking = cluster[0].Remote.TrackerOf(cluster[1].Id).RecoverAsync(Peer.Cid(1), 0, CancellationToken.None).AsTask();
        await asked.Task.WaitAsync(Limit);
        await cluster[0].Host.DisconnectAsync(cluster[1].Id);
        Assert.Equal(ClusterErrorKind.Unavailable, (await Assert.ThrowsAsync<ClusterException>(() => asking).WaitAsync(Limit)).Kind);
        await ended.Task.WaitAsync(Limit);
        await cluster.IdleAsync();
    }

    [Fact]
    public async Task Too_many_calls_of_one_peer_are_refused_by_name_and_others_served()
    {
        var limits = NetworkedPeer.Patient with { CallsPerPeer = 100 };
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(3, limits, new ServedCallLimits { PerPeer = 3, Total = 5 }));
        var release = new TaskCompletionSource();
        cluster[2].Core.Tracker.BeforeEach = token => release.Task.WaitAsync(token);
        var held = Enumerable.Range(0, 3).Select(n => StatusAsync(0, n)).ToList();
        // Those that wait in the tracker; what was refused may be counted as served a moment longer.
        await UntilAsync(() => cluster[2].Core.Tracker.Asked.Count == 3);
        var refused = await Assert.ThrowsAsync<ClusterException>(() => StatusAsync(0, 3));
        Assert.Equal("too many calls at a time: 3 of this peer are being served", refused.Message);

        held.AddRange(Enumerable.Range(0, 2).Select(n => StatusAsync(1, n)));
        await UntilAsync(() => cluster[2].Core.Tracker.Asked.Count == 5);
        refused = await Assert.ThrowsAsync<ClusterException>(() => StatusAsync(1, 3));
        Assert.Equal("too many calls at a time: 5 are being served", refused.Message);

        release.SetResult();
        await Task.WhenAll(held).WaitAsync(Limit);
        await cluster.IdleAsync();
        await StatusAsync(0, 1).WaitAsync(Limit);

        Task StatusAsync(int from, int cid) => cluster[from].Remote.TrackerOf(cluster[2].Id).RecoverAsync(Peer.Cid(cid), 0, CancellationToken.None).AsTask();
    }

    [Fact]
    public async Task Calls_beyond_our_own_limit_wait_for_their_turn()
    {
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2, NetworkedPeer.Patient with { CallsPerPeer = 2 }));
        int now = 0, most = 0;
        cluster[1].Core.Tracker.BeforeEach = async _ =>
        {
            // Counted before the answer leaves, and thus before its caller may ask again.
            var together = Interlocked.Increment(ref now);
            for (var seen = most; together > seen; seen = most)
                Interlocked.CompareExchange(ref most, together, seen);
            for (var i = 0; i < 20; i++)
                await Task.Yield();
            Interlocked.Decrement(ref now);
        };
        await Task.WhenAll(Enumerable.Range(0, 50).Select(n => cluster[0].Remote.TrackerOf(cluster[1].Id).RecoverAsync(Peer.Cid(n), 0, CancellationToken.None).AsTask()))
            .WaitAsync(Limit);
        Assert.Equal(50, cluster[1].Core.Tracker.Asked.Count);
        Assert.InRange(most, 1, 2);
    }

    [Fact]
    public async Task A_request_that_does_not_come_is_not_waited_for()
    {
        var clock = new ManualClock();
        var times = new CallLimits { Time = clock };
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2, served: new ServedCallLimits { Times = times }));
        foreach (var begun in new[] { 0, 10, 40 })
        {
            await using var stream = await cluster[0].Host.NewStreamAsync(cluster[1].Id, PeerCalls.Protocol);
            var request = new System.Buffers.ArrayBufferWriter<byte>();
            new ServiceId("PinTracker", "Status").Write(new MsgpackWriter(request));
            await stream.Output.WriteAsync(request.WrittenMemory[..Math.Min(begun, request.WrittenCount)]);
            var answer = AnswerAsync(stream);
            await clock.PassUntilAsync(answer, times.Request);
            await Assert.ThrowsAsync<StreamResetException>(() => answer);
        }

        await cluster.IdleAsync();
    }

    [Fact]
    public async Task A_caller_that_reads_nothing_is_given_up()
    {
        var clock = new ManualClock();
        var times = new CallLimits { Time = clock };
        var tracker = new LongListTracker(50_000);
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2, served: new ServedCallLimits { Times = times }, tracker: _ => tracker));
        await using var stream = await cluster[0].Host.NewStreamAsync(cluster[1].Id, PeerCalls.Protocol);
        await SendAsync(stream, "PinTracker", "StatusAll", writer => writer.Signed(0));
        await tracker.Begun.WaitAsync(Limit);
        Assert.Equal(1, cluster[1].ServedNow);
        var idle = cluster.IdleAsync();
        await clock.PassUntilAsync(idle, times.Stall);
        await idle;
    }

    [Fact]
    public async Task Nonsense_is_answered_with_an_error_or_a_reset_and_harms_nobody()
    {
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2));
        var random = new Random(11);
        for (var round = 0; round < 100; round++)
        {
            await using var stream = await cluster[0].Host.NewStreamAsync(cluster[1].Id, PeerCalls.Protocol);
            var garbage = new byte[random.Next(1, 200)];
            random.NextBytes(garbage);
            if (round % 2 == 0)
                await SendAsync(stream, "PinTracker", round % 4 == 0 ? "Status" : "StatusAll", _ => { });
            await stream.Output.WriteAsync(garbage);
            await stream.CloseWriteAsync();
            try
            {
                var (header, _) = await AnswerAsync(stream).WaitAsync(Limit);
                Assert.True(header.Error.Length > 0 || round % 2 == 0);
            }
            catch (Exception e) when (e is StreamResetException or EndOfStreamException)
            {
                // As well.
            }
        }

        await cluster.IdleAsync();
        Assert.Equal("peer1", (await cluster[0].Remote.IdAsync(cluster[1].Id, CancellationToken.None)).PeerName);
    }

    [Fact]
    public async Task A_value_without_end_is_cut_off()
    {
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2));
        foreach (var method in new[] { "", "Consensus.LogPin", "IPFSConnector.BlockStream" })
        {
            await using var stream = await cluster[0].Host.NewStreamAsync(cluster[1].Id, PeerCalls.Protocol);
            if (method.Length > 0)
                await SendAsync(stream, method.Split('.')[0], method.Split('.')[1], _ => { });
            var flooding = FloodAsync(stream);
            var (header, _) = await AnswerAsync(stream).WaitAsync(Limit);
            Assert.Contains("longer than", header.Error, StringComparison.Ordinal);
            stream.Reset();
            await Assert.ThrowsAsync<StreamResetException>(() => flooding).WaitAsync(Limit);
        }

        await cluster.IdleAsync();

        static async Task FloodAsync(PeerStream stream)
        {
            await stream.Output.WriteAsync(new byte[] { 0xdb, 0x7f, 0xff, 0xff, 0xff });
            while (true)
                await stream.Output.WriteAsync(new byte[1 << 16]);
        }
    }

    [Fact]
    public async Task A_peer_that_answers_nonsense_is_an_error()
    {
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(1));
        await using var liar = new Libp2pHost(new HostOptions { Key = PrivateKey.GenerateEd25519(), Listen = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")] });
        var random = new Random(3);
        liar.Handle(PeerCalls.Protocol, async (stream, token) =>
        {
            var garbage = new byte[random.Next(300)];
            random.NextBytes(garbage);
            await stream.Input.ReadAsync(token);
            await stream.Output.WriteAsync(garbage, token);
        });
        await liar.StartAsync();
        cluster[0].Host.Peerstore.AddAddresses(liar.Id, liar.ListenAddresses, AddressTtl.Permanent);
        var tracker = cluster[0].Remote.TrackerOf(liar.Id);
        for (var round = 0; round < 20; round++)
        {
            await Assert.ThrowsAsync<ClusterException>(() => tracker.StatusAsync(Peer.Cid(1), 0, CancellationToken.None).AsTask()).WaitAsync(Limit);
            await Assert.ThrowsAsync<ClusterException>(async () =>
            {
                await foreach (var _ in tracker.StatusAllAsync(0, 0, CancellationToken.None))
                {
                }

                // Nothing at all is an empty list; garbage is not.
                throw new ClusterException("empty");
            }).WaitAsync(Limit);
        }
    }

    /// <summary>The peer's tracker answers nothing until its question is given up.</summary>
    private static (TaskCompletionSource Asked, TaskCompletionSource Ended) Hold(NetworkedPeer peer)
    {
        TaskCompletionSource asked = new(), ended = new();
        peer.Core.Tracker.BeforeEach = async token =>
        {
            asked.TrySetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, token);
            }
            finally
            {
                ended.TrySetResult();
            }
        };
        return (asked, ended);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!condition())
            await Task.Delay(5, limit.Token);
    }

    private static async Task SendAsync(PeerStream stream, string service, string method, Action<MsgpackWriter> argument)
    {
        var request = new System.Buffers.ArrayBufferWriter<byte>();
        new ServiceId(service, method).Write(new MsgpackWriter(request));
        argument(new MsgpackWriter(request));
        await stream.Output.WriteAsync(request.WrittenMemory);
    }

    private static async Task<(ResponseHeader Header, string Value)> AnswerAsync(PeerStream stream)
    {
        while (true)
        {
            var read = await stream.Input.ReadAsync();
            var bytes = System.Buffers.BuffersExtensions.ToArray(read.Buffer);
            stream.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (MsgpackExtent.TryMeasure(new(bytes), out var header) && MsgpackExtent.TryMeasure(new(bytes.AsMemory((int)header)), out var value))
            {
                var reader = new MsgpackReader(bytes);
                return (ResponseHeader.Read(ref reader), Convert.ToHexStringLower(bytes.AsSpan((int)header, (int)value)));
            }

            if (read.IsCompleted)
                throw new EndOfStreamException();
        }
    }
}
