using Cluster.Consensus.Replication;
using Cluster.Model;
using Cluster.PinState.Transfer;

namespace Cluster.Consensus.Tests;

public sealed class GroupCommitTests : IAsyncLifetime
{
    private readonly Peer _peer = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _peer.DisposeAsync().AsTask();

    [Fact]
    public async Task Concurrent_commits_are_all_durable_in_order()
    {
        var commits = Enumerable.Range(0, 500).Select(i => Task.Run(async () => await _peer.ForceAsync(Peer.Request(i)))).ToList();
        var numbers = await Task.WhenAll(commits);

        Assert.Equal(500UL, _peer.State.Totals.Count);
        Assert.Equal(500UL, _peer.State.Totals.Sequence);
        Assert.All(numbers, n => Assert.InRange(n, 1UL, 500UL));
    }

    [Fact]
    public async Task What_waits_while_a_write_is_under_way_shares_the_next_one()
    {
        var writer = new HeldWriter { Gate = new ManualResetEventSlim() };
        using var commits = new GroupCommit(writer);
        var first = commits.CommitAsync([StateOperation.Remove(Peer.Cid(0))]);
        Assert.True(SpinWait.SpinUntil(() => writer.Writes == 1, TimeSpan.FromSeconds(60)));
        var others = await Task.WhenAll(Enumerable.Range(1, 500).Select(i => Task.Run(() => Task.FromResult(commits.CommitAsync([StateOperation.Remove(Peer.Cid(i))])))));
        writer.Gate.Set();
        await Task.WhenAll([first, .. others]).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(2, writer.Writes);
    }

    [Fact]
    public async Task One_that_cannot_be_written_does_not_take_the_others_with_it()
    {
        var bad = StateOperation.Put(new Pin { Cid = default });
        var tasks = new List<Task<ulong>>();
        for (var i = 0; i < 50; i++)
        {
            tasks.Add(_peer.Consensus.CommitAsync([i == 25 ? bad : StateOperation.Put(Peer.Request(i))], CancellationToken.None).AsTask());
        }

        for (var i = 0; i < 50; i++)
        {
            if (i == 25)
                await Assert.ThrowsAnyAsync<Exception>(() => tasks[25]);
            else
                await tasks[i];
        }

        Assert.Equal(49UL, _peer.State.Totals.Count);
    }

    [Fact]
    public async Task Removing_what_is_not_there_is_harmless()
    {
        await _peer.Consensus.CommitAsync([StateOperation.Remove(Peer.Cid(1))], CancellationToken.None);
        Assert.Equal(0UL, _peer.State.Totals.Sequence);
        await _peer.Consensus.CommitAsync([], CancellationToken.None);
    }

    [Fact]
    public async Task After_the_shutdown_nothing_is_accepted_and_what_was_is_written()
    {
        var accepted = Enumerable.Range(0, 100).Select(i => _peer.ForceAsync(Peer.Request(i)).AsTask()).ToList();
        await _peer.Consensus.ShutdownAsync(CancellationToken.None);
        await Task.WhenAll(accepted);
        Assert.Equal(100UL, _peer.State.Totals.Count);
        var error = Assert.Throws<ClusterException>(() => { _ = _peer.ForceAsync(Peer.Request(1)).AsTask(); });
        Assert.Equal(ClusterErrorKind.Unavailable, error.Kind);
    }

    [Fact]
    public async Task Whoever_commits_or_rings_at_the_moment_of_the_shutdown_is_answered_or_refused()
    {
        for (var round = 0; round < 200; round++)
        {
            var commits = new GroupCommit(new HeldWriter());
            using var start = new Barrier(3);
            var committing = Task.Run(async () =>
            {
                start.SignalAndWait();
                try
                {
                    while (true)
                        await commits.CommitAsync([StateOperation.Remove(Peer.Cid(1))]);
                }
                catch (ClusterException e) when (e.Kind == ClusterErrorKind.Unavailable)
                {
                    // Refused, as it should be.
                }
            });
            var ringing = Task.Run(() =>
            {
                start.SignalAndWait();
                for (var i = 0; i < 200; i++)
                    commits.Ring();
            });
            start.SignalAndWait();
            commits.Dispose();
            await Task.WhenAll(committing, ringing).WaitAsync(TimeSpan.FromSeconds(60));
        }
    }

