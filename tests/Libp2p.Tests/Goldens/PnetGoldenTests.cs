using System.Text;
using System.Text.Json;
using Libp2p.PrivateNetwork;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Tests.Goldens;

[Trait("Category", "Golden")]
public sealed class PnetGoldenTests
{
    private static readonly JsonElement File = Golden.Read("libp2p/pnet.json");

    [Fact]
    public void Key_files_are_read_or_refused_as_recorded() =>
        Golden.ForEach(File.List("key_file"), c => c.Text("what")!, c =>
        {
            byte[] file = c.Text("text") is { } text ? Encoding.UTF8.GetBytes(text) : c.Hex("text_hex");
            if (c.Text("error") is not null)
            {
                Assert.Throws<NetworkSecretFormatException>(() => NetworkSecret.FromKeyFile(file));
                return;
            }
            var secret = NetworkSecret.FromKeyFile(file);
            Assert.Equal(c.Text("key_hex"), secret.ToHex());
            if (c.Text("fingerprint_hex") is { } fingerprint) Assert.Equal(fingerprint, Golden.Hex(secret.Fingerprint()));
            Assert.Equal(secret.ToHex(), NetworkSecret.FromKeyFile(Encoding.UTF8.GetBytes(secret.ToKeyFile())).ToHex());
        });

    [Fact]
    public void Secrets_are_read_or_refused_as_recorded() =>
        Golden.ForEach(File.List("secret"), c => c.Text("text")!, c =>
        {
            if (c.Text("error") is not null)
            {
                Assert.Throws<NetworkSecretFormatException>(() => NetworkSecret.FromHex(c.Text("text")!));
                return;
            }
            Assert.Equal(c.GetProperty("no_private_network").GetBoolean() ? null : c.Text("key_hex"), NetworkSecret.FromHex(c.Text("text")!)?.ToHex());
        });

    [Fact]
    public void Writes_become_the_recorded_bytes_and_these_are_read_back() =>
        Golden.ForEach(File.List("sessions"), s => s.Text("name")!, s =>
        {
            var secret = NetworkSecret.FromBytes(s.Hex("key_hex"));
            foreach (string side in (string[])["dialer", "listener"])
            {
                var raw = new ScriptedStream();
                var stream = new PrivateNetworkStream(raw, secret, s.Hex($"nonce_{side}_hex"));
                var expected = new MemoryStream();
                var plain = new MemoryStream();
                foreach (var step in s.List("steps").Where(x => x.Text("from") == side))
                {
                    byte[] data = Plain(step);
                    plain.Write(data);
                    stream.WriteAsync(data).AsTask().GetAwaiter().GetResult();
                    int before = (int)expected.Length;
                    foreach (var write in step.List("wire_writes"))
                    {
                        int length = write.Hex("write_hex").Length;
                        var own = raw.Written.AsSpan((int)expected.Length, length);
                        Assert.Equal(write.Text("write_hex"), Golden.Hex(own));
                        expected.Write(own);
                    }
                    Assert.Equal(expected.Length, raw.Written.Length);
                    Assert.True(expected.Length > before || data.Length == 0);
                }
                // The other way round, in pieces of every size.
                var back = new ScriptedStream { MaxRead = 37, Random = new Random(1) };
                back.Feed(raw.Written);
                back.FeedEnd();
                var reading = new PrivateNetworkStream(back, secret, new byte[24]);
                var read = new MemoryStream();
                if (plain.Length > 0) reading.CopyToAsync(read).GetAwaiter().GetResult();
                Assert.Equal(plain.ToArray(), read.ToArray());
            }
        });

    private static byte[] Plain(JsonElement step)
    {
        if (step.Text("plain_hex") is { } hex) return Convert.FromHexString(hex);
        return TestHosts.Pattern(step.GetProperty("plain_length").GetInt32());
    }

    [Fact]
    public async Task A_missing_nonce_is_an_error_and_an_end_after_it_is_none()
    {
        foreach (var c in File.List("read_errors"))
        {
            var raw = new ScriptedStream();
            raw.Feed(c.Hex("wire_hex"));
            raw.FeedEnd();
            var stream = new PrivateNetworkStream(raw, TestHosts.Secret, new byte[24]);
            if (c.List("reads").First().Text("error") == "EOF") Assert.Equal(0, await stream.ReadAsync(new byte[10]));
            else await Assert.ThrowsAsync<EndOfStreamException>(() => stream.ReadExactlyAsync(new byte[10]).AsTask());
        }
    }
}
