using System.Collections.Concurrent;
using Xunit.Abstractions;

namespace Simulation.Tests;

/// <summary>
/// Many small clusters with many faults. A violation names its seed; <c>SIMULATION_SEED=n</c> replays that one and prints what happened,
/// <c>SIMULATION_FIRST=n</c> begins the others at another seed.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int TraceLines = 400;

    private static int First => int.TryParse(Environment.GetEnvironmentVariable("SIMULATION_FIRST"), out var first) ? first : 1;

    [Fact]
    public void Replicas_keep_what_they_acknowledge_and_agree_in_the_end() => Run(500);

    [Fact, Trait("Category", "Long")]
    public void Replicas_keep_what_they_acknowledge_and_agree_in_the_end_over_many_seeds() => Run(10_000);

    [Fact]
    public void A_seed_gives_the_same_run_each_time()
    {
        for (var seed = 1; seed <= 5; seed++)
            Assert.Equal(Trace(seed), Trace(seed));
    }

    [Fact]
    public void All_that_can_go_wrong_does_so()
    {
        var tally = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var seed = 1; seed <= 60; seed++)
        {
            foreach (var (what, count) in Scenario.Run(seed).Tally)
                tally[what] = tally.GetValueOrDefault(what) + count;
        }

        foreach (var (what, count) in tally)
            output.WriteLine($"{what}: {count}");
        string[] expected =
        [
            "allocations refused", "blocks not to be had", "crashes", "heads seen again", "looks at several heads", "messages lost",
            "messages that met a crash or a partition", "nodes acknowledged", "nodes of others merged", "partitions", "pins held by enough",
            "pins re-allocated", "unsynced writes lost", "writes failed",
        ];
        Assert.All(expected, what => Assert.True(tally.GetValueOrDefault(what) > 0, what));
    }

    private static List<string> Trace(int seed)
    {
        var trace = new List<string>();
        try
        {
            Scenario.Run(seed, trace);
        }
        catch (ViolationException e)
        {
            trace.Add(e.Message);
        }

        return trace;
    }

    private void Run(int seeds)
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("SIMULATION_SEED"), out var only))
        {
            var trace = Trace(only);
            foreach (var line in trace.TakeLast(TraceLines))
                output.WriteLine(line);
            Scenario.Run(only);
            return;
        }

        var violations = new ConcurrentBag<(int Seed, string What)>();
        Parallel.ForEach(Partitioner.Create(Enumerable.Range(First, seeds), EnumerablePartitionerOptions.NoBuffering), (seed, state) =>
        {
            try
            {
                Scenario.Run(seed);
            }
            catch (Exception e)
            {
                violations.Add((seed, e is ViolationException ? e.Message : e.ToString()));
                if (violations.Count >= 10)
                    state.Stop();
            }
        });
        Assert.True(violations.IsEmpty, string.Join("\n\n", violations.OrderBy(v => v.Seed).Select(
            v => $"seed {v.Seed}: {v.What}\nreplay: SIMULATION_SEED={v.Seed} dotnet test tests/Simulation -c Release")));
    }
}
