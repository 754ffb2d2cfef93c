using System.Security.Cryptography;
using System.Text;
using Libp2p;
using Xunit;

namespace Interop;

/// <summary>Our host and js-libp2p, both dialling directions, with and without a secret.</summary>
[Trait("Category", "Slow")]
public sealed class JsLibp2pTests
{
    private static readonly NetworkSecret Secret = NetworkSecret.Generate();

    private static CancellationToken Deadline(int seconds = 120) => new CancellationTokenSource(TimeSpan.FromSeconds(seconds)).Token;

    private static async Task<Libp2pHost> StartAsync(bool secret)
    {
        var host = new Libp2pHost(new HostOptions
        {
            Key = PrivateKey.GenerateEd25519(),
            Listen = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")],
            Secret = secret ? Secret : null,
            AgentVersion = "interop/1.0",
        });
        host.Handle("/test/echo/1.0.0", async (stream, token) => await stream.Input.CopyToAsync(stream.Output, token));
        host.Handle("/test/half-close/1.0.0", async (stream, token) =>
        {
            var all = new MemoryStream();
            await stream.Input.CopyToAsync(all, token);
            await stream.Output.WriteAsync(Encoding.ASCII.GetBytes($"{all.Length} {Convert.ToHexStringLower(SHA256.HashData(all.ToArray()))}"), token);
        });
        host.Handle("/test/reset/1.0.0", async (stream, token) =>
        {
            await stream.Input.ReadAsync(token);
            stream.Reset();
        });
        host.Handle("/test/expect-reset/1.0.0", async (stream, token) =>
        {
            await stream.Output.WriteAsync("ready"u8.ToArray(), token);
            await stream.Input.CopyToAsync(Stream.Null, token);
        });
        await host.StartAsync();
        return host;
    }

    private static async Task<(Libp2pHost Host, JsPeer Peer, PeerConnection Connection)> ConnectAsync(bool secret, bool weDial)
    {
        var peer = await JsPeer.StartAsync(secret ? Secret : null);
        var host = await StartAsync(secret);
        if (weDial)
        {
            var own = await host.DialAsync(peer.Address, Deadline());
            // js drops a connection on which more than ten streams come before it has done with the handshake; an answer shows that it has.
            await own.Identified.WaitAsync(Deadline());
            return (host, peer, own);
        }
        var answer = await peer.AskAsync("dial", new { address = host.ListenAddresses[0].WithPeer(host.Id).ToString() });
        Assert.Equal(host.Id.ToString(), answer.GetProperty("peer").GetString());
        // The dialler is done a moment before the listener, whose turn the last message of the handshake is.
        await Eventually.HoldsAsync(() => host.IsConnected(peer.Id), "the listener does not see the connection");
        return (host, peer, host.ConnectionsTo(peer.Id)[0]);
    }

