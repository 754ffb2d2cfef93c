using System.Text.Json;
using Libp2p.Identify;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Tests.Goldens;

[Trait("Category", "Golden")]
public sealed class PeerGoldenTests
{
    private static readonly JsonElement PeerstoreRecords = Golden.Read("bytes/identity/peerstore.json");
    private static readonly JsonElement Secrets = Golden.Read("bytes/identity/identity.json");
    private static readonly JsonElement IdentifyRecords = Golden.Read("libp2p/identify.json");
    private static readonly JsonElement PingRecords = Golden.Read("libp2p/ping.json");

    [Fact]
    public void Peerstore_files_are_read_and_written_as_recorded() =>
        Golden.ForEach(PeerstoreRecords.List("files"), f => f.Text("name")!, f =>
        {
            var loaded = PeerstoreFile.Parse(f.Text("file")!);
            Assert.Equal(f.List("loaded").Select(a => a.GetString()).Where(a => a != "(empty address)"), loaded.Select(a => a.ToString()));
            var used = PeerstoreFile.Usable(loaded);
            Assert.Equal(f.List("imported_by_priority").Select(a => a.GetString()), used.Select(a => a.ToString()));
            Assert.Equal(f.Text("saved_again"), PeerstoreFile.Format(used));
        });

    [Fact]
    public void Cluster_secrets_are_read_or_refused_as_recorded() =>
        Golden.ForEach(Secrets.List("secrets"), s => s.Text("secret")!, s =>
        {
            if (s.Text("error") is not null)
            {
                Assert.Throws<NetworkSecretFormatException>(() => NetworkSecret.FromHex(s.Text("secret")!));
                return;
            }
            Assert.Equal(s.Text("psk_hex"), NetworkSecret.FromHex(s.Text("secret")!)?.ToHex());
            if (s.Text("swarm_key_file") is { } file) Assert.Equal(file, NetworkSecret.FromHex(s.Text("secret")!)!.ToKeyFile());
        });

    /// <summary>All recorded answers and pushes, wherever they are in the file.</summary>
    private static IEnumerable<JsonElement> Exchanges(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array) return element.EnumerateArray().SelectMany(Exchanges);
        if (element.ValueKind != JsonValueKind.Object) return [];
        bool here = element.TryGetProperty("messages", out _) && element.TryGetProperty("decoded", out var d) && d.ValueKind == JsonValueKind.Object;
        return here ? [element] : element.EnumerateObject().SelectMany(p => Exchanges(p.Value));
    }

    [Fact]
    public void Identify_messages_decode_as_recorded_and_their_records_verify() =>
        Golden.ForEach(Exchanges(IdentifyRecords).Where(e => e.List("messages").All(m => m.Text("hex") is not null)), e => e.GetRawText()[..60], e =>
        {
            var message = new IdentifyMessage();
            foreach (var part in e.List("messages")) message.Merge(part.Hex("hex"));
            var decoded = e.GetProperty("decoded");
            Assert.Equal(decoded.Text("public_key_hex"), Golden.Hex(message.PublicKey));
            Assert.Equal(decoded.List("listen_addrs").Select(a => a.GetString()), message.ListenAddresses.Select(a => a.ToString()));
            Assert.Equal(decoded.List("protocols").Select(p => p.GetString()), message.Protocols);
            Assert.Equal(decoded.Text("observed_addr"), message.ObservedAddress?.ToString());
            Assert.Equal(decoded.Text("protocol_version"), message.ProtocolVersion);
            Assert.Equal(decoded.Text("agent_version"), message.AgentVersion);
            var signed = decoded.GetProperty("signed_peer_record");
            Assert.Equal(signed.Text("envelope_hex"), Golden.Hex(message.SignedPeerRecord));
            Assert.True(PeerRecord.TryOpen(message.SignedPeerRecord, out var record));
            var expected = signed.GetProperty("record");
            Assert.Equal(expected.Text("peer_id"), record.Peer.ToString());
            Assert.Equal(expected.Text("seq"), record.Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture));
            Assert.Equal(expected.List("addresses").Select(a => a.GetString()), record.Addresses.Select(a => a.ToString()));
            // One message is written field by field as the original writes it.
            if (e.List("messages").Count() == 1) Assert.Equal(e.List("messages").First().Text("hex"), Golden.Hex(message.ToBytes()));
            // A changed record is refused.
            byte[] forged = [.. message.SignedPeerRecord];
            forged[^1] ^= 1;
            Assert.False(PeerRecord.TryOpen(forged, out _));
        });

    [Fact]
    public async Task Pings_are_answered_as_recorded()
    {
        await using var server = await TestHosts.StartAsync();
        await using var client = await TestHosts.StartAsync();
        var connection = await client.DialAsync(server.Address(), TestHosts.Deadline());
        var stream = await connection.NewStreamAsync("/ipfs/ping/1.0.0", TestHosts.Deadline());
        var file = stream.AsStream();
        foreach (var step in PingRecords.List("steps"))
        {
            if (step.Text("do")!.StartsWith("nothing", StringComparison.Ordinal)) continue;
            if (step.Text("do")!.Contains("closes its write side", StringComparison.Ordinal))
            {
                await stream.DisposeAsync();
                stream = await connection.NewStreamAsync("/ipfs/ping/1.0.0", TestHosts.Deadline());
                await stream.CloseWriteAsync();
                Assert.Empty(await stream.Input.ReadAllAsync(TestHosts.Deadline()));
                continue;
            }
            await file.WriteAsync(step.Hex("write_hex"));
            var answer = new byte[step.Hex("read_hex").Length];
            await file.ReadExactlyAsync(answer, TestHosts.Deadline());
            Assert.Equal(step.Text("read_hex"), Golden.Hex(answer));
        }
        await stream.DisposeAsync();
    }

    [Fact]
    public async Task A_peer_has_as_many_ping_streams_as_recorded_and_the_next_is_refused_by_name()
    {
        await using var server = await TestHosts.StartAsync();
        await using var client = await TestHosts.StartAsync(o => o with { Ping = false });
        var connection = await client.DialAsync(server.Address(), TestHosts.Deadline());
        var open = new List<PeerStream>();
        for (int i = 0; i < PingRecords.GetProperty("streams_open_at_once").GetInt32(); i++)
        {
            open.Add(await connection.NewStreamAsync("/ipfs/ping/1.0.0", TestHosts.Deadline()));
            await open[^1].Output.WriteAsync(new byte[32]);
            await open[^1].AsStream().ReadExactlyAsync(new byte[32], TestHosts.Deadline());
        }
        var e = await Assert.ThrowsAsync<StreamResetException>(async () =>
        {
            await using var extra = await connection.NewStreamAsync("/ipfs/ping/1.0.0", TestHosts.Deadline());
            await extra.AsStream().ReadExactlyAsync(new byte[1], TestHosts.Deadline());
        });
        Assert.Equal(StreamErrorCode.ResourceLimitExceeded, e.Code);
        foreach (var stream in open) await stream.DisposeAsync();
    }
}