    [Fact]
    public async Task Who_closes_a_second_time_waits_for_the_writes_too()
    {
        var writer = new HeldWriter { Gate = new ManualResetEventSlim() };
        var commits = new GroupCommit(writer);
        var accepted = commits.CommitAsync([StateOperation.Remove(Peer.Cid(1))]);
        var first = new Thread(commits.Dispose);
        first.Start();
        StandsStill(first);
        var written = false;
        var second = new Thread(() =>
        {
            commits.Dispose();
            written = accepted.IsCompletedSuccessfully;
        });
        second.Start();
        StandsStill(second);
        writer.Gate.Set();
        Assert.True(first.Join(TimeSpan.FromSeconds(60)) && second.Join(TimeSpan.FromSeconds(60)));
        Assert.True(written);
        await accepted;
    }

    [Fact]
    public async Task A_shutdown_that_nobody_waits_for_takes_place_all_the_same()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _peer.Consensus.ShutdownAsync(new CancellationToken(true)));
        Assert.True(SpinWait.SpinUntil(IsClosed, TimeSpan.FromSeconds(60)));

        bool IsClosed()
        {
            try
            {
                _ = _peer.Consensus.CommitAsync([StateOperation.Remove(Peer.Cid(1))], CancellationToken.None).AsTask();
                return false;
            }
            catch (ClusterException)
            {
                return true;
            }
        }
    }

    [Fact]
    public async Task Alone_a_peer_can_neither_take_in_nor_lose_members()
    {
        Assert.Equal([Peer.Self], await _peer.Consensus.PeersAsync(CancellationToken.None));
        Assert.True(_peer.Consensus.IsTrusted(Peer.Self));
        await _peer.Consensus.AddPeerAsync(Peer.Self, CancellationToken.None);
        Assert.Equal(
            ClusterErrorKind.FailedPrecondition,
            (await Assert.ThrowsAsync<ClusterException>(() => _peer.Consensus.AddPeerAsync(Peer.Id(1), CancellationToken.None))).Kind);
        Assert.Equal(
            "cannot remove ourselves from a 1-peer cluster",
            (await Assert.ThrowsAsync<ClusterException>(() => _peer.Consensus.RemovePeerAsync(Peer.Self, CancellationToken.None))).Message);
    }

    [Fact]
    public async Task A_bad_import_leaves_everything_as_it_was_and_cleaning_empties()
    {
        await _peer.PinAsync(Peer.Request(1));
        var error = await Assert.ThrowsAsync<ClusterException>(() => _peer.Consensus.ImportAsync(
            new MemoryStream("{\"cid\":\"x\"}"u8.ToArray()), new StateImportOptions(), CancellationToken.None));
        Assert.StartsWith("error importing state: ", error.Message, StringComparison.Ordinal);
        Assert.NotNull(_peer.State.Find(Peer.Cid(1)));

        await _peer.Consensus.CleanAsync(CancellationToken.None);
        Assert.Equal(0UL, _peer.State.Totals.Count);
    }

    /// <summary>Waits until a thread waits for something, or has ended.</summary>
    private static void StandsStill(Thread thread) => Assert.True(
        SpinWait.SpinUntil(() => (thread.ThreadState & (ThreadState.WaitSleepJoin | ThreadState.Stopped)) != 0, TimeSpan.FromSeconds(60)));

    /// <summary>Writes nothing, as soon as it may.</summary>
    private sealed class HeldWriter : IGroupWriter
    {
        private int _writes;

        public ManualResetEventSlim Gate { get; init; } = new(true);

        public ulong Sequence => 0;

        public int Writes => Volatile.Read(ref _writes);

        public ulong Write(IReadOnlyList<CommitRequest> requests)
        {
            Interlocked.Increment(ref _writes);
            Gate.Wait(TimeSpan.FromSeconds(60));
            return 0;
        }

        public void Answered()
        {
        }
    }
}
