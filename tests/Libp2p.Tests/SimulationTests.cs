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
        await time.PassUntilAsync(echo, Step);
        Assert.Equal(TestHosts.Pattern(400_000), await echo);
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
        await time.PassUntilAsync(dial, Step);
        var connection = await dial;
        network.Partition([first.Host]);
        var parting = time.GetTimestamp();
        await time.PassUntilAsync(connection.Closed, TimeSpan.FromMilliseconds(500));
        Assert.True(time.GetElapsedTime(parting) >= TimeSpan.FromSeconds(30));
        var reason = await connection.Closed;
        Assert.Contains("keep-alive", reason.Message, StringComparison.Ordinal);
        var parted = a.DialAsync(b.Address());
        Assert.Equal(DialFailure.TimedOut, (await Assert.ThrowsAsync<DialException>(() => time.PassUntilAsync(parted, TimeSpan.FromMilliseconds(500)))).Failure);
        network.Heal();
        dial = a.DialAsync(b.Address());
        await time.PassUntilAsync(dial, Step);
        Assert.True((await dial).IsOpen);
    }
}
