using System.Text.Json.Nodes;
using Libp2p.Mdns;
using Libp2p.Testing;
using Libp2p.Tests.Pubsub;
using Xunit;

namespace Libp2p.Tests.Mdns;

/// <summary>Packets of a real peer: read, written back, and made by ours from the same facts.</summary>
[Trait("Category", "Golden")]
public sealed class MdnsGoldenTests
{
    private static readonly JsonNode File = JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(Golden.Folder, "libp2p", "mdns.json")))!;

    private static IEnumerable<(JsonNode Recorded, byte[] Bytes)> Packets =>
        File["packets"]!.AsArray().Select(p => (p!, Convert.FromHexString(p!["packet_hex"]!.GetValue<string>())));

    [Fact]
    public void The_service_is_that_of_the_original() => Assert.Equal(File["service"]!.GetValue<string>(), new MdnsOptions().Service);

    [Fact]
    public void Every_packet_reads_as_recorded_and_is_written_the_same()
    {
        int count = 0;
        foreach (var (recorded, bytes) in Packets)
        {
            count++;
            Assert.True(MdnsMessage.TryParse(bytes, out var message));
            Assert.Equal(recorded["id"]!.GetInt(), message.Id);
            Assert.Equal(recorded["kind"]!.GetValue<string>() == "answer", message.IsResponse);
            Assert.Equal(Texts(recorded["questions"]), message.Questions.Select(q => $"{q.Name} {q.Type.ToString().ToUpperInvariant()} class 0x{q.Class:x4}"));
            Assert.Equal(Texts(recorded["answers"]), message.Answers.Select(Text));
            Assert.Equal(Texts(recorded["authority"]), message.Authority.Select(Text));
            Assert.Equal(Texts(recorded["additional"]), message.Additional.Select(Text));
            Assert.Contains(Convert.ToHexString(bytes), new[] { message.Encode(compress: true), message.Encode(compress: false) }.Select(Convert.ToHexString));
        }
        Assert.NotEqual(0, count);
    }

    [Fact]
    public void Ours_says_the_same_of_the_same_peer()
    {
        var all = Packets.Select(p => (p.Recorded, p.Bytes, Message: Parse(p.Bytes))).ToArray();
        // Who it is stands in its first answer to the question for the service.
        var first = all.First(p => p.Message.IsResponse && p.Message.Additional.Count > 0).Message;
        var texts = first.Additional.First(r => r.Type == MdnsType.Txt);
        var address = Multiaddr.Parse(texts.Texts[0]["dnsaddr=".Length..]);
        var (peer, addresses) = (address.PeerId!.Value, new[] { address.WithoutPeer() });
        var ours = new MdnsResponder(File["service"]!.GetValue<string>(), texts.Name.Split('.')[0]);
        HashSet<string> made = [];
        foreach (var (recorded, bytes, message) in all)
        {
            string hex = Convert.ToHexString(bytes);
            if (!message.IsResponse)
            {
                if (message.Authority.Count > 0) Assert.Equal(hex, Convert.ToHexString(ours.Probe(message.Id, peer, addresses).Encode(compress: false)));
                else if (ours.Answer(message, peer, addresses) is { } answer) made.Add(Convert.ToHexString(answer.Encode()));
                // The recorder's questions look the same but for their bits.
                if (message.Id != 0 && message.Authority.Count == 0) Assert.Equal(hex, Convert.ToHexString(ours.Query(message.Id).Encode(compress: false)));
            }
            else if (message.Answers.Any(r => r.Type == MdnsType.Srv))
            {
                bool ending = message.Answers[0].Ttl == 0;
                Assert.Equal(hex, Convert.ToHexString(ours.Announce(peer, addresses, ending).Encode(compress: !ending)));
            }
            else
            {
                Assert.True(made.Contains(hex), $"at {recorded["t_ms"]} ms");
            }
        }
        // What it tells, others read.
        var reader = new MdnsResponder(File["service"]!.GetValue<string>(), "another");
        Assert.Equal([address], reader.Read(first));
        Assert.Empty(ours.Read(first));
        Assert.Empty(reader.Read(all.Last(p => p.Message.IsResponse && p.Message.Answers[0].Ttl == 0).Message));
    }

    private static MdnsMessage Parse(byte[] bytes) => MdnsMessage.TryParse(bytes, out var message) ? message : throw new Xunit.Sdk.XunitException("a packet does not parse");

    private static IEnumerable<string> Texts(JsonNode? list) => (list?.AsArray() ?? []).Select(text => text!.GetValue<string>());


    private static string Text(MdnsRecord record)
    {
        string data = record.Type switch
        {
            MdnsType.Ptr => record.Target,
            MdnsType.Srv => $"{record.Service.Priority} {record.Service.Weight} {record.Service.Port} {record.Target}",
            MdnsType.Txt => string.Join(' ', record.Texts.Select(text => $"\"{text}\"")),
            MdnsType.A or MdnsType.Aaaa => record.Address!.ToString(),
            _ => Convert.ToHexStringLower(record.Data.Span),
        };
        return $"{record.Name} class 0x{record.Class:x4} ttl {record.Ttl} {record.Type.ToString().ToUpperInvariant()} {data}";
    }
}
