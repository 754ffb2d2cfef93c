using System.Net;
using System.Net.Sockets;

namespace Ctl.Tests;

/// <summary>How the program takes what peers answer (spec/ctl.md 2, 5, 8).</summary>
public class ClientTests
{
    private const string Cid = "QmV4STRyo1dygxGhZcr877TQ1M9AZuXhfm6HrXjxW1TYNP";
    private const string PeerA = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB";
    private const string PeerB = "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5";

    [Fact]
    public async Task Items_before_a_late_failure_are_printed_and_the_failure_ends_with_code_2()
    {
        await using var peer = new StubPeer(StubPeer.Stream([Status("pinned"), Status("pinning")], "", "some failure", "another"));

        var run = await CtlRun.OfAsync("--host", peer.Host, "status");

        Assert.Equal(2, run.Exit);
        Assert.Equal(2, run.Output.Split(Cid).Length - 1);
        Assert.EndsWith("An error occurred:\n  Code: 500\n  Message: some failure; another\n", run.Output);
    }

    [Fact]
    public async Task A_list_in_json_is_a_row_of_documents()
    {
        await using var peer = new StubPeer(StubPeer.Stream([Status("pinned"), Status("remote")], ""));

        var run = await CtlRun.OfAsync("--host", peer.Host, "--enc=json", "status");

        Assert.Equal(0, run.Exit);
        Assert.Equal(2, run.Output.Split("\n}\n").Length - 1);
        Assert.StartsWith("{\n    \"cid\": \"" + Cid, run.Output);
    }

    [Fact]
    public async Task An_empty_list_prints_nothing()
    {
        await using var peer = new StubPeer("HTTP/1.1 204 No Content\r\nTrailer: X-Stream-Error\r\n\r\n");

        Assert.Equal(new CtlRun(0, "", ""), await CtlRun.OfAsync("--host", peer.Host, "pin", "ls"));
    }

    [Fact]
    public async Task A_filter_of_several_statuses_asks_for_these_and_no_more()
    {
        await using var peer = new StubPeer("HTTP/1.1 204 No Content\r\n\r\n");

        await CtlRun.OfAsync("--host", peer.Host, "status", "--filter", "pinned, pin_error");

        Assert.StartsWith("GET /pins?local=false&filter=pin_error%2Cpinned&cids= HTTP/1.1\r\n", peer.Requests.Single());
    }

    [Fact]
    public async Task The_next_endpoint_is_asked_when_one_does_not_answer()
    {
        // Bound, so that nobody else gets the port, and not listening.
        using var gone = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        gone.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var host = $"/ip4/127.0.0.1/tcp/{((IPEndPoint)gone.LocalEndPoint!).Port}";
        await using var peer = new StubPeer(StubPeer.Json("{\"version\":\"1.1.6\"}"));

        Assert.Equal(new CtlRun(0, "1.1.6\n", ""), await CtlRun.OfAsync("--host", $"{host},{peer.Host}", "version"));
    }

    [Fact]
    public async Task The_code_of_the_body_counts_not_the_status_line()
    {
        await using var peer = new StubPeer(StubPeer.Json("{\"code\":404,\"message\":\"pin is not part of the pinset\"}", 500));

        var run = await CtlRun.OfAsync("--host", peer.Host, "pin", "ls", Cid);

        Assert.Equal(2, run.Exit);
        Assert.Equal("An error occurred:\n  Code: 404\n  Message: pin is not part of the pinset\n", run.Output);
    }

    [Fact]
    public async Task A_body_that_is_no_json_is_shown_as_it_is()
    {
        await using var peer = new StubPeer("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops");

        Assert.Equal("An error occurred:\n  Code: 502\n  Message: oops\n", (await CtlRun.OfAsync("--host", peer.Host, "id")).Output);
    }

    [Fact]
    public async Task A_page_instead_of_json_is_an_error_of_the_peer()
    {
        await using var peer = new StubPeer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>");

        var run = await CtlRun.OfAsync("--host", peer.Host, "version");

        Assert.Equal(2, run.Exit);
        Assert.Contains("invalid character '<' looking for beginning of value", run.Output);
    }

    [Fact]
    public async Task A_redirect_is_followed()
    {
        await using var peer = new StubPeer(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: /version\r\nContent-Length: 0\r\n\r\n", StubPeer.Json("{\"version\":\"x\"}"));

        Assert.Equal("x\n", (await CtlRun.OfAsync("--host", peer.Host, "version")).Output);
    }

    [Fact]
    public async Task Credentials_are_sent()
    {
        await using var peer = new StubPeer(StubPeer.Json("{\"version\":\"x\"}"));

        await CtlRun.OfAsync("--host", peer.Host, "-f", "--basic-auth", "user:pass:word", "version");

        Assert.Contains("\r\nAuthorization: Basic " + Convert.ToBase64String("user:pass:word"u8) + "\r\n", peer.Requests.Single());
    }

    [Fact]
    public async Task A_peer_that_is_silent_ends_with_the_timeout()
    {
        await using var peer = new StubPeer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");

        var run = await CtlRun.OfAsync("--host", peer.Host, "--timeout", "1", "id");

        Assert.Equal(1, run.Exit);
    }

