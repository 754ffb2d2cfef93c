using Cluster.Contracts.V1;
using Cluster.Hosting;
using Cluster.Tests;
using Grpc.Core;
using Xunit;

namespace Cluster.Monitor.Tests;

public sealed class MonitorProcessTests
{
    [Fact]
    public async Task The_process_pings_without_its_daemon_and_stops_in_order_with_watches_open()
    {
        var folder = ServiceProcess.NewFolder();
        var peer = Libp2p.Identity.FromJson(await File.ReadAllTextAsync(Path.Combine(folder, "identity.json"))).Id;
        await using var process = ServiceProcess.Start(ServiceName.Monitor, folder, ("CLUSTER_PEERNAME", "alone"));
        var client = new Contracts.V1.Monitor.MonitorClient(process.Channels.For(ServiceName.Monitor));
        var ping = await FirstPingAsync(client);
        Assert.Equal(("{\"peer_name\":\"alone\"}", peer), (ping.Value, Libp2p.PeerId.FromBytes(ping.Peer.Span)));
        using var watch = client.WatchLatest(new Empty());
        Assert.True(await watch.ResponseStream.MoveNext(default));
        Assert.Equal(0, await process.StopAsync(TimeSpan.FromSeconds(60)));
        // The watch did not hold up the stop until it was cut off.
        var end = await Assert.ThrowsAsync<RpcException>(async () => await watch.ResponseStream.ReadAllAsync().ToListAsync());
        Assert.Equal((StatusCode.Unavailable, "the monitor stops"), (end.StatusCode, end.Status.Detail));
    }

    [Fact]
    public async Task A_missing_identity_ends_the_start_with_what_to_do()
    {
        var folder = ServiceProcess.NewFolder();
        File.Delete(Path.Combine(folder, "identity.json"));
        await using var process = ServiceProcess.Start(ServiceName.Monitor, folder);
        Assert.Equal(ServiceStartException.ExitCode, await process.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Contains("ipfs-cluster-service init", process.Log, StringComparison.Ordinal);
    }

    private static async Task<Metric> FirstPingAsync(Contracts.V1.Monitor.MonitorClient client)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (true)
        {
            try
            {
                using var own = client.WatchOwn(new Empty(), cancellationToken: patience.Token);
                await foreach (var batch in own.ResponseStream.ReadAllAsync(patience.Token))
                {
                    if (batch.Metrics.FirstOrDefault(metric => metric.Name == "ping") is { } ping)
                        return ping;
                }
            }
            catch (RpcException failure) when (failure.StatusCode == StatusCode.Unavailable)
            {
                await Task.Delay(100, patience.Token);
            }
        }
    }
}
