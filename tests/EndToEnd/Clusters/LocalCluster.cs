using System.Globalization;
using System.Text.Json.Nodes;
using LocalIpfs;

namespace Cluster.EndToEnd.Tests.Clusters;

/// <summary>A peer of a cluster with its IPFS daemon.</summary>
/// <param name="Number">1, 2, ...: its name is <c>peer1</c>, <c>peer2</c>, ...</param>
/// <param name="Peer">The five processes.</param>
/// <param name="Ipfs">The daemon.</param>
/// <param name="Address">The multiaddress that the peer announces, with <c>/p2p/</c>.</param>
public sealed record Member(int Number, RunningPeer Peer, IpfsDaemon Ipfs, string Address)
{
    public string Id => Peer.Id;

    public override string ToString() => $"peer{Number}";
}

/// <summary>
/// A cluster on this machine: each peer has its IPFS daemon, the daemons are connected, each peer knows the addresses of the others, and
/// everything between the peers passes through one network. Metrics come often, so that a dead peer is noticed in seconds, and hold for
/// long enough that a busy machine's pauses do not make one of a living peer.
/// </summary>
public sealed class LocalCluster : IAsyncDisposable
{
    private static readonly TimeSpan completeLimit = TimeSpan.FromMinutes(3);

    private readonly List<Member> _members = [];
    private readonly PartitionableNetwork _network = new();
    private string? _secret;

    /// <summary>The present peers.</summary>
    public IReadOnlyList<Member> Members => _members;

