using System.Text.Json;
using Xunit;

namespace LocalIpfs.Tests;

public sealed class IpfsDaemonTests(IpfsDaemonFixture fixture) : IClassFixture<IpfsDaemonFixture>
{
    [Fact]
    public async Task A_started_daemon_answers_with_its_id()
    {
        using var client = new HttpClient();
        using var answer = await client.PostAsync(new Uri(fixture.Daemon.ApiUri, "id"), null);
        using var id = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal(fixture.Daemon.Id, id.RootElement.GetProperty("ID").GetString());
    }

    [Fact]
    public async Task A_killed_daemon_comes_back_as_itself_on_its_port()
    {
        await using var daemon = await IpfsDaemon.StartAsync();
        var (id, port) = (daemon.Id, daemon.ApiPort);
        await daemon.KillAsync();
        Assert.False(daemon.IsRunning);
        await daemon.RestartAsync();
        Assert.Equal((id, port), (daemon.Id, daemon.ApiPort));
    }

    [Fact]
    public async Task A_daemon_that_cannot_start_is_a_failure() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => IpfsDaemon.StartAsync(new() { SwarmKeyFile = "/nonexistent/swarm.key" }));
}
