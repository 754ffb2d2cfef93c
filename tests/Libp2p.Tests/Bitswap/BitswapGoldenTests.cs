using System.Text.Json.Nodes;
using Ipld;
using Libp2p.Bitswap;
using Libp2p.Tests.Pubsub;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Libp2p.Tests.Bitswap;

/// <summary>The recorded session with our server in the place of the original, and every recorded message.</summary>
[Trait("Category", "Golden")]
public sealed class BitswapGoldenTests
{
    private static readonly JsonNode File = JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(Libp2p.Testing.Golden.Folder, "libp2p", "bitswap.json")))!;

    private static IEnumerable<JsonNode> Messages => File["steps"]!.AsArray().SelectMany(step => step!["messages"]!.AsArray())
        .Where(message => message!["message_hex"] is not null)!;

    [Fact]
    public void The_protocol_names_and_limits_are_those_of_the_original()
    {
        Assert.Equal(File["protocols_in_order"]!.AsArray().Select(name => name!.GetValue<string>()), BitswapProtocols.All);
        var options = new BitswapOptions();
        var parameters = File["parameters"]!;
        Assert.Equal(parameters["want_have_replace_size"]!.GetInt(), options.ReplaceHaveSize);
        Assert.Equal(parameters["max_message_size"]!.GetInt(), options.MaxMessageSize);
        Assert.Equal(parameters["target_message_size"]!.GetInt(), options.TargetMessageSize);
        Assert.Equal(parameters["max_queued_wantlist_entries_per_peer"]!.GetInt(), options.MaxWantsPerPeer);
        Assert.Equal("1s", parameters["provider_search_delay"]!.GetValue<string>());
        Assert.Equal(TimeSpan.FromSeconds(1), options.SearchDelay);
    }

    [Fact]
    public void Every_recorded_message_reads_as_recorded_and_is_written_the_same()
    {
        foreach (var recorded in Messages)
        {
            var bytes = Convert.FromHexString(recorded["message_hex"]!.GetValue<string>());
            bool good = BitswapMessage.TryParse(bytes, out var message, out string reason);
            if (recorded["wantlist"]?["entries"]!.AsArray().Any(e => e!["cid"]!.GetValue<string>().StartsWith("hex:", StringComparison.Ordinal)) ?? false)
            {
                Assert.False(good);
                Assert.Contains("CID", reason, StringComparison.Ordinal);
                continue;
            }
            Assert.True(good, reason);
            Assert.Equal(Text(recorded), Text(message!));
            // The recorder leaves an empty wantlist out; the original and we do not.
            if (recorded["from"]!.GetValue<string>() == "go" || bytes[0] == 0x0a) Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(message!.Encode()));
        }
    }

    [Fact]
    public async Task The_server_answers_as_the_original_did()
    {
        var store = new InMemoryBlockStore();
        foreach (var block in Messages.Where(m => m["from"]!.GetValue<string>() == "go").SelectMany(m => m["payload"]?.AsArray() ?? []))
            store.Add(new Block(Cid.Parse(block!["cid"]!.GetValue<string>()), Convert.FromHexString(block["data_hex"]!.GetValue<string>())));
        foreach (var presence in Messages.Where(m => m["from"]!.GetValue<string>() == "go").SelectMany(m => m["block_presences"]?.AsArray() ?? []))
        {
            var cid = Cid.Parse(presence!["cid"]!.GetValue<string>());
            // A block that is there but never sent in the recording: any bytes beyond the limit do.
            if (presence["type"]!.GetValue<string>() == "Have" && !store.Contains(cid)) store.Add(new Block(cid, new byte[2000]));
        }
        Dictionary<string, PeerWants> peers = [];
        Dictionary<string, BitswapFeatures> features = [];
        var log = new BitswapLog(NullLogger.Instance);
        foreach (var step in File["steps"]!.AsArray())
        {
            HashSet<string> expected = [], actual = [];
            foreach (var recorded in step!["messages"]!.AsArray())
            {
                string from = recorded!["from"]!.GetValue<string>(), to = recorded["to"]!.GetValue<string>();
                if (recorded["note"]?.GetValue<string>() is { } note && note.StartsWith("recorder opened a bitswap stream", StringComparison.Ordinal))
                    features[from] = BitswapProtocols.FeaturesOf(note.Split(' ')[^1]);
                if (recorded["message_hex"] is null) continue;
                if (!BitswapMessage.TryParse(Convert.FromHexString(recorded["message_hex"]!.GetValue<string>()), out var message, out _)) continue;
                if (from == "go")
                {
                    // Its own wants belong to its client.
                    expected.UnionWith(Answers(to, message));
                }
                else
                {
                    if (!peers.TryGetValue(from, out var wants)) peers.Add(from, wants = new PeerWants(new BitswapOptions()));
                    Assert.True(wants.Receive(message));
                }
            }
            foreach (var (name, wants) in peers)
            {
                while (await wants.NextAnswerAsync(store, features.GetValueOrDefault(name, BitswapFeatures.None), log, default) is { } answer)
                    actual.UnionWith(Answers(name, answer));
            }
            Assert.True(expected.SetEquals(actual), $"{step["step"]}\nrecorded: {string.Join("\n  ", expected)}\nours: {string.Join("\n  ", actual)}");
        }
    }

    private static IEnumerable<string> Answers(string to, BitswapMessage message) =>
    [
        .. message.Blocks.Select(block => $"{to} block {block.Cid} {Convert.ToHexString(block.Data.Span)}"),
        .. message.LegacyBlocks.Select(data => $"{to} block {Convert.ToHexString(data.Span)}"),
        .. message.Presences.Select(presence => $"{to} {(presence.Have ? "has" : "lacks")} {presence.Cid}"),
    ];

    private static string Text(JsonNode recorded) => string.Join('\n',
    [
        .. recorded["wantlist"]?["entries"]!.AsArray().Select(e => $"want {e!["cid"]} {e["priority"]!.GetInt()} {e["cancel"]} {e["want_type"]} {e["send_dont_have"]}") ?? [],
        $"full {recorded["wantlist"]?["full"]?.GetValue<bool>() ?? false}".ToLowerInvariant(),
        .. recorded["payload"]?.AsArray().Select(b => $"block {b!["cid"]} {b["data_hex"]}") ?? [],
        .. recorded["blocks"]?.AsArray().Select(b => $"block {b!["data_hex"]}") ?? [],
        .. recorded["block_presences"]?.AsArray().Select(p => $"{p!["type"]} {p["cid"]}") ?? [],
        $"pending {recorded["pending_bytes"]!.GetInt()}",
    ]);

    private static string Text(BitswapMessage message) => string.Join('\n',
    [
        .. message.Wantlist.Select(e => $"want {e.Cid} {e.Priority} {(e.Cancel ? "true" : "false")} {e.Type} {(e.SendDontHave ? "true" : "false")}"),
        $"full {message.Full}".ToLowerInvariant(),
        .. message.Blocks.Select(b => $"block {b.Cid} {Convert.ToHexStringLower(b.Data.Span)}"),
        .. message.LegacyBlocks.Select(b => $"block {Convert.ToHexStringLower(b.Span)}"),
        .. message.Presences.Select(p => $"{(p.Have ? "Have" : "DontHave")} {p.Cid}"),
        $"pending {message.PendingBytes}",
    ]);
}
