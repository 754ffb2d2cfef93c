using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using LocalIpfs;

namespace Cluster.EndToEnd.Tests;

/// <summary>The main way from door to daemon: five processes, a real IPFS daemon, real HTTP.</summary>
[Trait("Category", "EndToEnd")]
public sealed class WalkTests : IAsyncLifetime
{
    private IpfsDaemon ipfs = null!;
    private RunningPeer peer = null!;

    public async Task InitializeAsync()
    {
        ipfs = await IpfsDaemon.StartAsync();
        peer = await RunningPeer.StartAsync(ipfs.ApiMultiaddress);
    }

    public async Task DisposeAsync()
    {
        await peer.DisposeAsync();
        await ipfs.DisposeAsync();
    }

    [Fact]
    public async Task A_directory_is_added_pinned_listed_and_unpinned()
    {
        using var form = new MultipartFormDataContent();
        Part(form, "dir", "", "application/x-directory");
        Part(form, "dir/hello.txt", "hello\n", "application/octet-stream");
        Part(form, "dir/sub", "", "application/x-directory");
        Part(form, "dir/sub/big.bin", new string('x', 600_000), "application/octet-stream");
        using var added = await peer.Http.PostAsync(new Uri("add?name=walk&cid-version=1", UriKind.Relative), form);
        Assert.Equal(HttpStatusCode.OK, added.StatusCode);
        var outputs = Lines(await added.Content.ReadAsStringAsync());
        Assert.Equal(["dir/hello.txt", "dir/sub/big.bin", "dir/sub", "dir"], outputs.Select(o => o["name"]!.GetValue<string>()));
        var root = outputs[^1]["cid"]!.GetValue<string>();

        await EventuallyAsync(root, "pinned");
        var listed = Lines(await peer.Http.GetStringAsync(new Uri("allocations", UriKind.Relative)));
        Assert.Equal("walk", Assert.Single(listed)["name"]!.GetValue<string>());

        using var removed = await peer.Http.DeleteAsync(new Uri($"pins/{root}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, removed.StatusCode);
        using var empty = await peer.Http.GetAsync(new Uri("allocations", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, empty.StatusCode);
        await EventuallyAsync(root, "unpinned");
    }

    [Fact]
    public async Task Pins_posted_while_the_daemon_is_down_end_pinned_when_it_is_back()
    {
        await ipfs.StopAsync();
        var cids = Enumerable.Range(0, 20).Select(i => InlineCids.Create(77, i)).ToArray();
        foreach (var cid in cids)
        {
            using var answer = await peer.Http.PostAsync(new Uri($"pins/{cid}", UriKind.Relative), null);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
        await ipfs.RestartAsync();
        using var recovered = await peer.Http.PostAsync(new Uri("pins/recover", UriKind.Relative), null);
        Assert.True(recovered.StatusCode is HttpStatusCode.OK or HttpStatusCode.NoContent);
        foreach (var cid in cids) await EventuallyAsync(cid, "pinned");
    }

    [Fact]
    public async Task An_orderly_stop_ends_all_processes_with_code_zero_and_a_new_start_knows_the_pins()
    {
        var cid = InlineCids.Create(78, 0);
        using (var answer = await peer.Http.PostAsync(new Uri($"pins/{cid}?name=kept", UriKind.Relative), null))
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await EventuallyAsync(cid, "pinned");
        var services = peer.Services().Values.ToArray();
        Assert.Equal(0, await peer.StopDaemonAsync());
        Assert.DoesNotContain(services, Processes.Runs);

        await peer.StartDaemonAsync();
        var pin = JsonNode.Parse(await peer.Http.GetStringAsync(new Uri($"allocations/{cid}", UriKind.Relative)))!;
        Assert.Equal("kept", pin["name"]!.GetValue<string>());
        await EventuallyAsync(cid, "pinned");
    }

    private static void Part(MultipartFormDataContent form, string name, string content, string type)
    {
        var part = new ByteArrayContent(Encoding.UTF8.GetBytes(content));
        part.Headers.ContentType = new(type);
        form.Add(part, "file", Uri.EscapeDataString(name));
    }

    private static JsonNode[] Lines(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];

    private async Task EventuallyAsync(string cid, string status)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (true)
        {
            var info = JsonNode.Parse(await peer.Http.GetStringAsync(new Uri($"pins/{cid}", UriKind.Relative), deadline.Token))!;
            var now = info["peer_map"]!.AsObject().Single().Value!["status"]!.GetValue<string>();
            if (now == status) return;
            await Task.Delay(50, deadline.Token); // REST offers no watch of a status
        }
    }
}
