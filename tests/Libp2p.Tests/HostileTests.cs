using System.Net.Sockets;
using System.Text;
using Libp2p.Hosting;
using Libp2p.Muxing;
using Libp2p.Simulation;
using Libp2p.Transport;
using Xunit;

namespace Libp2p.Tests;

/// <summary>Peers that mean harm, or do not know better: they are shut out with a reason, and nobody else notices.</summary>
public sealed class HostileTests
{
    private static async Task<NetworkStream> ConnectAsync(Libp2pHost host)
    {
        host.ListenAddresses[0].TryGetTcpEndPoint(out var endPoint);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endPoint!);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Reads until the other side closes or resets.</summary>
    private static async Task<byte[]> UntilClosedAsync(Stream stream)
    {
        var all = new MemoryStream();
        try
        {
            await stream.CopyToAsync(all, TestHosts.Deadline());
        }
        catch (IOException)
        {
            // A reset closes as well.
        }
        return all.ToArray();
    }

    /// <summary>A connection that is secured as it should be, for mischief above.</summary>
    private static async Task<(Stream Stream, PrivateKey Key)> SecureAsync(Libp2pHost host, PrivateKey? key = null)
    {
        key ??= PrivateKey.GenerateEd25519();
        var upgrader = new ConnectionUpgrader(new HostOptions { Key = key, Secret = host.Options.Secret });
        var raw = await new TcpTransport().DialAsync(host.ListenAddresses[0], TestHosts.Deadline());
        return ((await upgrader.UpgradeAsync(raw, initiator: true, host.Id, TestHosts.Deadline())).Stream, key);
    }

    private static async Task AssertServesAsync(Libp2pHost host)
    {
        await using var friend = await TestHosts.StartAsync(o => o with { Secret = host.Options.Secret, Listen = [] });
        await friend.DialAsync(host.Address(), TestHosts.Deadline());
        Assert.True(await friend.PingAsync(host.Id, TestHosts.Deadline()) > TimeSpan.Zero);
    }

    private static byte[] Frame(YamuxType type, YamuxFlags flags, uint id, uint length)
    {
        var bytes = new byte[YamuxHeader.Size];
        new YamuxHeader(type, flags, id, length).Write(bytes);
        return bytes;
    }

