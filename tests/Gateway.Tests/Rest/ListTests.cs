using Cluster.Contracts.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Gateway.Tests.Rest;

public sealed class ListTests
{
    [Fact]
    public async Task Nothing_is_a_204_with_its_headers()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        Http.RawAnswer answer = peer.Get("/pins");
        Assert.Equal(204, answer.Status);
        Assert.Equal("X-Stream-Error", answer["Trailer"]);
        Assert.Equal("application/json", answer["Content-Type"]);
    }

    [Fact]
    public async Task A_list_streams_and_ends_with_an_empty_trailer()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        for (int i = 0; i < 5000; i++)
        {
            ByteString cid = Cid(i);
            peer.Cluster.Pins[cid] = new Pin { Cid = cid, Type = PinType.Data, MaxDepth = -1, Options = new PinOptions { Name = $"pin {i}" } };
        }

        Http.RawAnswer answer = peer.Get("/allocations");
        Assert.Equal(200, answer.Status);
        Assert.Equal(5000, answer.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count());
        Assert.Equal(["X-Stream-Error="], answer.Trailers.Select(t => $"{t.Key}={t.Value}"));
    }

    [Fact]
    public async Task The_first_items_arrive_while_the_others_are_not_there_yet()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        var go = new TaskCompletionSource();
        peer.Cluster.StatusAllAnswer = async (stream, _) =>
        {
            await stream.WriteAsync(Batch(1));
            await go.Task;
            await stream.WriteAsync(Batch(2));
        };
        using var client = new Http.RawHttp(peer.Endpoint);
        client.Send("GET /pins HTTP/1.1\r\nHost: x\r\n\r\n");
        // The head comes with the first item; only then may the second leave.
        client.AwaitHead();
        go.SetResult();
        Assert.Equal(2, client.Read().Chunks.Count);
    }

    [Fact]
    public async Task A_failure_before_the_first_item_is_a_500_and_a_late_one_stands_in_the_trailer()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        var failure = new RpcException(new Status(StatusCode.Internal, "could not get pinset from IPFS"));
        peer.Cluster.StatusAllAnswer = (_, _) => throw failure;
        Http.RawAnswer early = peer.Get("/pins?local=true");
        Assert.Equal(500, early.Status);
        Assert.Equal("{\"code\":500,\"message\":\"could not get pinset from IPFS\"}\n", early.Body);
        Assert.Equal("X-Stream-Error", early["Trailer"]);

        peer.Cluster.StatusAllAnswer = async (stream, _) =>
        {
            await stream.WriteAsync(Batch(1));
            throw failure;
        };
        Http.RawAnswer late = peer.Get("/pins");
        Assert.Equal(200, late.Status);
        Assert.Equal(["", "could not get pinset from IPFS"], late.Trailers.Select(t => t.Value));
    }

    [Fact]
    public async Task Single_failures_follow_the_items_that_succeeded()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        peer.Cluster.StatusAllAnswer = async (stream, request) =>
        {
            Assert.Equal(2, request.Cids.Count);
            GlobalPinInfoBatch batch = Batch(1);
            batch.Failures.Add(new StatusFailure { Cid = Cid(2), Error = new ItemError { Code = 13, Message = "lost" } });
            await stream.WriteAsync(batch);
        };
        string cids = string.Join(',', new[] { 1, 2 }.Select(i => Ipld.Cid.FromBytes(Cid(i).Span).ToString()));
        Assert.Equal(["", "lost"], peer.Get($"/pins?cids={cids}").Trailers.Select(t => t.Value));
    }

    private static GlobalPinInfoBatch Batch(int number) => new() { Items = { new GlobalPinInfo { Cid = Cid(number), InPinset = true } } };

    private static ByteString Cid(int number) => ByteString.CopyFrom([1, 0x55, 0, 4, .. BitConverter.GetBytes(number)]);
}
