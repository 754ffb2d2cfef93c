using System.Text.Json.Nodes;
using Libp2p.Kademlia;
using Libp2p.Testing;
using Libp2p.Tests.Pubsub;
using Xunit;

namespace Libp2p.Tests.Kademlia;

/// <summary>The recorded session with our server in the place of the original, and every recorded message.</summary>
[Trait("Category", "Golden")]
public sealed class KademliaGoldenTests
{
    private static readonly JsonNode File = JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(Golden.Folder, "libp2p", "kad.json")))!;

    // Steps whose recorded answer depends on what is not in the file, by the beginning of their text.
    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        ["GET_PROVIDERS of a key without providers"] = "the answer names a provider: the recorder had announced it before the recorded session",
    };

    [Fact]
    public void Every_recorded_message_reads_as_recorded_and_is_written_the_same()
    {
        int count = 0;
        foreach (var recorded in File["steps"]!.AsArray().SelectMany(step => step!["messages"]!.AsArray()))
        {
            if (recorded!["message_hex"] is not { } hex) continue;
            count++;
            var bytes = Convert.FromHexString(hex.GetValue<string>());
            string type = recorded["type"]!.GetValue<string>().Replace("_", "", StringComparison.Ordinal);
            bool known = Enum.TryParse<KademliaMessageType>(type, ignoreCase: true, out var expected) && Enum.IsDefined(expected);
            Assert.Equal(known, KademliaMessage.TryParse(bytes, out var message, out _));
            if (!known) continue;
            Assert.Equal(expected, message!.Type);
            Assert.Equal(recorded["key_hex"]!.GetValue<string>(), Convert.ToHexStringLower(message.Key.Span));
            Assert.Equal(recorded["cluster_level_raw"]!.GetInt(), message.ClusterLevel);
            Assert.Equal(Peers(recorded["closer_peers"], sort: false), Peers(message.CloserPeers, sort: false));
            Assert.Equal(Peers(recorded["provider_peers"], sort: false), Peers(message.ProviderPeers, sort: false));
            Assert.Equal(recorded["record"]?["value_hex"]?.GetValue<string>(), message.Record is { } record ? Convert.ToHexStringLower(record.Value.Span) : null);
            Assert.Equal(hex.GetValue<string>(), Convert.ToHexStringLower(message.Encode()));
        }
        Assert.NotEqual(0, count);
    }

    [Fact]
    public void The_protocol_names_are_those_of_the_original()
    {
        Assert.Equal(File["protocols"]!["lan"]![0]!.GetValue<string>(), new KademliaOptions { Prefix = KademliaOptions.LanPrefix }.Protocol);
        Assert.Equal(File["protocols"]!["wan"]![0]!.GetValue<string>(), new KademliaOptions { Prefix = KademliaOptions.WanPrefix }.Protocol);
    }

    [Fact]
    public void The_server_answers_as_the_original_did()
    {
        var messages = File["steps"]!.AsArray().SelectMany(step => step!["messages"]!.AsArray()).Select(m => m!).ToArray();
        var self = Named(messages.First(m => m["to"]!.GetValue<string>() == "go" && m["key_as_peer"] is not null
            && Previous(messages, m).Contains("FIND_NODE of go itself", StringComparison.Ordinal)));
        var knowledge = Knowledge(messages);
        var options = new KademliaOptions();
        var table = new RoutingTable(self, options.BucketSize, options.UsefulFor);
        var server = new KademliaServer(self, options, table, peer => knowledge.TryGetValue(peer, out var known) ? known : new PeerKnowledge([], false));
        var now = DateTimeOffset.UnixEpoch;
        Dictionary<string, PeerId> names = new() { ["A"] = AskerItself(messages) };
        foreach (var step in File["steps"]!.AsArray())
        {
            string text = step!["step"]!.GetValue<string>();
            // The one server among the recorders is in the table from its probe to its end.
            foreach (var probe in step["messages"]!.AsArray().Where(m => m!["from"]!.GetValue<string>() == "go" && m["key_as_peer"] is not null && m["to"]!.GetValue<string>() == "B").Take(1))
            {
                var server2 = Named(probe!);
                table.Add(server2, now);
            }
            if (text.StartsWith("stop:", StringComparison.Ordinal))
            {
                foreach (var gone in table.Peers.ToArray())
                {
                    table.Remove(gone);
                    knowledge[gone] = knowledge[gone] with { Connected = false };
                }
            }
            var all = step["messages"]!.AsArray().Select(m => m!).Where(m => m["from"]!.GetValue<string>() == "A" || m["to"]!.GetValue<string>() == "A").ToArray();
            for (int i = 0; i < all.Length; i++)
            {
                if (all[i]["from"]!.GetValue<string>() != "A" || all[i]["message_hex"] is null) continue;
                var expected = all.Skip(i + 1).FirstOrDefault(m => m["from"]!.GetValue<string>() == "go");
                string ours, theirs = expected?["message_hex"] is { } hex ? Text(Convert.FromHexString(hex.GetValue<string>())) : expected is null ? "nothing" : "reset";
                try
                {
                    if (!KademliaMessage.TryParse(Convert.FromHexString(all[i]["message_hex"]!.GetValue<string>()), out var request, out string reason)) throw new KademliaRequestException(reason);
                    ours = server.Answer(names["A"], loopback: true, request, now) is { } answer ? Text(answer.Encode()) : "nothing";
                }
                catch (KademliaRequestException)
                {
                    ours = "reset";
                }
                if (!Elsewhere.Keys.Any(key => text.StartsWith(key, StringComparison.Ordinal))) Assert.True(theirs == ours, $"{text}\nrecorded: {theirs}\nours:     {ours}");
            }
        }
    }

    private static string Previous(JsonNode[] all, JsonNode message) => message.Parent!.Parent!["step"]!.GetValue<string>();

    private static PeerId Named(JsonNode message) => PeerId.Parse(message["key_as_peer"]!.GetValue<string>());

    private static PeerId AskerItself(JsonNode[] messages) => Named(messages.First(m => m["from"]!.GetValue<string>() == "A" && m["key_as_peer"] is not null
        && Previous(messages, m).Contains("FIND_NODE of A itself", StringComparison.Ordinal)));

    /// <summary>The addresses that the original gave out for each peer.</summary>
    private static Dictionary<PeerId, PeerKnowledge> Knowledge(JsonNode[] messages)
    {
        Dictionary<PeerId, PeerKnowledge> known = [];
        foreach (var peer in messages.Where(m => m["from"]!.GetValue<string>() == "go").SelectMany(m => m["closer_peers"]?.AsArray() ?? []))
        {
            var id = PeerId.Parse(peer!["peer"]!.GetValue<string>());
            if (!known.ContainsKey(id))
                known.Add(id, new PeerKnowledge([.. peer["addrs"]!.AsArray().Select(a => Multiaddr.Parse(a!.GetValue<string>()))], peer["connection"]!.GetValue<string>() == "CONNECTED"));
        }
        return known;
    }

    private static string Text(byte[] bytes)
    {
        Assert.True(KademliaMessage.TryParse(bytes, out var message, out _));
        string record = message.Record is { } r ? $"{Convert.ToHexStringLower(r.Key.Span)}={Convert.ToHexStringLower(r.Value.Span)} {r.TimeReceived.Length > 0}" : "";
        return $"{message.Type} {Convert.ToHexStringLower(message.Key.Span)} {record} closer [{Peers(message.CloserPeers, sort: true)}] providers [{Peers(message.ProviderPeers, sort: true)}] {message.ClusterLevel}";
    }

    private static string Peers(IEnumerable<KademliaPeer> peers, bool sort) => string.Join("; ", peers.Select(p =>
        $"{p.Peer} {string.Join(' ', sort ? p.Addresses.Select(a => a.ToString()).Order(StringComparer.Ordinal) : p.Addresses.Select(a => a.ToString()))} {p.Connection}"));

    private static string Peers(JsonNode? peers, bool sort) => Peers((peers?.AsArray() ?? []).Select(p => new KademliaPeer(PeerId.Parse(p!["peer"]!.GetValue<string>()),
        [.. p["addrs"]!.AsArray().Select(a => Multiaddr.Parse(a!.GetValue<string>()))],
        Enum.Parse<KademliaConnection>(p["connection"]!.GetValue<string>().Replace("_", "", StringComparison.Ordinal), ignoreCase: true))), sort);
}
