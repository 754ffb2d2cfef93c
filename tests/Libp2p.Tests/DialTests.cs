using System.Net;
using System.Net.Sockets;
using Libp2p.Hosting;
using Libp2p.Resolving;
using Libp2p.Simulation;
using Libp2p.Transport;
using Xunit;

namespace Libp2p.Tests;

public sealed class DialTests
{
    private static async Task<DialFailure> FailureAsync(Task dial) => (await Assert.ThrowsAsync<DialException>(() => dial)).Failure;

    [Fact]
    public async Task Failures_are_told_apart()
    {
        await using var a = await TestHosts.StartAsync(o => o with { Security = SecurityProtocols.Noise });
        await using var hasty = await TestHosts.StartAsync(o => o with { DialTimeout = TimeSpan.FromSeconds(1) });
        await using var tls = await TestHosts.StartAsync(o => o with { Security = SecurityProtocols.Tls });
        var nobody = PrivateKey.GenerateEd25519().PeerId;
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var dead = TestHosts.DeadPort();
        Assert.Equal(DialFailure.Refused, await FailureAsync(a.DialAsync(dead.Address().WithPeer(nobody))));
        Assert.Equal(DialFailure.TimedOut, await FailureAsync(hasty.DialAsync(Multiaddr.FromEndPoint((IPEndPoint)silent.LocalEndpoint).WithPeer(nobody))));
        Assert.Equal(DialFailure.NoCommonProtocol, await FailureAsync(a.DialAsync(tls.Address())));
        Assert.Equal(DialFailure.NoAddresses, await FailureAsync(a.DialAsync(nobody)));
        Assert.Equal(DialFailure.NoDialableAddresses, await FailureAsync(a.DialAsync(Multiaddr.Parse("/ip4/127.0.0.1/udp/1/quic-v1").WithPeer(nobody))));
        Assert.Equal(DialFailure.Self, await FailureAsync(a.DialAsync(a.Address())));
    }

    [Fact]
    public async Task A_secret_on_one_side_only_is_told_by_either()
    {
        await using var open = await TestHosts.StartAsync();
        await using var closed = await TestHosts.StartAsync(o => o with { Secret = TestHosts.Secret });
        Assert.Equal(DialFailure.OtherNetwork, await FailureAsync(open.DialAsync(closed.Address(), TestHosts.Deadline())));
        Assert.Equal(DialFailure.OtherNetwork, await FailureAsync(closed.DialAsync(open.Address(), TestHosts.Deadline())));
    }

    [Fact]
    public async Task The_living_one_of_many_addresses_is_found()
    {
        await using var a = await TestHosts.StartAsync();
        await using var b = await TestHosts.StartAsync();
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var dead = TestHosts.DeadPort();
        using var another = TestHosts.DeadPort();
        var connection = await a.DialAsync(b.Id, [dead.Address(), Multiaddr.FromEndPoint((IPEndPoint)silent.LocalEndpoint), another.Address(), b.ListenAddresses[0]], TestHosts.Deadline());
        Assert.Equal(b.Id, connection.RemotePeer);
    }

    [Fact]
    public async Task Failed_addresses_rest_a_while_and_success_wakes_them()
    {
        var time = new VirtualTime();
        var network = new InMemoryNetwork(time);
        await using var a = new Libp2pHost(new HostOptions { Key = PrivateKey.GenerateEd25519(), Transports = [network.AddHost()], Time = time });
        var key = PrivateKey.GenerateEd25519();
        a.Peerstore.AddAddresses(key.PeerId, [Multiaddr.Parse("/memory/77")], AddressTtl.Permanent);
        Assert.Equal(DialFailure.Refused, await FailureAsync(a.DialAsync(key.PeerId)));
        Assert.Equal(DialFailure.Backoff, await FailureAsync(a.DialAsync(key.PeerId)));
        time.Advance(TimeSpan.FromSeconds(6));
        await using var b = new Libp2pHost(new HostOptions { Key = key, Listen = [Multiaddr.Parse("/memory/77")], Transports = [network.AddHost()], Time = time });
        await b.StartAsync();
        Assert.Equal(key.PeerId, (await a.DialAsync(key.PeerId, TestHosts.Deadline())).RemotePeer);
    }

