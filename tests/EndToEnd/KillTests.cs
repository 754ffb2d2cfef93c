using Cluster.EndToEnd.Tests.Clusters;
using LocalIpfs;
using Xunit.Abstractions;

namespace Cluster.EndToEnd.Tests;

/// <summary>
/// `kill -9` of each of the five processes in turn while pins are being posted, of all at once, and of the supervisor: whatever was
/// answered with 200 is in the pinset afterwards and ends pinned.
/// </summary>
[Trait("Category", "Slow")]
public sealed class KillTests(ITestOutputHelper output) : IAsyncLifetime
{
    /// <summary>Only to end a test that hangs.</summary>
    private static readonly TimeSpan patience = TimeSpan.FromMinutes(3);

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
    public async Task No_acknowledged_pin_is_lost_when_services_are_killed()
    {
        const int rounds = 20;
        var acknowledged = new HashSet<string>();
        for (var round = 0; round < rounds; round++)
        {
            var poster = new PinPoster(peer, family: round, connections: 4, limit: 400);
            using var stop = new CancellationTokenSource();
            var posting = poster.RunAsync(stop.Token);
            await poster.WaitForAsync(20, patience);
            var services = await AllServicesAsync();
            var victims = (round % 6) switch
            {
                5 => services.Values.ToArray(),
                var which => [services.OrderBy(service => service.Key, StringComparer.Ordinal).ElementAt(which).Value],
            };
            foreach (var victim in victims) Processes.Signal(victim, Processes.SigKill);
            await Processes.WaitForEndAsync(victims, patience);
            await poster.WaitForAsync(20, patience);
            await stop.CancelAsync();
            await posting;
            acknowledged.UnionWith(poster.Acknowledged);
            output.WriteLine($"round {round}: {poster.Acknowledged.Count} acknowledged, {poster.Refusals.Count} not");
        }

        await AssertHeldAsync(acknowledged);
    }

    /// <summary>A service that was killed a round ago may still wait to be started again: the supervisor backs off.</summary>
    private async Task<IReadOnlyDictionary<string, int>> AllServicesAsync()
    {
        for (var end = DateTime.UtcNow + patience; ;)
        {
            var services = peer.Services();
            if (services.Count == 5) return services;
            Assert.True(DateTime.UtcNow < end, $"only {string.Join(", ", services.Keys)} run; the peer said:\n{peer.Log}");
            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }

    [Fact]
    public async Task No_acknowledged_pin_is_lost_when_the_supervisor_is_killed()
    {
        var acknowledged = new HashSet<string>();
        for (var round = 0; round < 3; round++)
        {
            var poster = new PinPoster(peer, family: 1000 + round, connections: 4, limit: 100_000);
            using var stop = new CancellationTokenSource();
            var posting = poster.RunAsync(stop.Token);
            await poster.WaitForAsync(50, patience);
            await peer.KillDaemonAsync();
            await stop.CancelAsync();
            await posting;
            acknowledged.UnionWith(poster.Acknowledged);
            await peer.StartDaemonAsync();
        }

        await AssertHeldAsync(acknowledged);
    }

    private async Task AssertHeldAsync(HashSet<string> acknowledged)
    {
        // What was killed last may just be starting again.
        await AllServicesAsync();
        HashSet<string> listed = [];
        await Eventually.HoldsAsync(patience, async () =>
        {
            listed = (await peer.LinesAsync("allocations")).Select(line => line["cid"]!.GetValue<string>()).ToHashSet();
            return null;
        }, () => peer.Log);
        var lost = acknowledged.Except(listed).ToArray();
        Assert.True(lost.Length == 0, $"{lost.Length} of {acknowledged.Count} acknowledged pins are not in the pinset, first {lost.FirstOrDefault()}");
        output.WriteLine($"{acknowledged.Count} acknowledged pins, none lost");

        var waiting = acknowledged;
        await Eventually.HoldsAsync(patience, async () =>
        {
            var pinned = (await peer.LinesAsync("pins?filter=pinned")).Select(line => line["cid"]!.GetValue<string>()).ToHashSet();
            waiting = waiting.Except(pinned).ToHashSet();
            return waiting.Count == 0 ? null : $"{waiting.Count} pins did not end pinned, first {waiting.First()}";
        }, () => peer.Log);
    }
}