    [Fact]
    public async Task Who_says_nothing_is_shut_out_after_the_handshake_timeout()
    {
        var time = new VirtualTime();
        await using var host = await TestHosts.StartAsync(o => o with { Secret = TestHosts.Secret, Time = time });
        await using var silent = await ConnectAsync(host);
        await AssertServesAsync(host);
        var closed = UntilClosedAsync(silent);
        Assert.False(closed.IsCompleted);
        await time.PassUntilAsync(closed, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Who_drips_byte_by_byte_is_shut_out_after_the_handshake_timeout()
    {
        var time = new VirtualTime();
        await using var host = await TestHosts.StartAsync(o => o with { Time = time });
        await using var slow = await ConnectAsync(host);
        var closed = UntilClosedAsync(slow);
        byte[] hello = Negotiation.MultistreamToken.Encode("/multistream/1.0.0", "/noise");
        for (int i = 0; i < hello.Length && !closed.IsCompleted; i++)
        {
            try
            {
                await slow.WriteAsync(hello.AsMemory(i, 1));
            }
            catch (IOException)
            {
                break;
            }
            await time.AdvanceAsync(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        }
        await time.PassUntilAsync(closed, TimeSpan.FromSeconds(1));
        await AssertServesAsync(host);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("\u0013/multistream/2.0.0\n")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    public async Task Who_speaks_something_else_is_shut_out_at_once(string words)
    {
        // The handshake timeout is not what ends it: that clock stands still.
        await using var host = await TestHosts.StartAsync(o => o with { Time = new VirtualTime() });
        await using var stranger = await ConnectAsync(host);
        await stranger.WriteAsync(Encoding.Latin1.GetBytes(words));
        await UntilClosedAsync(stranger);
        await AssertServesAsync(host);
    }

    [Fact]
    public async Task Waiting_connections_are_bounded()
    {
        await using var host = await TestHosts.StartAsync(o => o with { Limits = new ResourceLimits { PendingInbound = 4 }, Time = new VirtualTime() });
        var idle = new List<NetworkStream>();
        for (int i = 0; i < 4; i++) idle.Add(await ConnectAsync(host));
        // They are taken in the order in which they came.
        await using (var surplus = await ConnectAsync(host)) Assert.Empty(await UntilClosedAsync(surplus));
        foreach (var connection in idle) await connection.DisposeAsync();
        await TestHosts.EventuallyAsync(() => host.PendingInbound == 0, "the places are not given back");
        await AssertServesAsync(host);
    }

    [Fact]
    public async Task The_ninth_connection_of_a_peer_is_closed()
    {
        await using var host = await TestHosts.StartAsync();
        var key = PrivateKey.GenerateEd25519();
        var open = new List<Stream>();
        for (int i = 0; i < 8; i++) open.Add((await SecureAsync(host, key)).Stream);
        await TestHosts.EventuallyAsync(() => host.ConnectionsTo(key.PeerId).Count == 8, "not all of the eight are there");
        var (ninth, _) = await SecureAsync(host, key);
        await UntilClosedAsync(ninth);
        Assert.Equal(8, host.ConnectionsTo(key.PeerId).Count);
        await AssertServesAsync(host);
        foreach (var stream in open) await stream.DisposeAsync();
    }

    [Fact]
    public async Task Garbage_after_the_handshake_ends_the_connection_with_a_reason()
    {
        await using var host = await TestHosts.StartAsync();
        var (stream, key) = await SecureAsync(host);
        await TestHosts.EventuallyAsync(() => host.IsConnected(key.PeerId), "not connected");
        var connection = host.ConnectionsTo(key.PeerId)[0];
        await stream.WriteAsync(Encoding.ASCII.GetBytes("this is no frame at all"));
        var reason = await connection.Closed.WaitAsync(TestHosts.Deadline());
        Assert.Contains("unknown version or type", reason.Message, StringComparison.Ordinal);
        await AssertServesAsync(host);
    }

    [Fact]
    public async Task Who_exceeds_a_window_is_disconnected_with_a_reason()
    {
        await using var host = await TestHosts.StartAsync();
        host.Handle("/hold", (_, token) => Task.Delay(Timeout.Infinite, token));
        var (stream, key) = await SecureAsync(host);
        await TestHosts.EventuallyAsync(() => host.IsConnected(key.PeerId), "not connected");
        var connection = host.ConnectionsTo(key.PeerId)[0];
        await stream.WriteAsync(Frame(YamuxType.WindowUpdate, YamuxFlags.Syn, 1, 0));
        // More than the window in one frame: refused by its header, before the bytes come.
        await stream.WriteAsync(Frame(YamuxType.Data, YamuxFlags.None, 1, uint.MaxValue));
        var reason = await connection.Closed.WaitAsync(TestHosts.Deadline());
        Assert.Contains("window", reason.Message, StringComparison.Ordinal);
        await AssertServesAsync(host);
    }

    [Fact]
    public async Task A_flood_of_streams_is_cut_at_the_limit_and_named()
    {
        var limits = new ResourceLimits { InboundStreamsPerPeer = 50 };
        // Long enough for a busy machine to agree on the protocol of all of them.
        var patience = TimeSpan.FromMinutes(2);
        await using var host = await TestHosts.StartAsync(o => o with { Limits = limits, NegotiationTimeout = patience });
        host.Handle("/hold", (_, token) => Task.Delay(Timeout.Infinite, token), maxInboundPerPeer: 1000);
        await using var flooder = await TestHosts.StartAsync(o => o with { Limits = ResourceLimits.Unlimited, Listen = [], Identify = false, NegotiationTimeout = patience });
        var connection = await flooder.DialAsync(host.Address(), TestHosts.Deadline());
        var refusals = await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ =>
        {
            try
            {
                await connection.NewStreamAsync("/hold", TestHosts.Deadline());
                return 0u;
            }
            catch (StreamResetException e)
            {
                return e.Code;
            }
        }));
        Assert.InRange(refusals.Count(r => r == 0), 1, 50);
        Assert.All(refusals.Where(r => r != 0), r => Assert.Equal(StreamErrorCode.ResourceLimitExceeded, r));
        await AssertServesAsync(host);
    }

    [Fact]
    public async Task Who_opens_and_resets_without_end_costs_nothing_lasting()
    {
        await using var host = await TestHosts.StartAsync();
        var (stream, key) = await SecureAsync(host);
        _ = UntilClosedAsync(stream);
        for (uint id = 1; id < 20_000; id += 2)
        {
            await stream.WriteAsync((byte[])[.. Frame(YamuxType.WindowUpdate, YamuxFlags.Syn, id, 0), .. Frame(YamuxType.WindowUpdate, YamuxFlags.Rst, id, 0)]);
        }
        await AssertServesAsync(host);
        await TestHosts.EventuallyAsync(
            () => host.ConnectionsTo(key.PeerId) is not [var c] || c.StreamCount <= 1 && c.Session.StreamCount <= 1, "streams are left over");
        await stream.DisposeAsync();
    }

    [Fact]
    public async Task Who_pings_and_never_reads_is_disconnected()
    {
        var time = new VirtualTime();
        await using var host = await TestHosts.StartAsync(o => o with { Time = time });
        var (stream, key) = await SecureAsync(host);
        await TestHosts.EventuallyAsync(() => host.IsConnected(key.PeerId), "not connected");
        var connection = host.ConnectionsTo(key.PeerId)[0];
        var pings = Enumerable.Range(0, 2000).SelectMany(n => Frame(YamuxType.Ping, YamuxFlags.Syn, 0, (uint)n)).ToArray();
        var pinging = PingAsync();
        await time.PassUntilAsync(connection.Closed, TimeSpan.FromSeconds(1));
        await pinging;
        await AssertServesAsync(host);

        async Task PingAsync()
        {
            try
            {
                while (!connection.Closed.IsCompleted) await stream.WriteAsync(pings, TestHosts.Deadline());
            }
            catch (IOException)
            {
                // The other side has had enough.
            }
        }
    }

    [Fact]
    public async Task A_replayed_handshake_proves_nothing()
    {
        await using var host = await TestHosts.StartAsync(o => o with { Security = SecurityProtocols.Noise });
        var recorded = new RecordingStream((await new TcpTransport().DialAsync(host.ListenAddresses[0], TestHosts.Deadline())).Stream);
        var key = PrivateKey.GenerateEd25519();
        var upgrader = new ConnectionUpgrader(new HostOptions { Key = key, Security = SecurityProtocols.Noise });
        var raw = new RawConnection(recorded, Multiaddr.Empty, host.ListenAddresses[0]);
        await using (var secured = (await upgrader.UpgradeAsync(raw, initiator: true, host.Id, TestHosts.Deadline())).Stream)
        {
            await TestHosts.EventuallyAsync(() => host.IsConnected(key.PeerId), "the genuine handshake failed");
        }
        await TestHosts.EventuallyAsync(() => !host.IsConnected(key.PeerId), "still connected");
        await using var again = await ConnectAsync(host);
        await again.WriteAsync(recorded.Sent.ToArray());
        await UntilClosedAsync(again);
        Assert.False(host.IsConnected(key.PeerId));
    }

    private sealed class RecordingStream(Stream inner) : LayerStream(inner)
    {
        public MemoryStream Sent { get; } = new();

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Inner.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Sent.Write(buffer.Span);
            return Inner.WriteAsync(buffer, cancellationToken);
        }
    }
}
