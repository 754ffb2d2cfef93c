using Gateway.Tests.Http;
using Gateway.Tests.Rest;

namespace Gateway.Tests.Adder;

public sealed class AddTests
{
    private const string FilePart = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: application/octet-stream\r\n\r\na\n\r\n";
    private const string UnendedPart = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.txt\"\r\nContent-Type: application/octet-stream\r\n\r\nb\n";
    private const string File = FilePart + "--b--\r\n";
    private const string Multipart = "Content-Type: multipart/form-data; boundary=b";
    private const string Added = """{"name":"a.txt","cid":"Qmbvkmk9LFsGneteXk3G7YLqtLVME566ho6ibaQZZVHaC9","size":10,"allocations":["12D3KooWHfVCWrdyYBK6RtzKWwcUJv2mZTfLHi4aRXhpHZrgKpsf"]}""";

    [Fact]
    public async Task A_file_becomes_blocks_and_a_pin()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        RawAnswer answer = peer.Request("POST", "/add?name=n", File, Multipart);
        Assert.Equal(200, answer.Status);
        Assert.Equal(Added + "\n", answer.Body);
        Assert.Equal("1", answer["X-Chunked-Output"]);
        Assert.Equal("close", answer["Connection"]);
        Assert.Equal("no-cache", answer["Cache-Control"]);
        Assert.Empty(answer.Trailers);
        Assert.NotEmpty(peer.Connector.Blocks);
        Assert.Equal("n", Assert.Single(peer.Cluster.Pins.Values).Options.Name);
    }

    [Fact]
    public async Task Buffered_the_objects_come_as_an_array()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        RawAnswer answer = peer.Request("POST", "/add?stream-channels=false", File, Multipart);
        Assert.Equal($"[{Added}]\n", answer.Body);
        Assert.Null(answer["X-Chunked-Output"]);
        Assert.Null(answer["Trailer"]);
    }

    [Fact]
    public async Task The_answer_starts_before_the_upload_ends()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        using var client = new RawHttp(peer.Endpoint);
        client.Send($"POST /add HTTP/1.1\r\nHost: x\r\n{Multipart}\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.Send($"{FilePart.Length + UnendedPart.Length:x}\r\n{FilePart}{UnendedPart}\r\n");
        client.AwaitHead();
        client.Send("9\r\n\r\n--b--\r\n\r\n0\r\n\r\n");
        Assert.StartsWith(Added + "\n", client.Read().Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_waits_to_be_told_to_go_on_is_told()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        using var client = new RawHttp(peer.Endpoint);
        client.Send($"POST /add HTTP/1.1\r\nHost: x\r\n{Multipart}\r\nExpect: 100-continue\r\nContent-Length: {File.Length}\r\n\r\n");
        client.AwaitHead();
        client.Send(File);
        Assert.Equal(Added + "\n", client.Read().Body);
    }

    [Fact]
    public async Task A_client_that_goes_away_pins_nothing()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        using (var client = new RawHttp(peer.Endpoint))
        {
            client.Send($"POST /add HTTP/1.1\r\nHost: x\r\n{Multipart}\r\nContent-Length: 1000000\r\n\r\n");
            client.Send(FilePart + UnendedPart);
            client.AwaitHead();
        }

        await peer.Ended.WaitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Empty(peer.Cluster.Pins);
    }

    [Fact]
    public async Task When_no_daemon_takes_the_blocks_nothing_is_pinned()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        peer.Connector.IsDown = true;
        RawAnswer answer = peer.Request("POST", "/add", File, Multipart);
        Assert.Equal(Added + "\n", answer.Body);
        Assert.Equal(["X-Stream-Error=failed to put block on all destinations"], answer.Trailers.Select(t => $"{t.Key}={t.Value}"));
        Assert.Empty(peer.Cluster.Pins);
    }

    private static readonly Google.Protobuf.ByteString[] Others = [.. Enumerable.Range(1, 2).Select(n => Google.Protobuf.ByteString.CopyFrom(
        Libp2p.PeerId.FromBytes([0, 36, 8, 1, 0x12, 32, .. new byte[31], (byte)n]).Bytes))];

    [Fact]
    public async Task Blocks_go_to_all_peers_that_are_to_hold_them_and_the_pin_names_those()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        peer.Cluster.BlockPeers = [Others[0], FakePeer.PeerBytes, Others[1]];
        RawAnswer answer = peer.Request("POST", "/add", File, Multipart);
        Assert.Empty(answer.Trailers);
        Assert.NotEmpty(peer.Connector.Blocks);
        foreach (var other in Others) Assert.Equal(peer.Connector.Blocks.OrderBy(b => b.Key.ToBase64()), peer.Network.Blocks[other].OrderBy(b => b.Key.ToBase64()));
        Assert.Equal(1, peer.Network.Streams);
        Assert.Equal(peer.Cluster.BlockPeers, Assert.Single(peer.Cluster.Pins.Values).Allocations);
    }

    [Fact]
    public async Task Peers_that_fail_are_left_out_while_one_remains()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        peer.Cluster.BlockPeers = [Others[0], FakePeer.PeerBytes, Others[1]];
        peer.Connector.IsDown = true;
        peer.Network.Failing[Others[0]] = "failed to dial";
        RawAnswer answer = peer.Request("POST", "/add", File, Multipart);
        Assert.Empty(answer.Trailers);
        Assert.NotEmpty(peer.Network.Blocks[Others[1]]);
        Assert.Equal(peer.Cluster.BlockPeers, Assert.Single(peer.Cluster.Pins.Values).Allocations);
    }

    [Fact]
    public async Task When_all_peers_fail_a_large_add_ends_before_its_upload()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        peer.Cluster.BlockPeers = Others;
        foreach (var other in Others) peer.Network.Failing[other] = "failed to dial";
        string large = string.Concat(Enumerable.Range(0, 1_000_000).Select(n => $"{n:0000000000}\n"));
        RawAnswer answer = peer.Request("POST", "/add", File.Replace("a\n\r\n", large + "\r\n", StringComparison.Ordinal), Multipart);
        Assert.Equal(["X-Stream-Error=failed to put block on all destinations"], answer.Trailers.Select(t => $"{t.Key}={t.Value}"));
        Assert.Empty(peer.Cluster.Pins);
        Assert.Empty(peer.Connector.Blocks);
    }

    [Theory]
    [InlineData("", true, new[] { 1, 0 })]
    [InlineData("&user-allocations=12D3KooWRN8KRjpyg9rsW2w7StbBRGper65psTZm68cjud9KAkaW", false, new[] { 1, 2 })]
    public async Task A_local_add_sends_blocks_to_this_peer_alone(string options, bool replaced, int[] allocations)
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        peer.Cluster.BlockPeers = Others;
        RawAnswer answer = peer.Request("POST", $"/add?local=true{options}", File, Multipart);
        Assert.Empty(answer.Trailers);
        Assert.NotEmpty(peer.Connector.Blocks);
        Assert.Equal(0, peer.Network.Streams);
        var pin = Assert.Single(peer.Cluster.Pins.Values);
        Assert.Equal(replaced, pin.Allocations.Contains(FakePeer.PeerBytes));
        Assert.Equal(allocations.Select(n => n == 0 ? FakePeer.PeerBytes : Others[n - 1]), pin.Allocations);
    }

    [Theory]
    [InlineData("", "--b--\r\n", "no files to add: the request has no file part")]
    [InlineData("", "--b\r\n\r\nx\n\r\n--b--\r\n", "multipart: part without Content-Disposition")]
    [InlineData("", "nothing", "multipart: NextPart: EOF")]
    [InlineData("chunker=nope", File, "unrecognized chunker option: nope")]
    [InlineData("hash=nope", File, "hash function name not known")]
    [InlineData("cid-version=2", File, "bad CID Version: unknown CID version: 2")]
    [InlineData("format=car", File, "unexpected EOF")]
    [InlineData("shard=true", File, "block doesn't fit in empty shard: shard size too small?")]
    [InlineData("nocopy=true", File, "missing file path or URL, can't create filestore reference")]
    public async Task What_is_wrong_with_an_upload_is_told_late_and_nothing_is_pinned(string query, string body, string error)
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        RawAnswer streamed = peer.Request("POST", $"/add?{query}", body, Multipart);
        Assert.Equal(200, streamed.Status);
        Assert.Equal([error], streamed.Trailers.Select(t => t.Value));
        RawAnswer buffered = peer.Request("POST", $"/add?stream-channels=false&{query}", body, Multipart);
        Assert.Equal(500, buffered.Status);
        Assert.Contains(error.Replace("'", "'"), buffered.Body);
        Assert.Empty(peer.Cluster.Pins);
    }

    [Fact]
    public async Task A_large_file_goes_through_in_pieces()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        const int size = 40_000_000;
        string head = "--b\r\nContent-Disposition: form-data; filename=big\r\n\r\n", tail = "\r\n--b--\r\n";
        using var client = new RawHttp(peer.Endpoint);
        client.Send($"POST /add?raw-leaves=true HTTP/1.1\r\nHost: x\r\n{Multipart}\r\nContent-Length: {head.Length + size + tail.Length}\r\n\r\n{head}");
        byte[] piece = new byte[1_000_000];
        for (int i = 0; i < size / piece.Length; i++)
        {
            BitConverter.TryWriteBytes(piece, i);
            for (int at = 0; at < piece.Length; at += 1000) BitConverter.TryWriteBytes(piece.AsSpan(at), i * 31 + at);
            client.Send(piece);
        }

        client.Send(tail);
        RawAnswer answer = client.Read();
        Assert.Empty(answer.Trailers);
        Assert.Equal(size, peer.Connector.Blocks.Where(block => block.Key[1] == 0x55).Sum(block => (long)block.Value.Length));
        Assert.Single(peer.Cluster.Pins);
    }

    [Fact]
    public async Task Shards_are_pinned_with_their_cluster_DAG()
    {
        await using FakePeer peer = await FakePeer.StartAsync();
        string body = $"--b\r\nContent-Disposition: form-data; filename=f\r\n\r\n{new string('x', 3000)}\r\n--b--\r\n";
        RawAnswer answer = peer.Request("POST", "/add?shard=true&shard-size=2500&chunker=size-1000&name=s", body, Multipart);
        Assert.Empty(answer.Trailers);
        Assert.EndsWith("\"s-clusterDAG\"", answer.Body.TrimEnd().Split('\n')[^1].Split(',')[0]);
        Assert.Equal(["s", "s-clusterDAG", "s-shard-0"], peer.Cluster.Pins.Values.Select(pin => pin.Options.Name).Order().Take(3));
    }
}
