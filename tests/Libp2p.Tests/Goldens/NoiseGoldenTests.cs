using System.Security.Cryptography;
using System.Text.Json;
using Libp2p.Security.Noise;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Tests.Goldens;

[Trait("Category", "Golden")]
public sealed class NoiseGoldenTests
{
    private static readonly JsonElement File = Golden.Read("libp2p/noise.json");

    private static NoiseProtocol Protocol(JsonElement side, byte[]? payload = null) => new(
        PrivateKey.FromProtobuf(side.Hex("identity_private_proto_hex")),
        [.. side.List("muxers").Select(m => m.GetString()!)],
        X25519KeyPair.From(side.Hex("static_private_hex")),
        () => X25519KeyPair.From(side.Hex("ephemeral_private_hex")),
        payload);

    private static string? Peer(JsonElement c, string name) => c.Text(name) is { Length: > 0 } text ? text : null;

    [Fact]
    public void Handshakes_produce_the_recorded_messages_and_keys() =>
        Golden.ForEach(File.List("handshakes"), h => h.Text("name")!, h =>
        {
            var messages = h.List("messages").ToArray();
            foreach (bool initiator in (bool[])[true, false])
            {
                string own = initiator ? "initiator" : "responder";
                var raw = new ScriptedStream { MaxRead = 5 };
                foreach (var message in messages.Where(m => m.Text("from") != own)) raw.Feed(message.Hex("wire_hex"));
                var expected = Peer(h, own + "_expects_peer") is { } p ? PeerId.Parse(p) : (PeerId?)null;
                // ECDSA identities sign with randomness: the recorded payload stands in for one of our own making.
                bool random = h.GetProperty(own).Hex("identity_private_proto_hex")[1] == (int)KeyType.Ecdsa;
                byte[] payload = messages.Last(m => m.Text("from") == own).Hex("payload_hex");
                var channel = Protocol(h.GetProperty(own), random ? payload : null).SecureAsync(raw, initiator, expected, default).GetAwaiter().GetResult();
                byte[] written = raw.Written;
                int at = 0;
                foreach (var message in messages.Where(m => m.Text("from") == own))
                {
                    byte[] wire = message.Hex("wire_hex");
                    Assert.Equal(Golden.Hex(wire), Golden.Hex(written.AsSpan(at, Math.Min(wire.Length, written.Length - at))));
                    at += wire.Length;
                }
                Assert.Equal(at, written.Length);
                var result = h.GetProperty("result");
                Assert.Equal(result.Text("remote_peer_of_" + own), channel.RemoteKey.PeerId.ToString());
                Assert.Equal(result.Text(own + "_muxer") is { Length: > 0 } m ? m : null, channel.Muxer);
            }
        });

    [Fact]
    public void Transport_frames_are_the_recorded_ones_and_are_read_in_any_pieces() =>
        Golden.ForEach(File.List("handshakes").Where(h => h.List("transport").Any()), h => h.Text("name")!, h =>
        {
            var derived = h.GetProperty("derived");
            byte[] there = derived.Hex("k_initiator_to_responder_hex"), back = derived.Hex("k_responder_to_initiator_hex");
            foreach (string side in (string[])["initiator", "responder"])
            {
                var raw = new ScriptedStream();
                byte[] send = side == "initiator" ? there : back, receive = side == "initiator" ? back : there;
                var stream = new NoiseStream(raw, send, receive);
                var plain = new MemoryStream();
                int at = 0;
                foreach (var step in h.List("transport").Where(t => t.Text("from") == side))
                {
                    byte[] data = step.Text("write_hex") is { } hex ? Convert.FromHexString(hex) : TestHosts.Pattern(step.GetProperty("write_length").GetInt32());
                    plain.Write(data);
                    stream.WriteAsync(data).AsTask().GetAwaiter().GetResult();
                    foreach (var frame in step.List("frames"))
                    {
                        int length = frame.GetProperty("wire_length").GetInt32();
                        var own = raw.Written.AsSpan(at, length);
                        if (frame.Text("wire_hex") is { } wire) Assert.Equal(wire, Golden.Hex(own));
                        if (frame.Text("wire_sha256_hex") is { } sha) Assert.Equal(sha, Golden.Hex(SHA256.HashData(own)));
                        at += length;
                    }
                    Assert.Equal(at, raw.Written.Length);
                }
                foreach (int piece in (int[])[1, 1000, int.MaxValue])
                {
                    var echo = new ScriptedStream { MaxRead = piece };
                    echo.Feed(raw.Written);
                    echo.FeedEnd();
                    var read = new MemoryStream();
                    new NoiseStream(echo, receive, send).CopyToAsync(read, 333).GetAwaiter().GetResult();
                    Assert.Equal(plain.ToArray(), read.ToArray());
                }
            }
        });