    [Fact]
    public async Task Callers_at_the_same_time_share_one_connection_and_later_ones_reuse_it()
    {
        await using var a = await TestHosts.StartAsync();
        await using var b = await TestHosts.StartAsync();
        var connections = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => a.DialAsync(b.Address(), TestHosts.Deadline())));
        Assert.Single(connections.Distinct());
        Assert.Same(connections[0], await a.DialAsync(b.Id, TestHosts.Deadline()));
        Assert.Same(connections[0], Assert.Single(a.ConnectionsTo(b.Id)));
        // The dialler is done a moment before the listener: what this answers on a connection, it has taken into its books.
        await a.PingAsync(b.Id, TestHosts.Deadline());
        Assert.Single(b.ConnectionsTo(a.Id));
    }

    [Fact]
    public async Task A_dial_that_begins_when_another_has_just_ended_takes_its_connection()
    {
        await using var a = await TestHosts.StartAsync();
        await using var b = await TestHosts.StartAsync();
        var connection = await a.DialAsync(b.Address(), TestHosts.Deadline());
        var options = new HostOptions { Key = PrivateKey.GenerateEd25519() };
        using var metrics = new HostMetrics();
        var dialer = new Dialer(options, [new TcpTransport()], new ConnectionUpgrader(options), metrics, new HostLog(new TestLog()));
        // Its caller saw no connection; when its turn comes there is one.
        var dialled = await dialer.DialAsync(b.Id, b.ListenAddresses, ignoreBackoff: true, () => connection,
            _ => throw new InvalidOperationException("a second connection was made"), CancellationToken.None, TestHosts.Deadline());
        Assert.Same(connection, dialled);
    }

    [Fact]
    public async Task Two_hosts_that_dial_each_other_at_once_both_succeed()
    {
        await using var a = await TestHosts.StartAsync();
        await using var b = await TestHosts.StartAsync();
        b.HandleEcho();
        await Task.WhenAll(a.DialAsync(b.Address(), TestHosts.Deadline()), b.DialAsync(a.Address(), TestHosts.Deadline()));
        await using var stream = await a.NewStreamAsync(b.Id, "/echo/1.0.0", TestHosts.Deadline());
        await stream.Output.WriteAsync(new byte[5]);
        await stream.CloseWriteAsync();
        Assert.Equal(5, (await stream.Input.ReadAllAsync(TestHosts.Deadline())).Length);
    }

    [Fact]
    public async Task A_caller_that_gives_up_does_not_end_the_dial_of_others()
    {
        await using var a = await TestHosts.StartAsync();
        await using var b = await TestHosts.StartAsync();
        using var impatient = new CancellationTokenSource();
        var first = a.DialAsync(b.Address(), impatient.Token);
        var second = a.DialAsync(b.Address(), TestHosts.Deadline());
        await impatient.CancelAsync();
        Assert.Equal(b.Id, (await second).RemotePeer);
        try
        {
            await first;
        }
        catch (OperationCanceledException)
        {
            // It may have been quicker than the token.
        }
    }

    [Fact]
    public async Task An_unknown_protocol_is_refused_by_name()
    {
        await using var a = await TestHosts.StartAsync();
        await using var b = await TestHosts.StartAsync();
        await a.DialAsync(b.Address(), TestHosts.Deadline());
        var e = await Assert.ThrowsAsync<ProtocolNotSupportedException>(() => a.NewStreamAsync(b.Id, ["/no/1", "/no/2"], TestHosts.Deadline()));
        Assert.Equal(["/no/1", "/no/2"], e.Protocols);
    }

    [Fact]
    public async Task Surplus_connections_are_trimmed_and_protected_ones_kept()
    {
        var time = new VirtualTime();
        var network = new InMemoryNetwork(time);
        HostOptions Options() => new() { Key = PrivateKey.GenerateEd25519(), Listen = [Multiaddr.Parse("/memory/0")], Transports = [network.AddHost()], Time = time, Yamux = new YamuxOptions { KeepAlive = false } };
        await using var hub = new Libp2pHost(Options() with { Connections = new ConnectionTrimOptions { LowWater = 2, HighWater = 4, Grace = TimeSpan.FromSeconds(20) } });
        await hub.StartAsync();
        var spokes = new List<Libp2pHost>();
        for (int i = 0; i < 6; i++)
        {
            var spoke = new Libp2pHost(Options());
            await spoke.StartAsync();
            spokes.Add(spoke);
            await spoke.DialAsync(hub.Address(), TestHosts.Deadline());
        }
        await TestHosts.EventuallyAsync(() => hub.Connections.Count == 6, "not all connected");
        hub.Protect(spokes[0].Id, "test");
        hub.Tag(spokes[3].Id, "value", 10);
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(6, hub.Connections.Count);
        time.Advance(TimeSpan.FromSeconds(11));
        await TestHosts.EventuallyAsync(() => hub.Connections.Count == 2, $"{hub.Connections.Count} are left");
        Assert.True(hub.IsConnected(spokes[0].Id) && hub.IsConnected(spokes[3].Id));
        foreach (var spoke in spokes) await spoke.DisposeAsync();
    }

    [Theory]
    [InlineData("/ip4/10.0.0.0/ipcidr/8", "/ip4/10.1.2.3/tcp/9096", true)]
    [InlineData("/ip4/10.0.0.0/ipcidr/8", "/ip4/11.1.2.3/tcp/9096", false)]
    [InlineData("/ip4/172.16.0.0/ipcidr/12", "/ip4/172.31.255.255/tcp/1", true)]
    [InlineData("/ip4/172.16.0.0/ipcidr/12", "/ip4/172.32.0.0/tcp/1", false)]
    [InlineData("/ip6/fc00::/ipcidr/7", "/ip6/fd12::1/tcp/1", true)]
    [InlineData("/ip6/fc00::/ipcidr/7", "/ip4/127.0.0.1/tcp/1", false)]
    [InlineData("/ip4/127.0.0.1/tcp/9096", "/ip4/127.0.0.1/tcp/9096", true)]
    [InlineData("/ip4/127.0.0.1/tcp/9096", "/ip4/127.0.0.1/tcp/9097", false)]
    public void Rules_hide_single_addresses_and_networks(string rule, string address, bool hidden) =>
        Assert.Equal(hidden, AddressBook.Matches(Multiaddr.Parse(rule), Multiaddr.Parse(address)));

    [Fact]
    public async Task Announced_addresses_replace_those_listened_on()
    {
        var told = Multiaddr.Parse("/dns4/cluster.example.org/tcp/9096");
        await using var a = await TestHosts.StartAsync(o => o with { Announce = [told, Multiaddr.Parse("/ip4/10.0.0.1/tcp/1")], NoAnnounce = [Multiaddr.Parse("/ip4/10.0.0.0/ipcidr/8")] });
        Assert.Equal([told], a.AnnouncedAddresses());
        await using var b = await TestHosts.StartAsync();
        await (await b.DialAsync(a.Address(), TestHosts.Deadline())).Identified.WaitAsync(TestHosts.Deadline());
        Assert.Contains(told, b.Peerstore.Addresses(a.Id));
    }

    [Fact]
    public async Task A_new_protocol_is_told_to_connected_peers()
    {
        await using var a = await TestHosts.StartAsync();
        await using var b = await TestHosts.StartAsync();
        await (await a.DialAsync(b.Address(), TestHosts.Deadline())).Identified.WaitAsync(TestHosts.Deadline());
        await TestHosts.EventuallyAsync(() => b.Peerstore.Protocols(a.Id).Count > 0, "never identified");
        b.HandleEcho("/late/1");
        await TestHosts.EventuallyAsync(() => a.Peerstore.Protocols(b.Id).Contains("/late/1"), "the push did not come");
    }

    private sealed class Names : IDnsResolver
    {
        public Dictionary<string, string[]> Texts { get; } = [];

        public Dictionary<string, string[]> Addresses { get; } = [];

        public Task<IReadOnlyList<IPAddress>> ResolveAddressesAsync(string name, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<IPAddress>>([.. Addresses.GetValueOrDefault(name, []).Select(IPAddress.Parse)]);

        public Task<IReadOnlyList<string>> ResolveTextAsync(string name, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<string>>(Texts.GetValueOrDefault(name, []));
    }

    [Fact]
    public async Task Names_stand_for_addresses_and_dnsaddr_for_those_that_end_alike()
    {
        string id = PrivateKey.FromEd25519Seed(new byte[32]).PeerId.ToString(), other = PrivateKey.FromEd25519Seed([1, .. new byte[31]]).PeerId.ToString();
        var names = new Names();
        names.Addresses["host"] = ["192.0.2.1", "2001:db8::1"];
        names.Texts["_dnsaddr.boot"] = [$"dnsaddr=/dns4/host/tcp/1/p2p/{id}", $"dnsaddr=/ip4/192.0.2.9/tcp/2/p2p/{other}", "dnsaddr=/dnsaddr/more", "v=spf1", "dnsaddr=nonsense"];
        names.Texts["_dnsaddr.more"] = [$"dnsaddr=/ip6/2001:db8::2/tcp/3/p2p/{id}"];
        names.Texts["_dnsaddr.loop"] = ["dnsaddr=/dnsaddr/loop"];
        var resolver = new AddressResolver(names);
        async Task<string[]> Resolve(string text) => [.. (await resolver.ResolveAsync(Multiaddr.Parse(text), default)).Select(a => a.ToString())];

        Assert.Equal(["/ip4/192.0.2.1/tcp/5", "/ip6/2001:db8::1/tcp/5"], await Resolve("/dns/host/tcp/5"));
        Assert.Equal(["/ip4/192.0.2.1/tcp/5"], await Resolve("/dns4/host/tcp/5"));
        Assert.Equal(["/ip6/2001:db8::1/tcp/5"], await Resolve("/dns6/host/tcp/5"));
        Assert.Equal([$"/ip4/192.0.2.1/tcp/1/p2p/{id}"], await Resolve($"/dnsaddr/boot/p2p/{id}"));
        Assert.Equal(3, (await Resolve("/dnsaddr/boot")).Length);
        Assert.Empty(await Resolve("/dnsaddr/loop"));
        Assert.Empty(await Resolve("/dns4/unknown/tcp/1"));
        Assert.Equal(["/ip4/192.0.2.1/tcp/1"], await Resolve("/ip4/192.0.2.1/tcp/1"));
    }

    [Fact]
    public async Task Text_records_are_asked_for_over_udp()
    {
        using var server = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var over = new CancellationTokenSource();
        var serving = Task.Run(async () =>
        {
            // A resolver that waited long asks again.
            while (true) await AnswerAsync(await server.ReceiveAsync(over.Token));
        });
        var resolver = new SystemDnsResolver([(IPEndPoint)server.Client.LocalEndPoint!]);
        Assert.Equal(["dnsaddr=/ip4/192.0.2.1", "other"], await resolver.ResolveTextAsync("_dnsaddr.example.org", TestHosts.Deadline()));
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving);

        async Task AnswerAsync(UdpReceiveResult question)
        {
            byte[] q = question.Buffer;
            // The question goes back, then two records: one in two strings.
            int end = Array.IndexOf(q, (byte)0, 12) + 5;
            byte[] answer = [q[0], q[1], 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0, .. q[12..end], .. Record("dnsaddr=/ip4/", "192.0.2.1"), .. Record("other")];
            // A stray answer first, with another id.
            await server.SendAsync((byte[])[(byte)~answer[0], .. answer[1..]], question.RemoteEndPoint);
            await server.SendAsync(answer, question.RemoteEndPoint);
        }
    }

    private static byte[] Record(params string[] strings)
    {
        byte[] data = [.. strings.SelectMany(s => (byte[])[(byte)s.Length, .. System.Text.Encoding.ASCII.GetBytes(s)])];
        return [0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, (byte)(data.Length >> 8), (byte)data.Length, .. data];
    }
}
