using System.Text.Json.Nodes;
using Libp2p.Pubsub;

namespace Libp2p.Tests.Pubsub;

/// <summary>The recorded scripted session with our core in the place of the original: the same messages go to the same peers.</summary>
[Trait("Category", "Golden")]
public sealed class GossipsubSessionTests
{
    private static readonly string[] Topics = ["monitor.metrics", "fzhnp2UwTBkgNabrJi1VanzwgN"];

    // Steps at which ours does otherwise on purpose, by the beginning of their text.
    private static readonly Dictionary<string, string> Otherwise = new()
    {
        ["R1 publishes: no seqno"] = "all messages of an author without a number would share one name; refused",
        ["R1 publishes: from names another peer of fewer than 16 bytes"] = "ends the original's process; refused",
        ["R2 publishes twice: R1 is out of the mesh"] = "gossip depends on the phase of the heartbeats",
        ["R1 asks for one of them with IWANT"] = "depends on the gossip before it",
        ["R1: PRUNE for a topic in whose mesh it is not"] = "the recorded peer's own metrics are due in this step",
    };

    [Fact]
    public void Messages_go_where_the_original_sent_them()
    {
        var session = GossipsubVectors.File["sessions"]![0]!;
        var names = PeersOf(session);
        var own = PeerId.Parse(ForgedAuthor(session));
        var core = new GossipsubCore(own, Options(), new Random(1));
        var start = DateTimeOffset.UnixEpoch;
        core.Subscribe(Topics[0], start, new GossipsubOutput());
        core.Subscribe(Topics[1], start, new GossipsubOutput());
        var alice = names["R1"];
        var nextHeartbeat = 1000;
        HashSet<string> unknown = []; // left a topic: whether they came back stands in a step that the file leaves out
        foreach (var step in session["steps"]!.AsArray())
        {
            var text = step!["step"]!.GetValue<string>();
            HashSet<string> expected = [], actual = [];
            foreach (var rpc in step["rpcs"]!.AsArray())
            {
                var at = rpc!["t_ms"]!.GetInt();
                for (; nextHeartbeat <= at; nextHeartbeat += 1000) core.Heartbeat(start.AddMilliseconds(nextHeartbeat), new GossipsubOutput());
                var (from, to) = (rpc["from"]!.GetValue<string>(), rpc["to"]!.GetValue<string>());
                if (from == "go")
                {
                    foreach (var message in rpc["publish"]?.AsArray() ?? [])
                        if (message!["from"]!.GetValue<string>() != own.ToString()) expected.Add($"{message["id_hex"]} to {to}");
                    continue;
                }
                var output = new GossipsubOutput();
                Play(core, names[from], rpc, alice, start.AddMilliseconds(at), output);
                foreach (var (peer, frame) in output.Frames)
                    foreach (var message in frame.Publish) actual.Add($"{MessageId.ShortAuthor(16)(message)} to {names.First(n => n.Value == peer).Key}");
            }
            expected.RemoveWhere(sent => unknown.Contains(sent.Split(' ')[^1]));
            actual.RemoveWhere(sent => unknown.Contains(sent.Split(' ')[^1]));
            unknown.UnionWith(step["rpcs"]!.AsArray()
                .Where(rpc => rpc!["subscriptions"]?.AsArray().Any(change => !change!["subscribe"]!.GetValue<bool>()) ?? false)
                .Select(rpc => rpc!["from"]!.GetValue<string>()));
            if (Otherwise.Keys.Any(key => text.StartsWith(key, StringComparison.Ordinal))) continue;
            if (step["rpcs"]!.AsArray().Any(rpc => rpc!["rpc_sha256_hex"] is not null)) continue; // recorded without its bytes
            Assert.True(expected.SetEquals(actual), $"{text}\nrecorded: {string.Join("; ", expected)}\nours: {string.Join("; ", actual)}");
        }
    }

    private static void Play(GossipsubCore core, PeerId from, JsonNode rpc, PeerId trusted, DateTimeOffset now, GossipsubOutput output)
    {
        if (rpc["note"]?.GetValue<string>() is { } note)
        {
            if (note.StartsWith("recorder opened its pubsub stream ", StringComparison.Ordinal)) core.AddPeer(from, note.Split(' ')[^1], outbound: false, now, output);
            return;
        }
        if (rpc["rpc_hex"] is null) return;
        Assert.True(PubsubRpc.TryParse(Convert.FromHexString(rpc["rpc_hex"]!.GetValue<string>()), out var frame));
        core.Receive(from, frame, now, output);
        foreach (var message in frame.Publish)
        {
            if (!core.Wants(message) || !message.Verify(out var author, out _)) continue;
            if (message.Topic == Topics[1] && author != trusted) core.Refuse(message, now);
            else core.Deliver(message, from, now, output);
        }
    }

    private static GossipsubOptions Options() => new()
    {
        Degree = 24, DegreeLow = 20, DegreeHigh = 48, DegreeOutbound = 8, DegreeLazy = 24, HistoryLength = 6, HistoryGossip = 2,
        MaxIHaveLength = 10000, SeenTtl = TimeSpan.FromMinutes(30), MessageIdOf = MessageId.ShortAuthor(16),
    };

    /// <summary>The recorders' ids: R1 is alice; the others are those whose own messages they publish.</summary>
    private static Dictionary<string, PeerId> PeersOf(JsonNode session)
    {
        Dictionary<string, PeerId> names = new() { ["R1"] = PeerId.Parse("12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB") };
        var rpcs = session["steps"]!.AsArray().SelectMany(step => step!["rpcs"]!.AsArray()).ToArray();
        foreach (var name in rpcs.SelectMany(rpc => new[] { rpc!["from"]!.GetValue<string>(), rpc["to"]!.GetValue<string>() }).Distinct())
        {
            if (name is "go" or "R1") continue;
            var authors = rpcs.Where(rpc => rpc!["from"]!.GetValue<string>() == name).SelectMany(rpc => rpc!["publish"]?.AsArray() ?? [])
                .Select(message => PeerId.Parse(message!["from"]!.GetValue<string>())).Where(author => author != names["R1"]);
            names[name] = authors.FirstOrDefault() is { IsDefined: true } author ? author : PrivateKey.GenerateEd25519().PeerId;
        }
        return names;
    }

    private static string ForgedAuthor(JsonNode session) => session["steps"]!.AsArray()
        .First(step => step!["step"]!.GetValue<string>().Contains("author is go itself", StringComparison.Ordinal))!["rpcs"]![0]!["publish"]![0]!["from"]!.GetValue<string>();
}

internal static class JsonNumbers
{
    public static int GetInt(this JsonNode node) => (int)node.GetValue<double>();
}
