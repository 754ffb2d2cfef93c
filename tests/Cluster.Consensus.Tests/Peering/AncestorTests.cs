using Cluster.Consensus.CrdtReplication;
using Cluster.Consensus.Peering;
using Crdt;
using Libp2p;

namespace Cluster.Consensus.Tests.Peering;

/// <summary>Nodes with all their ancestors in one stream, between peers of this program.</summary>
public sealed class AncestorTests
{
    /// <summary>Nodes that come one by one before a peer is asked for the rest, with some to spare for chance.</summary>
    private const int FewFetches = 4 * BlockFetcher.OneByOne;

    /// <summary>Blocks that a peer tells rightly before it does what a test is about.</summary>
    private const int Rightly = 100;

    private readonly CancellationToken _limit = new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token;

    [Fact]
    public async Task A_peer_that_joins_reads_a_long_chain_in_one_stream()
    {
        await using var old = await new LinkedPeer(pins: 5_000).StartAsync();

        // Whose patience does not run out, however slowly the other one tells.
        await using var fresh = await new LinkedPeer(clock: new ManualClock()).StartAsync();
        await fresh.DialAsync(old);
        await fresh.CatchUpAsync(old);
        Assert.Equal(1, fresh.Asked.Streams);
        Assert.InRange(fresh.Asked.Fetches, 1, FewFetches);
        Assert.Equal(5_000, fresh.Asked.Fetches + fresh.Asked.Told);
    }

    [Fact]
    public async Task A_peer_that_comes_back_reads_little_more_than_what_it_lacks()
    {
        await using var old = await new LinkedPeer(pins: 3_500).StartAsync();
        await using var returning = await new LinkedPeer(pins: 3_000, clock: new ManualClock()).StartAsync();
        await returning.DialAsync(old);
        await returning.CatchUpAsync(old);
        Assert.InRange(returning.Asked.Fetches, 1, FewFetches);
        await UntilAsync(() => old.Network.Ancestors!.Told == 0); // the stream was reset
        Assert.InRange(returning.Asked.Told, 500 - FewFetches, 500 + BlockFetcher.MostOldInARow);
    }

    [Fact]
    public async Task Peers_that_keep_up_ask_for_no_ancestors()
    {
        await using var writer = await new LinkedPeer(pins: 10).StartAsync();
        await using var reader = await new LinkedPeer(pins: 10).StartAsync();
        await reader.DialAsync(writer);
        while (!writer.Network.Gossip.MeshOf(writer.Network.HeadsTopic).Contains(reader.Id))
            await Task.Delay(5, _limit);
        for (var i = 10; i < 40; i++)
        {
            await writer.PinAsync(i);
            await reader.CatchUpAsync(writer);
        }

        Assert.Equal(0, reader.Asked.Streams);
        Assert.Equal(0, writer.Asked.Streams);
    }

    [Fact]
    public async Task A_peer_without_the_protocol_is_asked_for_one_block_after_the_other()
    {
        await using var old = new LinkedPeer(pins: 300);
        old.Network.Host.RemoveHandler(AncestorStreams.Protocol);
        await old.StartAsync();
        await using var fresh = await new LinkedPeer().StartAsync();
        await fresh.DialAsync(old);
        await fresh.CatchUpAsync(old);
        Assert.Equal(0, fresh.Asked.Streams);
        Assert.Equal(300, fresh.Asked.Fetches);
    }

