using Xunit.Abstractions;

namespace Cluster.EndToEnd.Tests.Clusters;

/// <summary>
/// `kill -9` of any process of any peer - a service or the supervisor - while pins are posted to all peers: whatever was answered with 200
/// is in the pinset of every peer afterwards and ends pinned. The seed is printed; <c>KILL_SEED</c> plays it again.
/// </summary>
[Collection(ThreePeersCollection.Name)]
[Trait("Category", "Slow")]
public sealed class ClusterKillTests(ThreePeers three, ITestOutputHelper output)
{
    private static readonly TimeSpan patience = TimeSpan.FromMinutes(3);

    private LocalCluster Cluster => three.Cluster;

    [Fact]
    public Task No_acknowledged_pin_is_lost_when_processes_are_killed() => KillAsync(rounds: 10);

    [Fact]
    [Trait("Category", "Long")]
    public Task No_acknowledged_pin_is_lost_in_a_hundred_kills() => KillAsync(rounds: 100);

    private async Task KillAsync(int rounds)
    {
        var seed = Environment.GetEnvironmentVariable("KILL_SEED") is { Length: > 0 } given ? int.Parse(given) : Random.Shared.Next();
        output.WriteLine($"KILL_SEED={seed}");
        var random = new Random(seed);
        var acknowledged = new HashSet<string>();
        for (var round = 0; round < rounds; round++)
        {
            var posters = Cluster.Members.Select(member => new PinPoster(member.Peer, family: (round * 10) + 100_000 + member.Number, connections: 2, limit: 200)).ToArray();
            using var stop = new CancellationTokenSource();
            var posting = Task.WhenAll(posters.Select(poster => poster.RunAsync(stop.Token)));
            await Task.WhenAll(posters.Select(poster => poster.WaitForAsync(5, patience)));

            var victim = Cluster.Members[random.Next(Cluster.Members.Count)];
            var which = random.Next(6);
            var services = await AllServicesAsync(victim);
            if (which == 5)
            {
                await victim.Peer.KillDaemonAsync();
                output.WriteLine($"round {round}: {victim}");
            }
            else
            {
                var (name, pid) = services.OrderBy(service => service.Key, StringComparer.Ordinal).ElementAt(which);
                Processes.Signal(pid, Processes.SigKill);
                await Processes.WaitForEndAsync([pid], patience);
                output.WriteLine($"round {round}: {name} of {victim}");
            }

            // Those who live go on; the victim is back before the next round.
            var others = posters.Where((_, i) => Cluster.Members[i] != victim);
            await Task.WhenAll(others.Select(poster => poster.WaitForAsync(5, patience)));
            if (which == 5)
                await victim.Peer.StartDaemonAsync();
            await stop.CancelAsync();
            await posting;
            foreach (var poster in posters)
                acknowledged.UnionWith(poster.Acknowledged);
        }

        output.WriteLine($"{acknowledged.Count} acknowledged");
        await Cluster.WaitUntilCompleteAsync();
        await Cluster.SamePinsetAsync(patience);
        foreach (var member in Cluster.Members)
        {
            var listed = (await member.Peer.LinesAsync("allocations")).Select(pin => pin["cid"]!.GetValue<string>()).ToHashSet();
            var lost = acknowledged.Except(listed).ToArray();
            Assert.True(lost.Length == 0, $"{lost.Length} of {acknowledged.Count} acknowledged pins are not in the pinset of {member}, first {lost.FirstOrDefault()}");
            await Eventually.HoldsAsync(
                patience,
                async () =>
                {
                    var pinned = (await member.Peer.LinesAsync("pins?local=true&filter=pinned")).Select(info => info["cid"]!.GetValue<string>()).ToHashSet();
                    return acknowledged.Except(pinned).ToArray() is { Length: > 0 } waiting ? $"{waiting.Length} pins of {member} do not end pinned, first {waiting[0]}" : null;
                },
                Cluster.Logs);
        }
    }

    /// <summary>A service that was killed a round ago may still wait to be started again: the supervisor backs off.</summary>
    private static async Task<IReadOnlyDictionary<string, int>> AllServicesAsync(Member member)
    {
        IReadOnlyDictionary<string, int> services = new Dictionary<string, int>();
        await Eventually.HoldsAsync(patience, () =>
        {
            services = member.Peer.Services();
            return Task.FromResult(services.Count == 5 ? null : $"only {string.Join(", ", services.Keys)} of {member} run");
        }, () => member.Peer.Log);
        return services;
    }
}
