using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Libp2p.Negotiation;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Tests.Goldens;

/// <summary>Connections that must come to nothing, with a host of ours in the place of the original: it hangs up as well.</summary>
[Trait("Category", "Golden")]
public sealed class ConnectionFailureGoldenTests
{
    private static readonly JsonElement File = Golden.Read("libp2p/connection.json");

    [Fact]
    public void Who_does_not_come_through_the_handshake_is_hung_up_on() =>
        Golden.ForEach(File.List("failures").Where(f => f.Text("dialer_error") is null), f => f.Text("what")!, f =>
            HangsUpAsync(f).WaitAsync(TestHosts.Deadline(120)).GetAwaiter().GetResult());

    private static async Task HangsUpAsync(JsonElement failure)
    {
        string what = failure.Text("what")!;
        bool isPrivate = !what.Contains("no private network", StringComparison.Ordinal);
        var timeout = TimeSpan.FromMilliseconds(500);
        await using var host = await TestHosts.StartAsync(o =>
        {
            // Where the original waited, it waited as long as ours would.
            int waited = failure.GetProperty("closed_by_go_after_ms").GetInt32();
            if (waited >= 1000) Assert.Equal(Math.Round(waited / 1000.0), o.HandshakeTimeout.TotalSeconds);
            return o with { HandshakeTimeout = timeout, Secret = isPrivate ? TestHosts.Secret : null };
        });
        host.ListenAddresses[0].TryGetTcpEndPoint(out var endPoint);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endPoint!);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Opening(what));
        var received = new MemoryStream();
        try
        {
            await stream.CopyToAsync(received, TestHosts.Deadline());
        }
        catch (IOException)
        {
            // A reset hangs up as well; it may overtake the last bytes.
        }
        Assert.InRange(received.Length, 0, failure.GetProperty("bytes_from_go").GetInt32());
        Assert.Empty(host.Connections);
    }

    private static byte[] Opening(string what)
    {
        if (what.StartsWith("multistream header in clear", StringComparison.Ordinal)) return MultistreamToken.Encode(ProtocolName.Multistream);
        if (what.StartsWith("nonce only", StringComparison.Ordinal)) return TestHosts.Pattern(24);
        if (what.StartsWith("TCP connect, then silence", StringComparison.Ordinal)) return [];
        if (what.StartsWith("multistream, /noise agreed", StringComparison.Ordinal)) return MultistreamToken.Encode(ProtocolName.Multistream, ProtocolName.Noise);
        if (what.StartsWith("multistream, /tls", StringComparison.Ordinal)) return MultistreamToken.Encode(ProtocolName.Multistream, ProtocolName.Tls);
        if (what.StartsWith("HTTP request", StringComparison.Ordinal)) return Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        throw new Xunit.Sdk.XunitException("What the recorder sends is not known to this test.");
    }

    [Fact]
    public void Dialers_of_another_network_or_for_another_peer_fail_and_say_why() =>
        Golden.ForEach(File.List("failures").Where(f => f.Text("dialer_error") is not null), f => f.Text("what")!, f =>
            FailsAsync(f.Text("what")!).WaitAsync(TestHosts.Deadline(120)).GetAwaiter().GetResult());

    private static async Task FailsAsync(string what)
    {
        var (near, far, failure) = what switch
        {
            _ when what.StartsWith("another secret", StringComparison.Ordinal) => (NetworkSecret.Generate(), TestHosts.Secret, DialFailure.OtherNetwork),
            _ when what.StartsWith("a secret, towards a peer without", StringComparison.Ordinal) => (TestHosts.Secret, null, DialFailure.OtherNetwork),
            _ when what.StartsWith("no secret, towards a peer with", StringComparison.Ordinal) => (null, TestHosts.Secret, DialFailure.OtherNetwork),
            _ when what.StartsWith("right secret, another peer id", StringComparison.Ordinal) => (TestHosts.Secret, TestHosts.Secret, DialFailure.OtherPeer),
            _ => throw new Xunit.Sdk.XunitException("What the dialer does is not known to this test."),
        };
        await using var host = await TestHosts.StartAsync(o => o with { Secret = far, HandshakeTimeout = failure == DialFailure.OtherPeer ? o.HandshakeTimeout : TimeSpan.FromSeconds(2) });
        await using var dialer = await TestHosts.StartAsync(o => o with { Secret = near, Listen = [] });
        var expected = failure == DialFailure.OtherPeer ? PrivateKey.GenerateEd25519().PeerId : host.Id;
        var e = await Assert.ThrowsAsync<DialException>(() => dialer.DialAsync(expected, [host.ListenAddresses[0]], TestHosts.Deadline()));
        Assert.Equal(failure, e.Failure);
        await TestHosts.EventuallyAsync(() => host.Connections.Count == 0, "the connection is still held");
    }
}
