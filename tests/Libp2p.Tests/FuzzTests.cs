using System.Text;
using System.Text.Json;
using Fuzz;
using Fuzz.Libp2p;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Tests;

public sealed class FuzzTests
{
    private static readonly Dictionary<string, (FuzzTarget Target, Func<IEnumerable<byte[]>> Corpus)> All = new()
    {
        ["multiaddr"] = (MultiaddrTarget.Fuzz, () => Hex("libp2p/multiaddr.json", "bytes_hex").Concat(Texts("libp2p/multiaddr.json", "text"))),
        ["keys"] = (KeyTarget.Fuzz, () => Hex("libp2p/keys.json", "hex").Concat(Texts("libp2p/pnet.json", "text")).Concat(Texts("bytes/identity/identity.json", "identity_json"))),
        ["negotiation"] = (NegotiationTarget.Fuzz, () => Hex("libp2p/multistream.json", "hex")),
        ["peer messages"] = (PeerMessageTarget.Fuzz, () => Hex("libp2p/identify.json", "hex").Concat(Hex("libp2p/identify.json", "envelope_hex")).Concat(Hex("libp2p/noise.json", "responder_payload_hex"))),
        ["yamux"] = (YamuxTarget.Fuzz, () => Hex("libp2p/yamux.json", "header_hex")),
        ["noise"] = (NoiseTarget.Fuzz, () => Hex("libp2p/noise.json", "wire_hex")),
        ["pubsub"] = (PubsubTarget.Fuzz, () => Hex("libp2p/gossipsub.json", "rpc_hex")),
        ["bitswap"] = (BitswapTarget.Fuzz, () => Hex("libp2p/bitswap.json", "message_hex")),
        ["kad"] = (KademliaTarget.Fuzz, () => Hex("libp2p/kad.json", "message_hex")),
        ["mdns"] = (MdnsTarget.Fuzz, () => Hex("libp2p/mdns.json", "packet_hex")),
    };

    public static TheoryData<string> Names() => [.. All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Any_input_is_read_or_refused(string name) => FuzzRunner.Run(All[name].Target, [.. All[name].Corpus()], 2_000, seed: 1);

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Long")]
    public void Much_input_is_read_or_refused(string name) => FuzzRunner.Run(All[name].Target, [.. All[name].Corpus()], 100_000, Random.Shared.Next());

    private static IEnumerable<byte[]> Hex(string file, string name) => Strings(Golden.Read(file), name).Where(s => s.Length % 2 == 0 && s.Length < 2000).Select(Convert.FromHexString);

    private static IEnumerable<byte[]> Texts(string file, string name) => Strings(Golden.Read(file), name).Select(Encoding.UTF8.GetBytes);

    private static IEnumerable<string> Strings(JsonElement element, string name) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().SelectMany(e => Strings(e, name)),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p =>
            p.Name == name && p.Value.ValueKind == JsonValueKind.String ? [p.Value.GetString()!] : Strings(p.Value, name)),
        _ => [],
    };
}
