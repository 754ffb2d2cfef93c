using Cluster.Consensus.Rpc;
using Google.Protobuf;
using Ipld;
using Libp2p;
using Microsoft.Extensions.Logging.Abstractions;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>Blocks to the daemons of other peers.</summary>
public sealed class BlockTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private Cluster _cluster = new([]);

    public async Task InitializeAsync() => _cluster = new Cluster(await NetworkedPeer.ClusterAsync(3));

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Blocks_of_every_size_arrive_in_order()
    {
        // Larger than a stream's first window, too: it opens only while the block is being read.
        var sizes = new[] { 0, 1, 1000, 262_158, 2 << 20, 5 };
        var blocks = sizes.Select((size, n) => BlockOf(n, size)).ToList();
        long written = 0;
        await _cluster[0].Remote.DaemonOf(_cluster[1].Id).PutBlocksAsync(AsyncOf(blocks), count => written += count, CancellationToken.None).WaitAsync(Limit);
        Assert.Equal(blocks, _cluster[1].Core.Daemon.Stored);
        Assert.Equal(sizes.Length, written);
    }

    [Fact]
    public async Task No_block_at_all_is_the_originals_error()
    {
        var error = await Assert.ThrowsAsync<ClusterException>(() =>
            _cluster[0].Remote.DaemonOf(_cluster[1].Id).PutBlocksAsync(AsyncOf([]), _ => { }, CancellationToken.None));
        Assert.Equal("BlockStream: no blocks to peek in blocks channel", error.Message);
    }

    [Fact]
    public async Task A_daemon_that_refuses_says_why()
    {
        _cluster[1].Core.Daemon.Error = "Post \"http://127.0.0.1:5001/api/v0/block/put\": connection refused";
        var error = await Assert.ThrowsAsync<ClusterException>(() =>
            _cluster[0].Remote.DaemonOf(_cluster[1].Id).PutBlocksAsync(EndlessAsync(), _ => { }, CancellationToken.None)).WaitAsync(Limit);
        Assert.Equal(_cluster[1].Core.Daemon.Error, error.Message);
        await _cluster.IdleAsync();
    }

    [Fact]
    public async Task A_slow_daemon_holds_the_sender_back()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _cluster[1].Core.Daemon.BeforeEachBlock = token =>
        {
            asked.TrySetResult();
            return open.Task.WaitAsync(token);
        };
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sent = 0;
        var sending = _cluster[0].Remote.DaemonOf(_cluster[1].Id).PutBlocksAsync(CountedAsync(), _ => { }, CancellationToken.None);
        await asked.Task.WaitAsync(Limit);
        await first.Task.WaitAsync(Limit);
        await _cluster[0].RoundTripsAsync(_cluster[1]);
        Assert.InRange(Volatile.Read(ref sent), 1, 40);
        open.SetResult();
        await sending.WaitAsync(Limit);
        Assert.Equal(100, _cluster[1].Core.Daemon.Stored.Count);

        async IAsyncEnumerable<IReadOnlyList<V1.Block>> CountedAsync()
        {
            while (sent < 100)
            {
                await Task.Yield();
                yield return [BlockOf(sent, 262_144)];
                Volatile.Write(ref sent, sent + 1);
                first.TrySetResult();
            }
        }
    }

    [Fact]
    public async Task A_daemon_that_takes_nothing_more_has_failed()
    {
        var clock = new ManualClock();
        await using var cluster = new Cluster(await NetworkedPeer.ClusterAsync(2, clock: clock));
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster[1].Core.Daemon.BeforeEachBlock = token =>
        {
            asked.TrySetResult();
            return Task.Delay(Timeout.Infinite, token);
        };
        var sending = cluster[0].Remote.DaemonOf(cluster[1].Id).PutBlocksAsync(EndlessAsync(), _ => { }, CancellationToken.None);
        await asked.Task.WaitAsync(Limit);
        await clock.PassUntilAsync(sending, NetworkedPeer.Patient.BlockStall);
        var error = await Assert.ThrowsAsync<ClusterException>(() => sending);
        Assert.Equal((ClusterErrorKind.Unavailable, "context deadline exceeded"), (error.Kind, error.Message));
        await cluster.IdleAsync();
    }

    [Fact]
    public async Task A_source_that_fails_ends_the_stream_and_nothing_counts_as_stored()
    {
        var error = await Assert.ThrowsAsync<ClusterException>(() =>
            _cluster[0].Remote.DaemonOf(_cluster[1].Id).PutBlocksAsync(FailingAsync(), _ => Assert.Fail("told of blocks"), CancellationToken.None)).WaitAsync(Limit);
        Assert.Equal("the source broke", error.Message);
        await _cluster.IdleAsync();

        static async IAsyncEnumerable<IReadOnlyList<V1.Block>> FailingAsync()
        {
            yield return [BlockOf(1, 100)];
            await Task.Yield();
            throw new ClusterException("the source broke");
        }
    }

    [Fact]
    public async Task Several_daemons_get_all_blocks_and_those_that_fail_are_told_of()
    {
        var dead = PrivateKey.GenerateEd25519().PeerId;
        _cluster[2].Core.Daemon.Error = "disk full";
        var told = new Dictionary<PeerId, (long Written, string Error)>();
        var daemons = new[]
        {
            (_cluster[0].Id, (Clients.IDaemon)_cluster[0].Core.Daemon), (_cluster[1].Id, _cluster[0].Remote.DaemonOf(_cluster[1].Id)),
            (_cluster[2].Id, _cluster[0].Remote.DaemonOf(_cluster[2].Id)), (dead, _cluster[0].Remote.DaemonOf(dead)),
        };
        await using (var fan = new BlockFan(daemons, NullLogger.Instance, CancellationToken.None))
        {
            var reporting = fan.ReportAsync(
                response =>
                {
                    foreach (var destination in response.Destinations)
                    {
                        var peer = PeerId.FromBytes(destination.Peer.Span);
                        var known = told.GetValueOrDefault(peer, (0, ""));
                        told[peer] = (known.Item1 + destination.Written, known.Item2 + destination.Error?.Message);
                    }

                    return Task.CompletedTask;
                },
                CancellationToken.None);
            for (var i = 0; i < 50; i++)
                await fan.PutAsync([BlockOf(2 * i, 100), BlockOf(2 * i + 1, 1000)], CancellationToken.None).AsTask().WaitAsync(Limit);
            fan.Complete();
            await reporting.WaitAsync(Limit);
        }

        Assert.Equal(4, told.Count);
        Assert.Equal((100, ""), told[_cluster[0].Id]);
        Assert.Equal((100, ""), told[_cluster[1].Id]);
        Assert.Equal((0, "disk full"), told[_cluster[2].Id]);
        Assert.Equal((0, "failed to find any peer in table"), told[dead]);
        Assert.Equal(_cluster[0].Core.Daemon.Stored, _cluster[1].Core.Daemon.Stored);
        Assert.Equal(100, _cluster[1].Core.Daemon.Stored.Count);
    }

    [Fact]
    public async Task A_daemon_that_fails_while_its_news_are_being_told_is_told_of_too()
    {
        // Continuations run within SetException, so that all has ended when it returns.
        var second = new TaskCompletionSource();
        var daemon = new FakeDaemon();
        daemon.BeforeEachBlock = _ => daemon.Stored.IsEmpty ? Task.CompletedTask : second.Task;
        var told = new List<string>();
        await using var fan = new BlockFan([(_cluster[0].Id, daemon)], NullLogger.Instance, CancellationToken.None);
        var reporting = fan.ReportAsync(
            response =>
            {
                var destination = Assert.Single(response.Destinations);
                told.Add($"{destination.Written} {destination.Error?.Message}");
                second.TrySetException(new ClusterException("disk full"));
                return Task.CompletedTask;
            },
            CancellationToken.None);
        await fan.PutAsync([BlockOf(1, 100)], CancellationToken.None);
        await fan.PutAsync([BlockOf(2, 100)], CancellationToken.None);
        await reporting.WaitAsync(Limit);
        Assert.Equal(["1 ", "0 disk full"], told);
    }

    [Fact]
    public async Task Hash_functions_and_codecs_may_change_within_a_stream()
    {
        var cids = new[] { "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am", "QmfYbfjP7BNyGvZA6FfrMxk8DzUTM4J7XZJaHzNjbhL3Bz" }.Select(Cid.Parse).ToList();
        await _cluster[0].Remote.DaemonOf(_cluster[1].Id).PutBlocksAsync(
            AsyncOf([.. cids.Select(c => new V1.Block { Cid = ByteString.CopyFrom(c.Bytes), Data = ByteString.CopyFrom(1) })]), _ => { }, CancellationToken.None);
        Assert.Equal(cids, _cluster[1].Core.Daemon.Stored.Select(b => Cid.FromBytes(b.Cid.Span)));
    }

    private static V1.Block BlockOf(int number, int size)
    {
        var data = new byte[size];
        new Random(number).NextBytes(data);
        return new V1.Block { Cid = ByteString.CopyFrom(Peer.Cid(number).Bytes), Data = UnsafeByteOperations.UnsafeWrap(data) };
    }

    private static async IAsyncEnumerable<IReadOnlyList<V1.Block>> AsyncOf(IReadOnlyList<V1.Block> blocks)
    {
        foreach (var block in blocks)
        {
            await Task.Yield();
            yield return [block];
        }
    }

    private static async IAsyncEnumerable<IReadOnlyList<V1.Block>> EndlessAsync()
    {
        for (var i = 0; ; i++)
        {
            await Task.Yield();
            yield return [BlockOf(i, 100_000)];
        }
    }
}