    [Theory]
    [InlineData("other bytes")]
    [InlineData("another node")]
    [InlineData("the last one for ever")]
    [InlineData("too long a block")]
    [InlineData("an early end")]
    [InlineData("a reset")]
    public async Task A_peer_that_tells_something_else_does_no_harm(string lie)
    {
        await using var old = new LinkedPeer(pins: 400);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        old.Network.Host.Handle(AncestorStreams.Protocol, async (stream, token) =>
        {
            try
            {
                var last = await TellAsync(old, stream, Rightly, token);
                switch (lie)
                {
                    case "other bytes":
                        last[^1] ^= 1;
                        stream.Output.WriteFrame(last);
                        break;
                    case "another node":
                        stream.Output.WriteFrame(new DagNode { Links = [], Delta = new Delta { Priority = 1 } }.Encode());
                        break;
                    case "the last one for ever":
                        while (true)
                        {
                            stream.Output.WriteFrame(last);
                            await stream.Output.FlushAsync(token);
                        }

                    case "too long a block":
                        stream.Output.WriteFrame(new byte[5 << 20]);
                        break;
                    case "a reset":
                        stream.Reset();
                        return;
                }

                await stream.Output.FlushAsync(token);
                await stream.CloseWriteAsync();
            }
            catch (StreamResetException)
            {
                // What it says was refused.
            }
            finally
            {
                ended.SetResult();
            }
        });
        await old.StartAsync();
        await using var fresh = await new LinkedPeer(clock: new ManualClock()).StartAsync();
        await fresh.DialAsync(old);
        await fresh.CatchUpAsync(old);
        await ended.Task.WaitAsync(_limit);

        // It is not asked again so soon, and for the asker no time has passed.
        Assert.Equal(1, fresh.Asked.Streams);
        Assert.InRange(fresh.Asked.Fetches, 400 - Rightly, 400);
    }

    [Fact]
    public async Task A_peer_that_falls_silent_is_waited_for_so_long_and_the_rest_is_fetched()
    {
        await using var old = new LinkedPeer(pins: 400);
        old.Network.Host.Handle(AncestorStreams.Protocol, async (stream, token) =>
        {
            await TellAsync(old, stream, Rightly, token);
            await Task.Delay(Timeout.InfiniteTimeSpan, token);
        });
        await old.StartAsync();
        var clock = new ManualClock();
        await using var fresh = await new LinkedPeer(clock: clock).StartAsync();
        await fresh.DialAsync(old);
        await UntilAsync(() => fresh.Asked.WaitsFor == Rightly + 1);
        clock.Advance(TimeSpan.FromSeconds(10));
        await fresh.CatchUpAsync(old);
        Assert.Equal(1, fresh.Asked.Streams);
    }

    [Fact]
    public async Task A_cut_in_the_middle_is_made_good_by_another_stream()
    {
        await using var old = new LinkedPeer(pins: 2_000);
        var cut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        old.Network.Host.Handle(AncestorStreams.Protocol, async (stream, token) =>
        {
            if (cut.Task.IsCompleted)
            {
                await TellAsync(old, stream, int.MaxValue, token);
                await stream.CloseWriteAsync();
                return;
            }

            await TellAsync(old, stream, Rightly, token);
            await stream.Connection.CloseAsync();
            cut.SetResult();
        });
        await old.StartAsync();
        await using var fresh = await new LinkedPeer().StartAsync();
        var first = await fresh.DialAsync(old);
        await first.Closed.WaitAsync(_limit);
        await cut.Task.WaitAsync(_limit);
        await fresh.DialAsync(old);
        await fresh.CatchUpAsync(old);
        Assert.Equal(2, fresh.Asked.Streams);
        Assert.InRange(fresh.Asked.Fetches, 1, 2 * FewFetches);
    }

    [Fact]
    public async Task A_peer_that_is_not_trusted_is_told_nothing()
    {
        await using var wary = await new LinkedPeer(pins: 50, settings: new CrdtSettings { TrustAll = false }).StartAsync();
        await using var stranger = await new LinkedPeer().StartAsync();
        var connection = await stranger.DialAsync(wary);
        Assert.Null(await AskAsync(connection, wary));
    }

    [Fact]
    public async Task A_peer_that_is_not_trusted_is_not_asked()
    {
        await using var old = await new LinkedPeer(pins: 100).StartAsync();
        await using var wary = await new LinkedPeer(settings: new CrdtSettings { TrustAll = false }).StartAsync();
        var connection = await wary.DialAsync(old);
        await connection.Identified.WaitAsync(_limit);
        Assert.Null(wary.Network.ReadAncestors([old.Heads.Keys.Single()], old.Id));
        wary.Consensus.Trust(old.Id);
        await using var reader = wary.Network.ReadAncestors([old.Heads.Keys.Single()], null);
        Assert.Equal(old.Id, reader?.Peer);
    }

