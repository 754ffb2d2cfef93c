using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Libp2p.Mdns;
using Xunit;

namespace Libp2p.Tests.Mdns;

/// <summary>Hosts that find each other.</summary>
public sealed class MdnsDiscoveryTests
{
    private static readonly MdnsOptions Quick = new()
    {
        ProbeInterval = TimeSpan.FromMilliseconds(20), AnnounceInterval = TimeSpan.FromMilliseconds(50), QueryInterval = TimeSpan.FromMilliseconds(100),
    };

    /// <summary>A local network in memory: every packet reaches everybody, the sender too.</summary>
    private sealed class Segment
    {
        private readonly List<Port> ports = [];

        public IMulticastChannel Join()
        {
            lock (ports)
            {
                ports.Add(new Port(this, new IPEndPoint(IPAddress.Loopback, ports.Count + 1)));
                return ports[^1];
            }
        }

        public void Inject(byte[] packet) => Deliver(packet, new IPEndPoint(IPAddress.Loopback, 9999), null);

        private void Deliver(byte[] packet, IPEndPoint from, IPEndPoint? to)
        {
            lock (ports)
            {
                foreach (var port in ports)
                {
                    if (to is null || to.Equals(port.Address)) port.Arrived.Writer.TryWrite((packet, from));
                }
            }
        }

        private sealed class Port(Segment segment, IPEndPoint address) : IMulticastChannel
        {
            public IPEndPoint Address => address;

            public Channel<(byte[] Packet, IPEndPoint From)> Arrived { get; } = Channel.CreateUnbounded<(byte[], IPEndPoint)>();

            public ValueTask SendAsync(ReadOnlyMemory<byte> packet, IPEndPoint? to, CancellationToken cancellationToken)
            {
                segment.Deliver(packet.ToArray(), address, to);
                return default;
            }

            public async ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
            {
                var (packet, from) = await Arrived.Reader.ReadAsync(cancellationToken);
                packet.CopyTo(buffer);
                return (packet.Length, from);
            }

            public ValueTask DisposeAsync() => default;
        }
    }

    [Fact]
    public async Task Peers_of_one_service_find_and_connect_to_each_other_and_to_nobody_else()
    {
        var segment = new Segment();
        await using var a = await TestHosts.StartAsync();
        await using var b = await TestHosts.StartAsync();
        await using var other = await TestHosts.StartAsync();
        await using var first = MdnsDiscovery.Start(a, [segment.Join()], Quick);
        await using var second = MdnsDiscovery.Start(b, [segment.Join()], Quick);
        await using var third = MdnsDiscovery.Start(other, [segment.Join()], Quick with { Service = "_p2p._udp" });
        await TestHosts.EventuallyAsync(() => a.IsConnected(b.Id) && b.IsConnected(a.Id), "the peers do not find each other");
        await Task.Delay(200);
        Assert.Empty(other.ConnectedPeers);
        Assert.Equal([b.Id], a.ConnectedPeers);
    }

    [Fact]
    public async Task Peers_find_each_other_over_UDP()
    {
        // Holds the port, which others may share, for as long as the test lasts; on an address that nobody sends to.
        using var held = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        held.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        held.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
        int port = ((IPEndPoint)held.LocalEndPoint!).Port;
        var options = Quick with { Port = port, Interfaces = [IPAddress.Loopback], Groups = [IPAddress.Parse("224.0.0.251")] };
        var log = new TestLog();
        await using var a = await TestHosts.StartAsync(log: log);
        await using var b = await TestHosts.StartAsync();
        await using var first = MdnsDiscovery.Start(a, options, log);
        await using var second = MdnsDiscovery.Start(b, options, log);
        await TestHosts.EventuallyAsync(() => a.IsConnected(b.Id) && b.IsConnected(a.Id), $"the peers do not find each other\n{log}");
    }

    [Fact]
    public async Task Garbage_and_a_flood_of_forged_peers_do_no_harm()
    {
        var segment = new Segment();
        await using var a = await TestHosts.StartAsync();
        await using var b = await TestHosts.StartAsync();
        await using var first = MdnsDiscovery.Start(a, [segment.Join()], Quick);
        var random = new Random(3);
        for (int i = 0; i < 200; i++)
        {
            var noise = new byte[random.Next(1, 200)];
            random.NextBytes(noise);
            segment.Inject(noise);
            var forged = new MdnsResponder(MdnsOptions.ClusterService, $"forged{i}");
            segment.Inject(forged.Announce(PrivateKey.GenerateEd25519().PeerId, [Multiaddr.Parse("/ip4/127.0.0.1/tcp/1")]).Encode());
        }
        await using var second = MdnsDiscovery.Start(b, [segment.Join()], Quick);
        await TestHosts.EventuallyAsync(() => a.IsConnected(b.Id), "the peers do not find each other");
    }

    [Theory]
    [InlineData("/ip4/10.0.0.1/tcp/9096", true)]
    [InlineData("/ip6/fe80::1/tcp/9096", true)]
    [InlineData("/dns4/host.local/tcp/9096", true)]
    [InlineData("/dns4/host.example.com/tcp/9096", false)]
    [InlineData("/ip4/10.0.0.1/tcp/9096/ws", false)]
    public void Only_plain_local_addresses_are_told(string address, bool told) => Assert.Equal(told, MdnsResponder.IsSuitable(Multiaddr.Parse(address)));
}
