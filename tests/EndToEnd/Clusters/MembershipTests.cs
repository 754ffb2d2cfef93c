namespace Cluster.EndToEnd.Tests.Clusters;

/// <summary>Peers come and go: a fourth one joins, one and all are started again, one dies.</summary>
[Collection(ThreePeersCollection.Name)]
[Trait("Category", "Slow")]
public sealed class MembershipTests(ThreePeers three)
{
    private const int Family = 3000;

    private static readonly TimeSpan limit = TimeSpan.FromMinutes(3);

    private LocalCluster Cluster => three.Cluster;

    [Fact]
    public async Task A_fourth_peer_that_knows_one_address_gets_the_whole_pinset_and_pins_it()
    {
        for (var i = 0; i < 50; i++)
            await Cluster.Members[i % 3].Peer.PinAsync(InlineCids.Create(Family, i));
        var before = await Cluster.SamePinsetAsync(limit);

        var fourth = await Cluster.JoinAsync(through: three.Second);
        try
        {
            Assert.Equal(before, await Cluster.SamePinsetAsync(limit));
            await Cluster.WaitUntilCompleteAsync();
            await Eventually.HoldsAsync(limit, async () =>
            {
                var pinned = (await fourth.Peer.LinesAsync("pins?local=true&filter=pinned")).Select(info => info["cid"]!.GetValue<string>()).ToHashSet();
                var missing = Enumerable.Range(0, 50).Count(i => !pinned.Contains(InlineCids.Create(Family, i)));
                return missing == 0 ? null : $"{missing} pins of the newcomer are missing";
            }, Cluster.Logs);

            // It takes part: what it pins is seen by those it never was told of.
            var cid = InlineCids.Create(Family, 100);
            Assert.Equal(4, (await fourth.Peer.PinAsync(cid, "replication-min=4&replication-max=4")).Allocations().Length);
            await Cluster.SamePinsetAsync(limit);
            Assert.Equal(4, (await three.Third.Peer.AllocationsAsync(cid)).Length);
            await three.Third.Peer.UnpinAsync(cid);
        }
        finally
        {
            await Cluster.RemoveAsync(fourth);
        }

        await Cluster.WaitUntilCompleteAsync();
    }

    [Fact]
    public async Task A_peer_that_was_away_has_what_happened_meanwhile()
    {
        var gone = InlineCids.Create(Family, 200);
        await three.First.Peer.PinAsync(gone);
        await Cluster.SamePinsetAsync(limit);
        Assert.Equal(0, await three.Second.Peer.StopDaemonAsync());
        string[] cids = [.. Enumerable.Range(201, 20).Select(i => InlineCids.Create(Family, i))];
        foreach (var cid in cids)
            await three.First.Peer.PinAsync(cid);
        await three.Third.Peer.UnpinAsync(gone);

        await three.Second.Peer.StartDaemonAsync();
        await Cluster.SamePinsetAsync(limit);
        await Cluster.WaitUntilCompleteAsync();
        foreach (var cid in cids)
            await StatusAsync(cid, three.Second, "pinned");
        foreach (var member in Cluster.Members)
            await StatusAsync(gone, member, "unpinned");
    }

    [Fact]
    public async Task A_cluster_that_is_stopped_and_started_has_the_same_pinset_on_every_peer()
    {
        for (var i = 300; i < 320; i++)
            await Cluster.Members[i % 3].Peer.PinAsync(InlineCids.Create(Family, i));
        var before = await Cluster.SamePinsetAsync(limit);
        foreach (var code in await Task.WhenAll(Cluster.Members.Select(member => member.Peer.StopDaemonAsync())))
            Assert.Equal(0, code);

        var exports = await Task.WhenAll(Cluster.Members.Select(async member =>
        {
            var file = Path.Combine(member.Peer.Folder, "export.json");
            var run = await Programs.RunAsync(Programs.Service, ["--config", member.Peer.Folder, "state", "export", "-f", file]);
            Assert.True(run.ExitCode == 0, run.Output);
            return await File.ReadAllTextAsync(file);
        }));
        Assert.All(exports, export => Assert.Equal(exports[0], export));
        Assert.Equal(before.Count(c => c == '\n'), exports[0].Count(c => c == '\n'));

        await Task.WhenAll(Cluster.Members.Select(member => member.Peer.StartDaemonAsync()));
        Assert.Equal(before, await Cluster.SamePinsetAsync(limit));
        await Cluster.WaitUntilCompleteAsync();
        var cid = InlineCids.Create(Family, 330);
        await three.Third.Peer.PinAsync(cid);
        foreach (var member in Cluster.Members)
            await StatusAsync(cid, member, "pinned");
    }

    [Fact]
    public async Task The_pins_of_a_peer_that_dies_are_allocated_to_others_and_it_gives_them_up_when_it_is_back()
    {
        string[] cids = [.. Enumerable.Range(400, 12).Select(i => InlineCids.Create(Family, i))];
        foreach (var cid in cids)
            await three.First.Peer.PinAsync(cid, $"replication-min=2&replication-max=2&user-allocations={three.Second.Id},{three.Third.Id}");
        await Cluster.SamePinsetAsync(limit);
        foreach (var cid in cids)
            await StatusAsync(cid, three.Third, "pinned");

        await three.Third.Peer.KillDaemonAsync();
        string[] living = [.. new[] { three.First.Id, three.Second.Id }.Order(StringComparer.Ordinal)];
        foreach (var cid in cids)
        {
            await Eventually.HoldsAsync(
                limit,
                async () => (await three.First.Peer.AllocationsAsync(cid)) is var allocated && allocated.SequenceEqual(living) ? null : $"{cid} is allocated to {string.Join(" ", allocated)}",
                Cluster.Logs);
            await StatusAsync(cid, three.First, "pinned");
        }

        await Cluster.SamePinsetAsync(limit, except: three.Third);
        await three.Third.Peer.StartDaemonAsync();
        await Cluster.SamePinsetAsync(limit);
        await Cluster.WaitUntilCompleteAsync();
        foreach (var cid in cids)
            await StatusAsync(cid, three.Third, "remote");
    }

    private Task StatusAsync(string cid, Member at, string expected) => Eventually.HoldsAsync(
        limit,
        async () => (await three.First.Peer.StatusAsync(cid)).GetValueOrDefault(at.Id) is var status && status == expected ? null : $"{cid} is {status} at {at}",
        Cluster.Logs);
}
