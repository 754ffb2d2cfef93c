using Cluster.Consensus.Rpc;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>Single statuses of another peer, over the one stream that lasts.</summary>
public sealed class StatusLineTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private Cluster _cluster = new([]);

    private Clients.ITracker Remote => _cluster[0].Remote.TrackerOf(_cluster[1].Id);

    public async Task InitializeAsync() => _cluster = new Cluster(await NetworkedPeer.ClusterAsync(2));

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task A_slow_answer_holds_up_no_other()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _cluster[1].Core.Tracker.BeforeEach = token => asked.TrySetResult() ? release.Task.WaitAsync(token) : Task.CompletedTask;
        var slow = StatusAsync(0);
        await asked.Task.WaitAsync(Limit);
        for (var n = 1; n <= 100; n++)
            Assert.Equal(V1.TrackerStatus.Unpinned, (await StatusAsync(n).WaitAsync(Limit)).Status);
        Assert.False(slow.IsCompleted);
        release.SetResult();
        await slow.WaitAsync(Limit);
    }

    [Fact]
    public async Task All_questions_share_one_stream()
    {
        await StatusAsync(0).WaitAsync(Limit);
        var connection = Assert.Single(_cluster[0].Host.ConnectionsTo(_cluster[1].Id));
        // Each side asks the other who it is, on streams of their own.
        await connection.Identified.WaitAsync(Limit);
        await Assert.Single(_cluster[1].Host.ConnectionsTo(_cluster[0].Id)).Identified.WaitAsync(Limit);
        await UntilAsync(() => connection.StreamCount == 1);
        var release = new TaskCompletionSource();
        var tracker = _cluster[1].Core.Tracker;
        tracker.BeforeEach = token => release.Task.WaitAsync(token);
        var asking = Enumerable.Range(1, 100).Select(StatusAsync).ToList();
        await UntilAsync(() => tracker.Asked.Count == 101);
        Assert.Equal(1, connection.StreamCount);
        release.SetResult();
        await Task.WhenAll(asking).WaitAsync(Limit);
    }

    [Fact]
    public async Task The_answer_is_as_of_the_state_that_the_asked_peer_has()
    {
        await _cluster[1].Core.ForceAsync(Peer.Request(1, Peer.Factors(-1, -1)));
        await StatusAsync(1).WaitAsync(Limit);
        Assert.Equal(_cluster[1].Consensus.State.Totals.Sequence, Assert.Single(_cluster[1].Core.Tracker.Asked).Sequence);
    }

    [Fact]
    public async Task Who_is_not_trusted_any_more_gets_no_answer()
    {
        await StatusAsync(1).WaitAsync(Limit);
        _cluster[1].Consensus.Trusted.Remove(_cluster[0].Id);
        var refused = await Assert.ThrowsAsync<ClusterException>(() => StatusAsync(2)).WaitAsync(Limit);
        Assert.Equal((ClusterErrorKind.NotTrusted, "client does not have permissions to call PinTracker.Status"), (refused.Kind, refused.Message));
        Assert.Single(_cluster[1].Core.Tracker.Asked);
    }

    [Fact]
    public async Task A_connection_that_broke_between_two_questions_is_not_noticed()
    {
        for (var n = 0; n < 20; n++)
        {
            await StatusAsync(n).WaitAsync(Limit);
            await _cluster[n % 2].Host.DisconnectAsync(_cluster[1 - n % 2].Id);
        }

        Assert.Equal(20, _cluster[1].Core.Tracker.Asked.Count);
    }

    [Fact]
    public async Task Nonsense_ends_the_stream_and_harms_nobody()
    {
        var random = new Random(5);
        for (var round = 0; round < 50; round++)
        {
            await using var stream = await _cluster[0].Host.NewStreamAsync(_cluster[1].Id, StatusLine.Protocol);
            var garbage = new byte[random.Next(1, 100)];
            random.NextBytes(garbage);
            try
            {
                if (round % 2 == 0)
                    stream.Output.WriteFrame(garbage);
                else
                    await stream.Output.WriteAsync(garbage);
                await stream.CloseWriteAsync();
                while (await stream.Input.ReadFrameBytesAsync(1 << 20).AsTask().WaitAsync(Limit) is not null)
                {
                    // Whatever of it looked like a question is answered with an error.
                }
            }
            catch (IOException)
            {
                // Reset.
            }
        }

        await StatusAsync(1).WaitAsync(Limit);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!condition())
            await Task.Delay(5, limit.Token);
    }

    private Task<V1.PinInfo> StatusAsync(int cid) => Remote.StatusAsync(Peer.Cid(cid), 0, CancellationToken.None).AsTask();
}