    [Fact]
    public void Crafted_handshakes_fail_or_pass_as_recorded() =>
        Golden.ForEach(File.List("failures"), c => c.Text("name")!, c =>
        {
            string own = c.Text("real_side")!;
            bool initiator = own == "initiator";
            var raw = new ScriptedStream();
            bool ended = false;
            foreach (var message in c.List("wire").Where(m => m.Text("from") != own))
            {
                if (message.Text("wire_hex") is { } wire) raw.Feed(Convert.FromHexString(wire));
                else ended = true;
            }
            if (ended || c.Text("error") is not null) raw.FeedEnd();
            // Golden: an empty id where one is expected matches nobody.
            PeerId? expected = Peer(c, own + "_expects_peer") is { } p ? PeerId.Parse(p) : initiator ? default(PeerId) : null;
            string? error = null;
            try
            {
                var channel = Protocol(c.GetProperty(own)).SecureAsync(raw, initiator, expected, default).GetAwaiter().GetResult();
                Assert.Equal(c.Text("remote_peer"), channel.RemoteKey.PeerId.ToString());
                Assert.Equal(c.Text(own + "_muxer") is { Length: > 0 } m ? m : null, channel.Muxer);
            }
            catch (HandshakeException e)
            {
                error = e.Message;
                if (c.Text("error")!.StartsWith("peer id mismatch", StringComparison.Ordinal)) Assert.IsType<PeerMismatchException>(e);
            }
            Assert.True((error is null) == (c.Text("error") is null), $"expected {c.Text("error") ?? "success"}, got {error ?? "success"}");
            string sent = string.Concat(c.List("wire").Where(m => m.Text("from") == own).Select(m => m.Text("wire_hex")));
            Assert.Equal(sent, Golden.Hex(raw.Written));
        });

    [Fact]
    public void Good_and_bad_transport_frames_are_read_as_recorded() =>
        Golden.ForEach(File.List("received_frames"), c => c.Text("name")!, c =>
        {
            var raw = new ScriptedStream();
            foreach (var frame in c.List("frames_sent")) raw.Feed(frame.Hex("wire_hex"));
            if (c.GetProperty("closed_after").GetBoolean()) raw.FeedEnd();
            var stream = new NoiseStream(raw, new byte[32], c.Hex("key_hex"));
            var buffer = new byte[c.GetProperty("read_buffer").GetInt32()];
            foreach (var read in c.List("reads_of_responder"))
            {
                if (read.TryGetProperty("blocks", out _)) return;
                string? error = read.Text("error");
                // An empty frame: Go returns no bytes; a .NET stream may not, because that means its end.
                if (error is null && read.GetProperty("n").GetInt32() == 0) continue;
                if (error is null or "EOF")
                {
                    int n = stream.ReadAsync(buffer).AsTask().GetAwaiter().GetResult();
                    Assert.Equal(read.Text("data_hex"), Golden.Hex(buffer.AsSpan(0, n)));
                    continue;
                }
                Assert.ThrowsAny<IOException>(() => stream.ReadAsync(buffer).AsTask().GetAwaiter().GetResult());
                // After a bad frame the session is over here; Go would read on, which its muxer then never does.
                return;
            }
        });
}