    [Theory]
    [InlineData]
    [InlineData("--wait-timeout", "2000h")]
    public async Task Waiting_ends_when_every_peer_has_it_or_is_remote(params string[] options)
    {
        var pin = "{\"cid\":\"" + Cid + "\",\"type\":\"pin\",\"replication_factor_min\":-1,\"replication_factor_max\":-1}";
        await using var peer = new StubPeer(StubPeer.Json(pin), StubPeer.Json(Status("pinning")), StubPeer.Json(Status("pinned")));

        var run = await CtlRun.OfAsync(["--host", peer.Host, "pin", "add", "--wait", .. options, Cid]);

        Assert.Equal(0, run.Exit);
        Assert.Contains("PINNED", run.Output);
        Assert.Equal(3, peer.Requests.Count);
    }

    [Fact]
    public async Task A_request_may_have_months()
    {
        await using var peer = new StubPeer(StubPeer.Json("{\"version\":\"x\"}"));

        var run = await CtlRun.OfAsync("--host", peer.Host, "--timeout", "5000000", "version");

        Assert.Equal((0, "x\n"), (run.Exit, run.Output));
    }

    [Fact]
    public async Task Waiting_gives_up_when_a_peer_fails()
    {
        var pin = "{\"cid\":\"" + Cid + "\",\"type\":\"pin\",\"replication_factor_min\":-1,\"replication_factor_max\":-1}";
        await using var peer = new StubPeer(StubPeer.Json(pin), StubPeer.Json(Status("pin_error")));

        var run = await CtlRun.OfAsync("--host", peer.Host, "pin", "add", "--wait", Cid);

        Assert.Equal(1, run.Exit);
        Assert.Equal("error waiting for pin status: error has occurred while attempting to reach status: pinned\n", run.Error);
    }

    [Fact]
    public async Task Folders_are_sent_before_their_children_by_name_and_hidden_files_left_out()
    {
        var folder = Directory.CreateTempSubdirectory("ctl-add-");
        try
        {
            Directory.CreateDirectory(Path.Combine(folder.FullName, "tree", "sub"));
            File.WriteAllText(Path.Combine(folder.FullName, "tree", "b é.txt"), "bee");
            File.WriteAllText(Path.Combine(folder.FullName, "tree", ".hidden"), "no");
            File.WriteAllText(Path.Combine(folder.FullName, "tree", "sub", "c.txt"), "sea");
            File.CreateSymbolicLink(Path.Combine(folder.FullName, "tree", "a"), "b é.txt");
            var added = "{\"name\":\"tree\",\"cid\":\"" + Cid + "\",\"size\":3}";
            await using var peer = new StubPeer(StubPeer.Stream([added]));

            var run = await CtlRun.OfAsync("--host", peer.Host, "add", "-r", Path.Combine(folder.FullName, "tree"));

            Assert.Equal(new CtlRun(0, $"added {Cid} tree\n", ""), run);
            var names = peer.Requests.Single().Split("filename=\"").Skip(1).Select(part => part.Split('"')[0]);
            Assert.Equal(["tree", "tree%2Fa", "tree%2Fb+%C3%A9.txt", "tree%2Fsub", "tree%2Fsub%2Fc.txt"], names);
            Assert.Contains("Content-Type: application/symlink\r\n\r\nb é.txt", peer.Requests.Single());
            Assert.Contains("&shard-size=104857600&stream-channels=true&", peer.Requests.Single());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task The_graph_marks_the_asked_peer_trust_and_missing_daemons()
    {
        var graph = $$$"""
            {"cluster_id":"{{{PeerA}}}","id_to_peername":{"{{{PeerA}}}":"a","{{{PeerB}}}":"b"},"ipfs_links":{"QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC":[]},
            "cluster_links":{"{{{PeerA}}}":["{{{PeerB}}}"],"{{{PeerB}}}":[]},"cluster_trust_links":{"{{{PeerB}}}":true},
            "cluster_to_ipfs":{"{{{PeerA}}}":"QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC"}}
            """;
        await using var peer = new StubPeer(StubPeer.Json(graph));

        var dot = (await CtlRun.OfAsync("--host", peer.Host, "health", "graph")).Output;

        Assert.Contains("\nC0 [label=< <B> a </B> <BR/> <B> 12*dBfeSB </B> > group=\"" + PeerA, dot);
        Assert.Contains("\nC0 -> T1\n", dot);
        Assert.Contains("\nC0 -> I0\nT1 -> I1 [ style=\"dotted\" ]\n", dot);
        Assert.EndsWith("cluster */\n}", dot);
    }

    private static string Status(string status) =>
        "{\"cid\":\"" + Cid + "\",\"name\":\"\",\"allocations\":[],\"origins\":[],\"created\":\"2024-05-01T10:00:00Z\",\"metadata\":null,\"peer_map\":{"
        + "\"" + PeerA + "\":{\"peername\":\"node1\",\"status\":\"" + status + "\",\"timestamp\":\"2024-05-01T10:00:00Z\",\"error\":\"\",\"attempt_count\":0,\"priority_pin\":false},"
        + "\"" + PeerB + "\":{\"peername\":\"node2\",\"status\":\"remote\",\"timestamp\":\"2024-05-01T10:00:00Z\",\"error\":\"\",\"attempt_count\":0,\"priority_pin\":false}}}";
}