    public static TheoryData<bool, bool> Ways() => new() { { true, true }, { true, false }, { false, true }, { false, false } };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Both_sides_identify_and_ping_each_other(bool secret, bool weDial)
    {
        var (host, peer, connection) = await ConnectAsync(secret, weDial);
        await using var _ = host;
        await using var __ = peer;
        await connection.Identified.WaitAsync(Deadline());
        Assert.Contains("/test/echo/1.0.0", host.Peerstore.Protocols(peer.Id));
        Assert.Contains("js-libp2p", host.Peerstore.Versions(peer.Id).Agent, StringComparison.Ordinal);
        Assert.NotEmpty(host.Peerstore.Addresses(peer.Id));
        Assert.NotNull(host.Peerstore.SignedRecord(peer.Id));
        var known = await peer.AskAsync("identified", new { peer = host.Id.ToString() });
        Assert.Equal("interop/1.0", known.GetProperty("agent").GetString());
        Assert.Contains("/test/echo/1.0.0", known.GetProperty("protocols").EnumerateArray().Select(p => p.GetString()));
        Assert.Contains(host.ListenAddresses[0].ToString(), known.GetProperty("addresses").EnumerateArray().Select(a => a.GetString()));
        Assert.True(known.GetProperty("signed").GetBoolean());
        Assert.True(await host.PingAsync(peer.Id, Deadline()) > TimeSpan.Zero);
        Assert.True((await peer.AskAsync("ping", new { peer = host.Id.ToString() })).GetInt32() >= 0);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Sixty_four_mebibytes_come_back_through_one_stream(bool secret, bool weDial)
    {
        var (host, peer, _) = await ConnectAsync(secret, weDial);
        await using var __ = host;
        await using var ___ = peer;
        if (weDial)
        {
            Assert.True(await EchoAsync(host, peer.Id, 64 << 20));
            return;
        }
        var answer = await peer.AskAsync("echo", new { peer = host.Id.ToString(), bytes = 64 << 20 });
        Assert.Equal(64 << 20, answer[0].GetProperty("bytes").GetInt32());
        Assert.True(answer[0].GetProperty("same").GetBoolean());
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_hundred_streams_run_side_by_side(bool secret, bool weDial)
    {
        var (host, peer, _) = await ConnectAsync(secret, weDial);
        await using var __ = host;
        await using var ___ = peer;
        if (weDial)
        {
            var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => EchoAsync(host, peer.Id, 655_360)));
            Assert.All(results, Assert.True);
            return;
        }
        var answer = await peer.AskAsync("echo", new { peer = host.Id.ToString(), bytes = 655_360, streams = 100 });
        Assert.Equal(100, answer.GetArrayLength());
        Assert.All(answer.EnumerateArray(), a => Assert.True(a.GetProperty("same").GetBoolean() && a.GetProperty("bytes").GetInt32() == 655_360));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task One_direction_closes_while_the_other_stays_open(bool secret, bool weDial)
    {
        var (host, peer, _) = await ConnectAsync(secret, weDial);
        await using var __ = host;
        await using var ___ = peer;
        byte[] data = new byte[700_000];
        Random.Shared.NextBytes(data);
        await using var stream = await host.NewStreamAsync(peer.Id, "/test/half-close/1.0.0", Deadline());
        await stream.Output.WriteAsync(data, Deadline());
        await stream.CloseWriteAsync();
        using var reader = new StreamReader(stream.AsStream());
        Assert.Equal($"{data.Length} {Convert.ToHexStringLower(SHA256.HashData(data))}", await reader.ReadToEndAsync(Deadline()));
        var answer = await peer.AskAsync("halfClose", new { peer = host.Id.ToString(), bytes = 700_000 });
        Assert.Equal(answer.GetProperty("expected").GetString(), answer.GetProperty("text").GetString());
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Resets_are_seen_by_the_other_side(bool secret, bool weDial)
    {
        var (host, peer, _) = await ConnectAsync(secret, weDial);
        await using var __ = host;
        await using var ___ = peer;
        await using (var stream = await host.NewStreamAsync(peer.Id, "/test/reset/1.0.0", Deadline()))
        {
            await stream.Output.WriteAsync(new byte[10], Deadline());
            var e = await Assert.ThrowsAsync<StreamResetException>(() => stream.Input.CopyToAsync(Stream.Null, Deadline()));
            Assert.True(e.ByRemote);
        }
        Assert.NotEqual("ended", (await peer.AskAsync("expectReset", new { peer = host.Id.ToString() })).GetString());
        await using (var stream = await host.NewStreamAsync(peer.Id, "/test/expect-reset/1.0.0", Deadline()))
        {
            await stream.Input.ReadAsync(Deadline());
            stream.Reset();
        }
        await Eventually.HoldsAsync(async () => (await peer.AskAsync("resets")).GetInt32() > 0, "the reset does not arrive");
        Assert.Equal(1, (await peer.AskAsync("resets")).GetInt32());
        Assert.True((await peer.AskAsync("reset", new { peer = host.Id.ToString() })).GetBoolean());
        Assert.True(host.ConnectionsTo(peer.Id)[0].IsOpen);
    }

    [Fact]
    public async Task Another_secret_keeps_the_two_apart()
    {
        await using var peer = await JsPeer.StartAsync(NetworkSecret.Generate());
        await using var host = await StartAsync(secret: true);
        var e = await Assert.ThrowsAsync<DialException>(() => host.DialAsync(peer.Address, Deadline()));
        Assert.Equal(DialFailure.OtherNetwork, e.Failure);
        await Assert.ThrowsAsync<JsPeerException>(() => peer.AskAsync("dial", new { address = host.ListenAddresses[0].WithPeer(host.Id).ToString() }));
    }

    private static async Task<bool> EchoAsync(Libp2pHost host, PeerId peer, int total)
    {
        await using var stream = await host.NewStreamAsync(peer, "/test/echo/1.0.0", Deadline());
        byte[] chunk = new byte[65536];
        new Random(total).NextBytes(chunk);
        var sending = Task.Run(async () =>
        {
            for (int n = 0; n < total; n += chunk.Length) await stream.Output.WriteAsync(chunk.AsMemory(0, Math.Min(chunk.Length, total - n)), Deadline());
            await stream.CloseWriteAsync();
        });
        var back = stream.AsStream();
        var buffer = new byte[chunk.Length];
        int read = 0;
        while (true)
        {
            int n = await back.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, Deadline());
            if (!buffer.AsSpan(0, n).SequenceEqual(chunk.AsSpan(0, n))) return false;
            read += n;
            if (n < buffer.Length) break;
        }
        await sending;
        return read == total;
    }
}
