using Libp2p.Simulation;
using Xunit;

namespace Libp2p.Tests;

/// <summary>Hosts over simulated links; alone, because virtual time waits for the thread pool to come to rest.</summary>
[CollectionDefinition("Simulation", DisableParallelization = true)]
public sealed class SimulationCollection;

[Collection("Simulation")]
public sealed class SimulationTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private static async Task<Libp2pHost> StartAsync(InMemoryNetwork network, VirtualTime time)
    {
        var host = new Libp2pHost(new HostOptions
        {
            Key = PrivateKey.GenerateEd25519(),
            Listen = [Multiaddr.Parse("/memory/0")],
            Transports = [network.AddHost()],
            Time = time,
        });
        await host.StartAsync();
        return host;
    }

    [Fact]
    public async Task A_stream_crosses_a_slow_and_lossy_link_in_virtual_time()
    {
        var time = new VirtualTime();
        var network = new InMemoryNetwork(time, seed: 7)
        {
            Conditions = new LinkConditions { Delay = TimeSpan.FromMilliseconds(50), Jitter = TimeSpan.FromMilliseconds(20), Loss = 0.1 },
        };
        await using var a = await StartAsync(network, time);
        await using var b = await StartAsync(network, time);
        b.HandleEcho();
        var echo = Task.Run(async () =>
        {
            var connection = await a.DialAsync(b.Address());
            await using var stream = await connection.NewStreamAsync("/echo/1.0.0");
            var reading = stream.Input.ReadAllAsync();
            await stream.Output.WriteAsync(TestHosts.Pattern(400_000));
            await stream.Output.CompleteAsync();
            return await reading;
        });
        for (int i = 0; i < 60 && !echo.IsCompleted; i++) await time.AdvanceAsync(TimeSpan.FromSeconds(1), Step);
        Assert.Equal(TestHosts.Pattern(400_000), await echo.WaitAsync(TestHosts.Deadline()));
        Assert.True(time.GetElapsedTime(0) > TimeSpan.FromMilliseconds(300));
    }

    [Fact]
    public async Task A_partition_ends_a_connection_by_its_keep_alive_and_a_healed_network_connects_again()
    {
        var time = new VirtualTime();
        var network = new InMemoryNetwork(time);
        var first = network.AddHost();
        await using var a = new Libp2pHost(new HostOptions { Key = PrivateKey.GenerateEd25519(), Transports = [first], Time = time });
        await using var b = await StartAsync(network, time);
        var dial = a.DialAsync(b.Address());
        await time.AdvanceAsync(TimeSpan.FromMilliseconds(100), Step);
        var connection = await dial.WaitAsync(TestHosts.Deadline());
        network.Partition([first.Host]);
        await time.AdvanceAsync(TimeSpan.FromSeconds(45), TimeSpan.FromMilliseconds(500));
        var reason = await connection.Closed.WaitAsync(TestHosts.Deadline());
        Assert.Contains("keep-alive", reason.Message, StringComparison.Ordinal);
        var parted = a.DialAsync(b.Address());
        await time.AdvanceAsync(TimeSpan.FromSeconds(20), TimeSpan.FromMilliseconds(500));
        Assert.Equal(DialFailure.TimedOut, (await Assert.ThrowsAsync<DialException>(() => parted)).Failure);
        network.Heal();
        dial = a.DialAsync(b.Address());
        await time.AdvanceAsync(TimeSpan.FromMilliseconds(100), Step);
        Assert.True((await dial.WaitAsync(TestHosts.Deadline())).IsOpen);
    }
}