    /// <summary>Starts a cluster and waits until every peer sees all others.</summary>
    public static async Task<LocalCluster> StartAsync(int peers)
    {
        var cluster = new LocalCluster();
        try
        {
            var daemons = await Task.WhenAll(Enumerable.Range(1, peers).Select(StartDaemonAsync));
            for (var i = 0; i < peers; i++)
                await cluster.AddAsync(daemons[i]);
            foreach (var member in cluster._members)
            {
                var others = new JsonArray([.. cluster._members.Where(other => other != member).Select(other => (JsonNode)other.Address)]);
                await member.Peer.ConfigureAsync(json => json["cluster"]!["peer_addresses"] = others);
            }

            await Task.WhenAll(cluster._members.Select(member => member.Peer.StartDaemonAsync()));
            await cluster.WaitUntilCompleteAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>A further peer, which knows nothing of the cluster but the secret and the address of a member.</summary>
    public async Task<Member> JoinAsync(Member through)
    {
        var member = await AddAsync(await StartDaemonAsync(_members.Count + 1));
        await member.Peer.StartDaemonAsync("--bootstrap", through.Address);
        return member;
    }

    /// <summary>Stops a peer for good.</summary>
    public async Task RemoveAsync(Member member)
    {
        _members.Remove(member);
        await member.Peer.DisposeAsync();
        await _network.RemoveDoorAsync(member.Peer);
        await member.Ipfs.DisposeAsync();
    }

    /// <summary>Connects all daemons that are not.</summary>
    public async Task ConnectDaemonsAsync()
    {
        for (var i = 1; i < _members.Count; i++)
            await ConnectAsync(_members[i].Ipfs, _members[..i]);
    }

    /// <summary>Lets nothing pass between these peers and the others.</summary>
    public void Separate(Passage passage, params Member[] group) => _network.Separate(passage, [.. group.Select(member => member.Peer)]);

    /// <summary>Everything passes again.</summary>
    public void Heal() => _network.Heal();

    /// <summary>Waits until every peer lists all others without error and has their metrics.</summary>
    public Task WaitUntilCompleteAsync() => Eventually.HoldsAsync(
        completeLimit,
        async () =>
        {
            foreach (var member in _members)
            {
                var peers = await member.Peer.LinesAsync("peers");
                if (peers.Length != _members.Count || peers.Any(peer => peer["error"]!.GetValue<string>().Length > 0))
                    return $"{member} lists {peers.Length} peers: {string.Join(" ", peers.Select(peer => peer["error"]!.GetValue<string>()))}";
                foreach (var metric in (string[])["ping", "freespace"])
                {
                    var metrics = (await member.Peer.JsonAsync($"monitor/metrics/{metric}"))!.AsArray();
                    if (metrics.Count != _members.Count)
                        return $"{member} has {metrics.Count} metrics \"{metric}\"";
                }
            }

            return null;
        },
        Logs);

    /// <summary>Waits until all peers have the same pinset, byte for byte; the pinset as the peers list it.</summary>
    public async Task<string> SamePinsetAsync(TimeSpan limit, params Member[] except)
    {
        var pinset = "";
        await Eventually.HoldsAsync(
            limit,
            async () =>
            {
                var lists = await Task.WhenAll(_members.Except(except).Select(member => member.Peer.Http.GetStringAsync(new Uri("allocations", UriKind.Relative))));
                pinset = lists[0];
                return lists.All(list => list == pinset) ? null : $"the pinsets differ: {string.Join(", ", lists.Select(list => list.Count(c => c == '\n')))} pins\n{Difference(lists)}";
            },
            Logs);
        return pinset;
    }

    /// <summary>What the peers said last, for the report of a failing test.</summary>
    public string Logs() => string.Concat(_members.Select(member => $"--- {member} {member.Id}\n{Tail(member.Peer.Log)}\n"));

    public async ValueTask DisposeAsync()
    {
        _network.Heal();
        await Task.WhenAll(_members.Select(member => member.Peer.DisposeAsync().AsTask()));
        await _network.DisposeAsync();
        await Task.WhenAll(_members.Select(member => member.Ipfs.DisposeAsync().AsTask()));
    }

    private static Task<IpfsDaemon> StartDaemonAsync(int number) =>
        // Free space decides: the first peer has the most, as in the recorded clusters.
        IpfsDaemon.StartAsync(new IpfsDaemonOptions { StorageMax = Math.Max(4 - number, 1) * 10_000_000_000L });

    private static string Difference(string[] lists)
    {
        var common = lists.Select(list => list.Split('\n').ToHashSet()).Aggregate((a, b) => [.. a.Intersect(b)]);
        return string.Join("\n", lists.Select((list, i) => $"only at {i + 1}: {list.Split('\n').FirstOrDefault(line => !common.Contains(line))}"));
    }

    private static async Task ConnectAsync(IpfsDaemon daemon, IEnumerable<Member> members)
    {
        foreach (var member in members)
        {
            using var answer = await member.Peer.Http.PostAsync(
                new Uri(daemon.ApiUri, "swarm/connect?arg=" + Uri.EscapeDataString(member.Ipfs.SwarmAddresses[0])), null);
            Assert.True(answer.IsSuccessStatusCode, $"the daemon of {member} and the next do not connect: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    private static string Tail(string log)
    {
        const int most = 6000;
        return log.Length <= most ? log : log[^most..];
    }

    private async Task<Member> AddAsync(IpfsDaemon daemon)
    {
        await ConnectAsync(daemon, _members);
        var number = _members.Select(member => member.Number).DefaultIfEmpty().Max() + 1;
        var peer = await RunningPeer.InitialiseAsync(daemon.ApiMultiaddress, json => Configure(json, number));
        var door = _network.AddDoor(peer);
        await peer.ConfigureAsync(json => json["cluster"]!["announce_multiaddress"] = new JsonArray(door));
        var added = new Member(number, peer, daemon, $"{door}/p2p/{peer.Id}");
        _members.Add(added);
        return added;
    }

    private void Configure(JsonObject json, int number)
    {
        var cluster = json["cluster"]!;
        _secret ??= cluster["secret"]!.GetValue<string>();
        cluster["secret"] = _secret;
        cluster["peername"] = string.Create(CultureInfo.InvariantCulture, $"peer{number}");
        cluster["disable_repinning"] = false;
        cluster["monitor_ping_interval"] = "5s"; // a ping is valid for twice as long
        cluster["pubsub"]!["heartbeat_interval"] = "1s";
        cluster["peer_watch_interval"] = "1s";
        cluster["state_sync_interval"] = "5s";
        cluster["pin_recover_interval"] = "5s";
        json["monitor"]!["pubsubmon"]!["check_interval"] = "1s";
        json["informer"]!["disk"]!["metric_ttl"] = "30s";
        json["consensus"]!["crdt"]!["rebroadcast_interval"] = "5s";
    }
}
