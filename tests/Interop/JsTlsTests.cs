using Libp2p;
using Xunit;

namespace Interop;

/// <summary>Our host and a js-libp2p peer that speaks TLS alone: the choice falls on TLS, in both dialling directions.</summary>
[Trait("Category", "Slow")]
public sealed class JsTlsTests
{
    private static CancellationToken Deadline(int seconds = 120) => new CancellationTokenSource(TimeSpan.FromSeconds(seconds)).Token;

    private static async Task<Libp2pHost> StartAsync(NetworkSecret? secret, SecurityProtocols security)
    {
        var host = new Libp2pHost(new HostOptions
        {
            Key = PrivateKey.GenerateEd25519(),
            Listen = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")],
            Secret = secret,
            Security = security,
        });
        host.Handle("/test/echo/1.0.0", async (stream, token) => await stream.Input.CopyToAsync(stream.Output, token));
        await host.StartAsync();
        return host;
    }

    public static TheoryData<bool, SecurityProtocols> Ways() => new()
    {
        { false, SecurityProtocols.Tls }, { false, SecurityProtocols.NoiseAndTls }, { true, SecurityProtocols.Tls },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_connection_that_we_dial_is_secured_by_tls_and_carries_streams(bool isPrivate, SecurityProtocols security)
    {
        var secret = isPrivate ? NetworkSecret.Generate() : null;
        await using var peer = await JsPeer.StartAsync(secret, "peer.mjs", "tls");
        await using var host = await StartAsync(secret, security);
        var connection = await host.DialAsync(peer.Address, Deadline());
        await CheckAsync(host, peer, connection);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_connection_that_js_dials_is_secured_by_tls_and_carries_streams(bool isPrivate, SecurityProtocols security)
    {
        var secret = isPrivate ? NetworkSecret.Generate() : null;
        await using var peer = await JsPeer.StartAsync(secret, "peer.mjs", "tls");
        await using var host = await StartAsync(secret, security);
        var answer = await peer.AskAsync("dial", new { address = host.ListenAddresses[0].WithPeer(host.Id).ToString() });
        Assert.Equal(host.Id.ToString(), answer.GetProperty("peer").GetString());
        // The dialler is done a moment before the listener.
        await Eventually.HoldsAsync(() => host.IsConnected(peer.Id), "the listener does not see the connection");
        await CheckAsync(host, peer, host.ConnectionsTo(peer.Id)[0]);
    }

    [Fact]
    public async Task A_peer_of_another_identity_is_refused()
    {
        await using var peer = await JsPeer.StartAsync(null, "peer.mjs", "tls");
        await using var host = await StartAsync(null, SecurityProtocols.Tls);
        var e = await Assert.ThrowsAsync<DialException>(() => host.DialAsync(PrivateKey.GenerateEd25519().PeerId, [peer.Address.WithoutPeer()], Deadline()));
        Assert.Equal(DialFailure.OtherPeer, e.Failure);
    }

    [Fact]
    public async Task Without_a_security_protocol_in_common_the_dial_says_so()
    {
        await using var peer = await JsPeer.StartAsync(null, "peer.mjs", "tls");
        await using var host = await StartAsync(null, SecurityProtocols.Noise);
        var e = await Assert.ThrowsAsync<DialException>(() => host.DialAsync(peer.Address, Deadline()));
        Assert.Equal(DialFailure.NoCommonProtocol, e.Failure);
    }

    private static async Task CheckAsync(Libp2pHost host, JsPeer peer, PeerConnection connection)
    {
        Assert.Equal("/tls/1.0.0", connection.Security);
        Assert.Equal(peer.Id, connection.RemotePeer);
        await connection.Identified.WaitAsync(Deadline());
        Assert.True(await host.PingAsync(peer.Id, Deadline()) > TimeSpan.Zero);
        byte[] data = new byte[1 << 20];
        new Random(1).NextBytes(data);
        await using var stream = await host.NewStreamAsync(peer.Id, "/test/echo/1.0.0", Deadline());
        var sending = Task.Run(async () =>
        {
            await stream.Output.WriteAsync(data, Deadline());
            await stream.CloseWriteAsync();
        });
        var back = new MemoryStream();
        await stream.Input.CopyToAsync(back, Deadline());
        await sending;
        Assert.Equal(data, back.ToArray());
        var answer = await peer.AskAsync("echo", new { peer = host.Id.ToString(), bytes = 1 << 20 });
        Assert.True(answer[0].GetProperty("same").GetBoolean());
    }
}
