using System.Text.Json.Nodes;

namespace Gateway.Tests.Rest;

public sealed class PinTests
{
    private const string Cid = "bafkreicz44ewevuc3ds2k4ncwep2is2uyojynhz2jg5wppvbqax4ne3zoi";

    [Fact]
    public async Task A_pin_is_echoed_and_then_read_back()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        Assert.Equal(
            $$"""{"replication_factor_min":1,"replication_factor_max":1,"name":"a <b>","mode":"recursive","shard_size":0,"user_allocations":[],"expire_at":"2099-01-02T03:04:05.678+02:00","metadata":{},"pin_update":null,"origins":null,"cid":"{{Cid}}","type":"pin","allocations":[],"max_depth":-1,"reference":null,"timestamp":"2023-11-14T22:13:20.000000005Z"}""".Replace("<", "\\u003c").Replace(">", "\\u003e") + "\n",
            peer.Request("POST", $"/pins/{Cid}?name=a%20%3Cb%3E&replication=1&user-allocations=x&expire-at=2099-01-02T03:04:05.678%2B02:00").Body);
        JsonNode stored = JsonNode.Parse(peer.Get($"/allocations/{Cid}").Body)!;
        Assert.Null(stored["metadata"]);
        Assert.Null(stored["user_allocations"]);
        Assert.Equal("[]", stored["origins"]!.ToJsonString());
        Assert.Equal("pinned", (string?)JsonNode.Parse(peer.Get($"/pins/{Cid}").Body)!["peer_map"]![FakePeer.PeerText]!["status"]);
        Assert.Equal(200, peer.Request("DELETE", $"/pins/{Cid}").Status);
        Http.RawAnswer gone = peer.Request("DELETE", $"/pins/{Cid}");
        Assert.Equal(404, gone.Status);
        Assert.Equal("{\"code\":404,\"message\":\"pin is not part of the pinset\"}\n", gone.Body);
    }

    [Theory]
    [InlineData("POST", "/pins/notacid", "error decoding Cid: invalid cid: selected encoding not supported")]
    [InlineData("POST", "/pins/ipfs/notacid", "error parsing path: invalid path \\\"/ipfs/notacid\\\": invalid cid: selected encoding not supported")]
    [InlineData("POST", "/pins/" + Cid + "?replication=x", "parameter replication-min invalid")]
    [InlineData("POST", "/pins/ipfs/" + Cid + "?expire-in=1ms", "expire-in duration too short")]
    [InlineData("GET", "/pins?filter=bogus", "invalid filter value")]
    [InlineData("GET", "/pins?cids=x", "error decoding Cid: invalid cid: cid too short")]
    [InlineData("GET", "/allocations?filter=bogus", "invalid filter value")]
    public async Task Bad_input_is_refused_and_nothing_is_done(string method, string path, string message)
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        Http.RawAnswer answer = peer.Request(method, path);
        Assert.Equal(400, answer.Status);
        Assert.Equal($"{{\"code\":400,\"message\":\"{message}\"}}\n", answer.Body);
        Assert.Empty(peer.Cluster.Pins);
    }

    [Fact]
    public async Task What_consensus_refuses_is_an_error_with_its_words()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        Http.RawAnswer answer = peer.Request("POST", $"/pins/{Cid}?replication=5");
        Assert.Equal(500, answer.Status);
        Assert.Equal("{\"code\":500,\"message\":\"not enough peers to allocate CID.\"}\n", answer.Body);
    }

    [Theory]
    [InlineData("", "error decoding request body")]
    [InlineData("[]", "error decoding request body")]
    [InlineData("{\"peer_id\":1}", "error decoding request body")]
    [InlineData("{}", "error decoding peer_id")]
    [InlineData("null", "error decoding peer_id")]
    [InlineData("{\"Peer_ID\":\"nobody\"} trailing", "error decoding peer_id")]
    public async Task A_peer_is_named_by_a_JSON_object(string body, string message)
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        Assert.Equal($"{{\"code\":400,\"message\":\"{message}\"}}\n", peer.Request("POST", "/peers", body).Body);
    }

    [Fact]
    public async Task Pins_posted_while_consensus_restarts_are_answered_late_and_kept()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        Task[] posters = [.. Enumerable.Range(0, 4).Select(poster => Task.Factory.StartNew(() =>
        {
            using var client = new Http.RawHttp(peer.Endpoint);
            for (int i = 0; i < 300; i++)
            {
                byte[] inline = [1, 0x55, 0, 8, (byte)poster, .. BitConverter.GetBytes(i), 1, 2, 3];
                string cid = Ipld.Cid.FromBytes(inline).ToString()!;
                Assert.Equal(200, client.Exchange($"POST /pins/{cid} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").Status);
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        for (int round = 0; round < 3; round++)
        {
            await Task.Delay(30);
            await peer.StopServicesAsync();
            await peer.StartServicesAsync();
        }

        await Task.WhenAll(posters).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(1200, peer.Cluster.Pins.Count);
    }
}
