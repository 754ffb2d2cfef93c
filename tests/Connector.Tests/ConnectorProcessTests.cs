using Cluster.Contracts.V1;
using Cluster.Hosting;
using Cluster.Tests;
using Grpc.Core;
using Xunit;

namespace Cluster.Connector.Tests;

public sealed class ConnectorProcessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_process_serves_its_daemon_and_stops_in_order_with_streams_open()
    {
        await using var daemon = new ScriptedDaemon();
        await using var process = ServiceProcess.Start(
            ServiceName.Connector, ServiceProcess.NewFolder(), ("CLUSTER_IPFSHTTP_NODEMULTIADDRESS", $"/ip4/127.0.0.1/tcp/{daemon.Daemon.Port}"));
        var client = new Contracts.V1.Connector.ConnectorClient(process.Channels.For(ServiceName.Connector));
        await UntilAnsweredAsync(async () => await client.IdAsync(new ConnectorIdRequest()));
        Assert.Equal(1000u, (await client.RepoStatAsync(new Empty())).StorageMax);
        using var health = client.WatchHealth(new Empty());
        Assert.True(await health.ResponseStream.MoveNext(default));
        Assert.Equal(0, await process.StopAsync(Patience));
        var ended = await Assert.ThrowsAsync<RpcException>(async () => await health.ResponseStream.ReadAllAsync().ToListAsync());
        // By the service: a stop that the streams held up would be cut, and they with it.
        Assert.True((ended.StatusCode, ended.Status.Detail) == (StatusCode.Unavailable, "the connector stops"), $"{ended}\n{process.Log}");
    }

    [Fact]
    public async Task An_address_that_is_no_daemons_ends_the_start_with_what_to_do()
    {
        await using var process = ServiceProcess.Start(
            ServiceName.Connector, ServiceProcess.NewFolder(), ("CLUSTER_IPFSHTTP_NODEMULTIADDRESS", "/ip4/127.0.0.1/udp/5001"));
        Assert.Equal(ServiceStartException.ExitCode, await process.WaitAsync(Patience));
        Assert.Contains("expected /ip4/<address>/tcp/<port>", process.Log, StringComparison.Ordinal);
    }

    private static async Task UntilAnsweredAsync(Func<Task> ask)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                await ask();
                return;
            }
            catch (RpcException failure) when (failure.StatusCode == StatusCode.Unavailable)
            {
                await Task.Delay(100, patience.Token);
            }
        }
    }
}
