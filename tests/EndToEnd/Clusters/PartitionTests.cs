namespace Cluster.EndToEnd.Tests.Clusters;

/// <summary>One peer is cut off from the others, both sides go on working, and the sides meet again.</summary>
[Collection(ThreePeersCollection.Name)]
[Trait("Category", "Slow")]
public sealed class PartitionTests(ThreePeers three)
{
    private static readonly TimeSpan limit = TimeSpan.FromMinutes(3);

    private LocalCluster Cluster => three.Cluster;

    [Theory]
    [InlineData(Passage.Cut, 4000)]
    [InlineData(Passage.Silent, 4100)]
    public async Task Both_sides_of_a_partition_have_the_same_pinset_when_it_heals(Passage passage, int family)
    {
        var random = new Random(family);
        string Cid(int i) => InlineCids.Create(family, i);
        // 0-19 are known to all before, 20-39 are new on one side, 40-59 on the other.
        for (var i = 0; i < 20; i++)
            await Cluster.Members[i % 3].Peer.PinAsync(Cid(i), "name=before");
        await Cluster.SamePinsetAsync(limit);

        var (alone, others) = (three.First, new[] { three.Second, three.Third });
        Cluster.Separate(passage, alone);
        // What one side does, in a random order: 0-4 are unpinned here and kept there, 5-9 unpinned there, 10-14 unpinned on one side and
        // pinned anew on the other (the addition wins), 15-19 pinned anew on both (one of the two wins, the same everywhere).
        var left = Enumerable.Range(0, 5).Select(i => (i, Pin: false)).Concat(Enumerable.Range(10, 5).Select(i => (i, Pin: false)))
            .Concat(Enumerable.Range(15, 25).Select(i => (i, Pin: true))).OrderBy(_ => random.Next()).ToArray();
        var right = Enumerable.Range(5, 5).Select(i => (i, Pin: false)).Concat(Enumerable.Range(10, 10).Select(i => (i, Pin: true)))
            .Concat(Enumerable.Range(40, 20).Select(i => (i, Pin: true))).OrderBy(_ => random.Next()).ToArray();
        await Task.WhenAll(WorkAsync(left, _ => alone, "left"), WorkAsync(right, i => others[i % 2], "right"));

        // The sides know nothing of each other.
        Assert.DoesNotContain(await alone.Peer.LinesAsync("allocations"), pin => pin["cid"]!.GetValue<string>() == Cid(40));
        Assert.DoesNotContain(await three.Third.Peer.LinesAsync("allocations"), pin => pin["cid"]!.GetValue<string>() == Cid(20));

        Cluster.Heal();
        await Cluster.SamePinsetAsync(limit);
        await Cluster.WaitUntilCompleteAsync();
        var pinset = await Cluster.SamePinsetAsync(limit);
        var names = pinset.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => System.Text.Json.Nodes.JsonNode.Parse(line)!)
            .ToDictionary(pin => pin["cid"]!.GetValue<string>(), pin => pin["name"]!.GetValue<string>());
        for (var i = 0; i < 60; i++)
        {
            var name = names.GetValueOrDefault(Cid(i));
            string?[] allowed = i switch
            {
                < 10 => [null],
                < 15 => ["right"],
                < 20 => ["left", "right"],
                < 40 => ["left"],
                _ => ["right"],
            };
            Assert.True(allowed.Contains(name), $"pin {i} is {name ?? "not there"}");
        }

        // What ended allocated ends pinned on every peer.
        foreach (var member in Cluster.Members)
        {
            await Eventually.HoldsAsync(
                limit,
                async () =>
                {
                    var pinned = (await member.Peer.LinesAsync("pins?local=true&filter=pinned")).Select(info => info["cid"]!.GetValue<string>()).ToHashSet();
                    return Enumerable.Range(10, 50).Count(i => !pinned.Contains(Cid(i))) is var missing and not 0 ? $"{member} lacks {missing} pins" : null;
                },
                Cluster.Logs);
        }

        async Task WorkAsync((int Number, bool Pin)[] operations, Func<int, Member> at, string name)
        {
            foreach (var (number, pin) in operations)
            {
                if (pin)
                    await at(number).Peer.PinAsync(Cid(number), $"name={name}");
                else
                    await at(number).Peer.UnpinAsync(Cid(number));
            }
        }
    }
}
