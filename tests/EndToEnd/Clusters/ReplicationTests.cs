using System.Net;
using System.Text.Json.Nodes;
using LocalIpfs;

namespace Cluster.EndToEnd.Tests.Clusters;

/// <summary>Three peers share one pinset: pins with every replication setting, and adds, through any of them.</summary>
[Collection(ThreePeersCollection.Name)]
[Trait("Category", "Slow")]
public sealed class ReplicationTests(ThreePeers three)
{
    private static readonly TimeSpan soon = TimeSpan.FromMinutes(3);

    private LocalCluster Cluster => three.Cluster;

    /// <param name="minimum">Peers at least; -1 = all, 0 = the configured default, which is all.</param>
    /// <param name="maximum">Peers at most.</param>
    /// <param name="allocated">Peers that a free cluster allocates.</param>
    [Theory]
    [InlineData(-1, -1, 3)]
    [InlineData(0, 0, 3)]
    [InlineData(1, 1, 1)]
    [InlineData(1, 2, 2)]
    [InlineData(2, 2, 2)]
    [InlineData(2, 3, 3)]
    [InlineData(3, 3, 3)]
    [InlineData(1, 9, 3)]
    public async Task A_pin_is_held_by_as_many_peers_as_asked_and_every_peer_tells_the_same(int minimum, int maximum, int allocated)
    {
        foreach (var member in Cluster.Members)
        {
            var cid = InlineCids.Create(2000 + minimum + (10 * maximum), member.Number);
            var pin = await member.Peer.PinAsync(cid, $"replication-min={minimum}&replication-max={maximum}&name=from-{member}");
            var everywhere = minimum <= 0;
            Assert.Equal(everywhere ? 0 : allocated, pin.Allocations().Length);
            var holders = everywhere ? [.. Cluster.Members.Select(m => m.Id)] : pin.Allocations();

            foreach (var other in Cluster.Members)
            {
                await Eventually.HoldsAsync(
                    soon,
                    async () =>
                    {
                        var status = await other.Peer.StatusAsync(cid);
                        var wrong = Cluster.Members.Where(m => status.GetValueOrDefault(m.Id) != (holders.Contains(m.Id) ? "pinned" : "remote")).ToArray();
                        return wrong.Length == 0 ? null : $"{other} says of {cid}: {string.Join(", ", wrong.Select(m => $"{m} {status.GetValueOrDefault(m.Id)}"))}";
                    },
                    Cluster.Logs);
                Assert.Equal(pin.Allocations(), await other.Peer.AllocationsAsync(cid));
            }

            foreach (var other in Cluster.Members)
                Assert.Equal(holders.Contains(other.Id), await IsPinnedAsync(other.Ipfs, cid));
        }

        await Cluster.SamePinsetAsync(soon);
    }

    [Fact]
    public async Task The_peers_that_the_user_names_get_the_pin_and_an_unpin_through_another_peer_takes_it_away()
    {
        var cid = InlineCids.Create(2500, 1);
        var pin = await three.First.Peer.PinAsync(cid, $"replication-min=2&replication-max=2&user-allocations={three.Second.Id},{three.Third.Id}");
        string[] named = [.. new[] { three.Second.Id, three.Third.Id }.Order(StringComparer.Ordinal)];
        Assert.Equal(named, pin.Allocations());
        await PinnedAsync(cid, three.Second, three.Third);

        await three.Third.Peer.UnpinAsync(cid);
        await Eventually.HoldsAsync(soon, async () =>
        {
            var listed = await Task.WhenAll(Cluster.Members.Select(m => m.Peer.LinesAsync("allocations")));
            return listed.Any(pins => pins.Any(p => p["cid"]!.GetValue<string>() == cid)) ? $"{cid} is still listed" : null;
        });
        foreach (var member in Cluster.Members)
            await Eventually.HoldsAsync(soon, async () => await IsPinnedAsync(member.Ipfs, cid) ? $"{member} still holds {cid}" : null);
    }

    [Fact]
    public async Task A_pin_that_wants_more_peers_than_there_are_is_refused_and_the_error_names_the_candidates()
    {
        var cid = InlineCids.Create(2501, 1);
        using var answer = await three.Second.Peer.Http.PostAsync(new Uri($"pins/{cid}?replication-min=4&replication-max=4", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        var message = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["message"]!.GetValue<string>();
        Assert.Contains("not enough peers to allocate CID", message, StringComparison.Ordinal);
        Assert.Contains("Needed at least: 4", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_added_through_any_peer_ends_on_the_allocated_daemons_whole()
    {
        foreach (var member in Cluster.Members)
        {
            // Several blocks, distinct for each peer.
            var bytes = new byte[700_000];
            new Random(member.Number).NextBytes(bytes);
            using var form = new MultipartFormDataContent { { new ByteArrayContent(bytes), "file", "file.bin" } };
            using var answer = await member.Peer.Http.PostAsync(
                new Uri($"add?replication-min=2&replication-max=2&name=added-{member}&cid-version=1", UriKind.Relative), form);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
            var added = JsonNode.Parse(text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1])!;
            var cid = added["cid"]!.GetValue<string>();

            await Eventually.HoldsAsync(soon, async () =>
                (await member.Peer.LinesAsync("allocations")).Any(pin => pin["cid"]!.GetValue<string>() == cid) ? null : $"{cid} is not in the pinset");
            var allocated = await member.Peer.AllocationsAsync(cid);
            Assert.Equal(2, allocated.Length);
            Member[] holders = [.. Cluster.Members.Where(m => allocated.Contains(m.Id))];
            await PinnedAsync(cid, holders);
            foreach (var holder in holders)
            {
                using var content = await holder.Peer.Http.PostAsync(new Uri(holder.Ipfs.ApiUri, $"cat?arg={cid}"), null);
                Assert.Equal(bytes, await content.Content.ReadAsByteArrayAsync());
            }
        }
    }

    private Task PinnedAsync(string cid, params Member[] holders) => Eventually.HoldsAsync(
        soon,
        async () =>
        {
            var status = await three.First.Peer.StatusAsync(cid);
            var missing = holders.FirstOrDefault(holder => status.GetValueOrDefault(holder.Id) != "pinned");
            return missing is null ? null : $"{cid} is {status.GetValueOrDefault(missing.Id)} at {missing}";
        },
        Cluster.Logs);

    private async Task<bool> IsPinnedAsync(IpfsDaemon daemon, string cid)
    {
        using var answer = await three.First.Peer.Http.PostAsync(new Uri(daemon.ApiUri, $"pin/ls?arg={cid}&type=recursive"), null);
        return answer.IsSuccessStatusCode;
    }
}