    [Fact]
    public async Task Few_streams_at_a_time_are_told_and_one_that_is_not_read_ends()
    {
        var clock = new ManualClock();
        await using var old = await new LinkedPeer(pins: 10_000, clock: clock).StartAsync();
        await using var asker = await new LinkedPeer(settings: new CrdtSettings { TrustAll = false }).StartAsync();
        var connection = await asker.DialAsync(old);
        await using var first = await AskAsync(connection, old);
        await using var second = await AskAsync(connection, old);
        Assert.NotNull(first);
        Assert.NotNull(second);
        Assert.Null(await AskAsync(connection, old));
        while (old.Network.Ancestors!.Told > 0)
        {
            // Again and again, as a teller may have begun to wait only after the clock had moved.
            _limit.ThrowIfCancellationRequested();
            clock.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(20, _limit);
        }
    }

    [Fact]
    public async Task Who_waits_for_a_block_at_a_peer_that_joins_gets_it_as_soon_as_it_was_told()
    {
        await using var old = await new LinkedPeer(pins: 200).StartAsync();
        await using var between = await new LinkedPeer().StartAsync();
        await using var behind = await NetworkPeer.StartAsync(NetworkPeer.SettingsFor(LinkedPeer.Hidden), p => p.Replica.TrustAll = false);
        await behind.Network.Host.DialAsync(between.Network.Host.ListenAddresses[0].WithPeer(between.Id), _limit);
        var bytes = await OldestAsync(old);
        var waiting = behind.Network.FetchAsync(BlockId.Of(bytes).ToCid(), between.Id, _limit);
        await UntilAsync(() => between.Network.Host.Traffic.Any(t => t.Protocol.StartsWith("/ipfs/bitswap", StringComparison.Ordinal) && t.Received > 0));

        await between.DialAsync(old);
        Assert.Equal(bytes, (await waiting.WaitAsync(_limit)).ToArray());
    }

    private async Task<byte[]> OldestAsync(LinkedPeer peer)
    {
        var walk = new AncestorWalk(peer.Consensus.Blocks);
        await walk.BeginAsync(peer.Heads.Keys.Single(), _limit);
        ReadOnlyMemory<byte> oldest = default;
        while (await walk.NextAsync(_limit) is { } block)
            oldest = block;
        return oldest.ToArray();
    }

    /// <summary>Asks for the ancestors of a peer's heads; gives the stream with the first block read, or null when it is reset instead.</summary>
    private async Task<PeerStream?> AskAsync(PeerConnection connection, LinkedPeer of)
    {
        PeerStream? stream = null;
        try
        {
            stream = await connection.NewStreamAsync(AncestorStreams.Protocol, _limit);
            stream.Output.WriteFrame(HeadsMessage.Encode([.. of.Heads.Keys]));
            await stream.Output.FlushAsync(_limit);
            Assert.Equal(of.Heads.Keys.Single(), BlockId.Of(await stream.Input.ReadFrameBytesAsync(1 << 20, _limit)));
            return stream;
        }
        catch (StreamResetException)
        {
            stream?.Reset();
            return null;
        }
    }

    /// <summary>Tells so many blocks as it should; gives the last one.</summary>
    private static async Task<byte[]> TellAsync(LinkedPeer peer, PeerStream stream, int blocks, CancellationToken cancellationToken)
    {
        var question = await stream.Input.ReadFrameBytesAsync(1 << 18, cancellationToken);
        var walk = new AncestorWalk(peer.Consensus.Blocks);
        foreach (var block in HeadsMessage.Parse(question))
            await walk.BeginAsync(block, cancellationToken);
        ReadOnlyMemory<byte> last = default;
        for (var i = 0; i < blocks && await walk.NextAsync(cancellationToken) is { } block; i++)
            stream.Output.WriteFrame((last = block).Span);
        await stream.Output.FlushAsync(cancellationToken);
        return last.ToArray();
    }

    private async Task UntilAsync(Func<bool> holds)
    {
        while (!holds())
            await Task.Delay(5, _limit);
    }
}
