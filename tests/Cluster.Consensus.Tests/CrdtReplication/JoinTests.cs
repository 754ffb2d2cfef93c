using System.Diagnostics;
using Cluster.Consensus.Peering;
using Cluster.Consensus.Replication;
using Cluster.Consensus.Tests.Peering;
using Xunit.Abstractions;

namespace Cluster.Consensus.Tests.CrdtReplication;

/// <summary>How fast pins are written and how fast a new peer has them all; the figures are printed.</summary>
[Trait("Category", "Long")]
public sealed class JoinTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_peer_that_joins_has_a_hundred_thousand_pins_in_seconds()
    {
        const int pins = 100_000;
        var network = new MemoryNetwork();
        await using var first = new CrdtPeer(1, network);
        var (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await Parallel.ForEachAsync(Enumerable.Range(0, pins), new ParallelOptions { MaxDegreeOfParallelism = 256 },
            async (i, token) => await first.Consensus.CommitAsync([StateOperation.Put(CrdtPeer.Pin(i, $"pin number {i}"))], token));
        Report("written one by one by 256 callers", pins, started, cpu);
        output.WriteLine($"nodes: {first.Heads.Single().Value}");

        (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await using var second = new CrdtPeer(2, network);
        await second.UntilAsync(() => second.State.Totals.Count == pins);
        Report("fetched and merged by a new peer", pins, started, cpu);
        var took = Stopwatch.GetElapsedTime(started);
        await CrdtPeer.ConvergeAsync(first, second);
        Assert.True(took < TimeSpan.FromSeconds(30), $"{took} for {pins} pins");
    }

    [Fact]
    public async Task Three_peers_keep_up_with_what_is_written_through_one()
    {
        const int pins = 30_000;
        var network = new MemoryNetwork();
        await using var first = new CrdtPeer(1, network);
        await using var second = new CrdtPeer(2, network);
        await using var third = new CrdtPeer(3, network);
        var (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await Parallel.ForEachAsync(Enumerable.Range(0, pins), new ParallelOptions { MaxDegreeOfParallelism = 256 },
            async (i, token) => await first.Consensus.CommitAsync([StateOperation.Put(CrdtPeer.Pin(i, $"pin number {i}"))], token));
        Report("written through one of three", pins, started, cpu);
        await second.UntilAsync(() => second.State.Totals.Count == pins);
        await third.UntilAsync(() => third.State.Totals.Count == pins);
        Report("until the last of three has the last", pins, started, cpu);
        await CrdtPeer.ConvergeAsync(first, second, third);
    }

    [Fact]
    public async Task A_chain_of_single_pins_is_fetched_without_a_write_a_node()
    {
        const int pins = 5_000;
        var network = new MemoryNetwork();
        await using var first = new CrdtPeer(1, network);
        for (var i = 0; i < pins; i++)
            await first.PinAsync(i);
        Assert.Equal((ulong)pins, first.Heads.Single().Value);
        var (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await using var second = new CrdtPeer(2, network);
        await second.UntilAsync(() => second.State.Totals.Count == pins);
        Report("fetched and merged, one pin a node", pins, started, cpu);
        await CrdtPeer.ConvergeAsync(first, second);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_chain_of_single_pins_is_read_over_real_connections(bool inOneStream)
    {
        const int pins = 20_000;
        await using var first = new LinkedPeer(pins);
        if (!inOneStream)
            first.Network.Host.RemoveHandler(AncestorStreams.Protocol);
        await first.StartAsync();
        await using var second = await new LinkedPeer().StartAsync();
        var (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        await second.DialAsync(first);
        await second.UntilAsync(() => second.State.Totals.Count == pins);
        Report($"joined, {second.Asked.Told} of the nodes told in one stream", pins, started, cpu);
        await second.CatchUpAsync(first);
    }

    private void Report(string what, int pins, long started, TimeSpan cpu)
    {
        var took = Stopwatch.GetElapsedTime(started);
        var used = Environment.CpuUsage.TotalTime - cpu;
        output.WriteLine($"{what}: {pins} in {took.TotalSeconds:f2} s = {pins / took.TotalSeconds:f0}/s, {used.TotalMicroseconds / pins:f1} us of CPU each");
    }
}
