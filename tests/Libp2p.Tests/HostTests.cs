using System.IO.Pipelines;
using System.Net.Sockets;
using Libp2p.Transport;
using Xunit;

namespace Libp2p.Tests;

public sealed class HostTests
{
    public static TheoryData<bool, SecurityProtocols, bool> Stacks()
    {
        var data = new TheoryData<bool, SecurityProtocols, bool>();
        foreach (bool secret in (bool[])[true, false])
        {
            foreach (var security in (SecurityProtocols[])[SecurityProtocols.Noise, SecurityProtocols.Tls])
            {
                foreach (bool early in (bool[])[true, false]) data.Add(secret, security, early);
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Stacks))]
    public async Task Bytes_come_back_through_every_stack(bool secret, SecurityProtocols security, bool early)
    {
        HostOptions Change(HostOptions o) => o with { Secret = secret ? TestHosts.Secret : null, Security = security, EarlyMuxer = early };
        await using var a = await TestHosts.StartAsync(Change);
        await using var b = await TestHosts.StartAsync(Change);
        b.HandleEcho();
        var connection = await a.DialAsync(b.Address(), TestHosts.Deadline());
        Assert.Equal(b.Id, connection.RemotePeer);
        await using var stream = await connection.NewStreamAsync("/echo/1.0.0", TestHosts.Deadline());
        byte[] sent = TestHosts.Pattern(3_000_000);
        var reading = stream.Input.ReadAllAsync(TestHosts.Deadline());
        await stream.Output.WriteAsync(sent, TestHosts.Deadline());
        await stream.Output.CompleteAsync();
        Assert.Equal(sent, await reading);
    }

    [Fact]
    public async Task Both_sides_learn_who_the_other_is()
    {
        await using var a = await TestHosts.StartAsync(o => o with { AgentVersion = "first/1" });
        await using var b = await TestHosts.StartAsync(o => o with { AgentVersion = "second/2" });
        b.HandleEcho();
        var connection = await a.DialAsync(b.Address(), TestHosts.Deadline());
        await connection.Identified.WaitAsync(TestHosts.Deadline());
        Assert.Contains("/echo/1.0.0", a.Peerstore.Protocols(b.Id));
        Assert.Equal("second/2", a.Peerstore.Versions(b.Id).Agent);
        Assert.Contains(b.ListenAddresses[0], a.Peerstore.Addresses(b.Id));
        await TestHosts.EventuallyAsync(() => b.Peerstore.Versions(a.Id).Agent == "first/1", "the listener does not know the dialler");
    }

    [Fact]
    public async Task A_known_protocol_is_opened_without_waiting_for_the_answer()
    {
        await using var a = await TestHosts.StartAsync();
        await using var b = await TestHosts.StartAsync();
        b.HandleEcho();
        var connection = await a.DialAsync(b.Address(), TestHosts.Deadline());
        await connection.Identified.WaitAsync(TestHosts.Deadline());
        await using var stream = await a.NewStreamAsync(b.Id, ["/other/1", "/echo/1.0.0"], TestHosts.Deadline());
        Assert.Equal("/echo/1.0.0", stream.Protocol);
        await stream.Output.WriteAsync("hello"u8.ToArray());
        await stream.CloseWriteAsync();
        Assert.Equal("hello"u8.ToArray(), await stream.Input.ReadAllAsync(TestHosts.Deadline()));
    }

    [Fact]
    public async Task A_ping_is_answered()
    {
        await using var a = await TestHosts.StartAsync();
        await using var b = await TestHosts.StartAsync();
        await a.DialAsync(b.Address(), TestHosts.Deadline());
        Assert.True(await a.PingAsync(b.Id, TestHosts.Deadline()) > TimeSpan.Zero);
    }

    [Fact]
    public async Task Another_secret_is_told_as_such()
    {
        await using var a = await TestHosts.StartAsync(o => o with { Secret = NetworkSecret.Generate() });
        await using var b = await TestHosts.StartAsync(o => o with { Secret = TestHosts.Secret });
        var e = await Assert.ThrowsAsync<DialException>(() => a.DialAsync(b.Address(), TestHosts.Deadline()));
        Assert.Equal(DialFailure.OtherNetwork, e.Failure);
        Assert.Contains("the peer does not share this cluster's secret (or is not a private-network peer)", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_misdial_says_who_answered()
    {
        await using var a = await TestHosts.StartAsync();
        await using var b = await TestHosts.StartAsync();
        var other = PrivateKey.GenerateEd25519().PeerId;
        var e = await Assert.ThrowsAsync<DialException>(() => a.DialAsync(b.ListenAddresses[0].WithPeer(other), TestHosts.Deadline()));
        Assert.Equal(DialFailure.OtherPeer, e.Failure);
        Assert.Contains(b.Id.ToString(), e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SocketError.NetworkDown)]
    [InlineData(SocketError.HostUnreachable)]
    [InlineData(SocketError.AccessDenied)]
    [InlineData(SocketError.TooManyOpenSockets)]
    [InlineData(SocketError.ConnectionReset)]
    public async Task Listening_goes_on_after_a_failure_that_passes(SocketError failure)
    {
        using var accepted = new Socket(SocketType.Stream, ProtocolType.Tcp);
        int calls = 0;
        var next = await TcpTransport.NextAsync(_ => ++calls < 3 ? throw new SocketException((int)failure) : new ValueTask<Socket>(accepted), TestHosts.Deadline());
        Assert.Same(accepted, next);
        Assert.Equal(3, calls);
    }

    [Fact]
    public async Task Listening_ends_when_the_socket_is_closed_and_fails_when_it_is_none()
    {
        Assert.Null(await TcpTransport.NextAsync(_ => throw new SocketException((int)SocketError.OperationAborted), TestHosts.Deadline()));
        Assert.Null(await TcpTransport.NextAsync(_ => throw new ObjectDisposedException("socket"), TestHosts.Deadline()));
        await Assert.ThrowsAsync<SocketException>(() => TcpTransport.NextAsync(_ => throw new SocketException((int)SocketError.InvalidArgument), TestHosts.Deadline()));
    }
}
