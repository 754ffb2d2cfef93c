using Google.Protobuf;
using Grpc.Core;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>The contract's PutBlocks over a real gRPC server.</summary>
public sealed class PutBlocksCallTests
{
    private static DateTime Soon => DateTime.UtcNow.AddSeconds(60);

    [Fact]
    public async Task Blocks_are_taken_and_a_peer_out_of_reach_is_told_of_while_the_rest_goes_on()
    {
        await using var served = await ServedPeer.StartAsync();
        var self = ByteString.CopyFrom(Peer.Self.Bytes);
        var dead = ByteString.CopyFrom(Peer.Id(5).Bytes);
        using var call = served.Network.PutBlocks(deadline: Soon);
        await call.RequestStream.WriteAsync(new V1.NetworkPutBlocksRequest { Peers = { self, dead }, Blocks = { BlockOf(0), BlockOf(1) } });
        for (var i = 2; i < 20; i++)
            await call.RequestStream.WriteAsync(new V1.NetworkPutBlocksRequest { Blocks = { BlockOf(i) } });
        await call.RequestStream.CompleteAsync();
        var told = await call.ResponseStream.ReadAllAsync().SelectMany(r => r.Destinations).ToListAsync();
        Assert.Equal(20, told.Where(d => d.Peer == self).Sum(d => d.Written));
        Assert.All(told.Where(d => d.Peer == self), d => Assert.Null(d.Error));
        Assert.Equal((int)StatusCode.Unavailable, Assert.Single(told, d => d.Peer == dead).Error.Code);
        Assert.Equal(Enumerable.Range(0, 20).Select(BlockOf), served.Peer.Daemon.Stored);
    }

    [Fact]
    public async Task When_nobody_is_left_the_stream_ends_before_the_blocks()
    {
        await using var served = await ServedPeer.StartAsync();
        using var call = served.Network.PutBlocks(deadline: Soon);
        await call.RequestStream.WriteAsync(new V1.NetworkPutBlocksRequest { Peers = { ByteString.CopyFrom(Peer.Id(5).Bytes) }, Blocks = { BlockOf(0) } });
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.NotEmpty(Assert.Single(call.ResponseStream.Current.Destinations).Error.Message);
        Assert.False(await call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task A_stream_that_names_nobody_is_refused()
    {
        await using var served = await ServedPeer.StartAsync();
        using var call = served.Network.PutBlocks(deadline: Soon);
        await call.RequestStream.WriteAsync(new V1.NetworkPutBlocksRequest { Blocks = { BlockOf(0) } });
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    private static V1.Block BlockOf(int number) => new() { Cid = ByteString.CopyFrom(Peer.Cid(number).Bytes), Data = ByteString.CopyFromUtf8($"block {number}") };
}
