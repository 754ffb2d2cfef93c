using Cluster.Consensus.Peering;
using Cluster.Hosting;
using Cluster.Model;
using Libp2p;

namespace Cluster.Consensus.Tests.Peering;

/// <summary>How peers find each other and stay together (spec/behaviour.md 2, 10; spec/config.md 1.2).</summary>
public sealed class JoiningTests : IDisposable
{
    private readonly CancellationToken _limit = new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token;
    private readonly string _folder = Directory.CreateTempSubdirectory("peering-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_peer_that_was_restarted_is_connected_to_again()
    {
        await using var stays = await NetworkPeer.StartAsync();
        var settings = NetworkPeer.SettingsFor(NetworkPeer.SectionAt("127.0.0.2"));
        var first = await NetworkPeer.StartAsync(settings);
        await stays.DialAsync(first, _limit);
        await stays.Network.Host.ConnectionsTo(first.Id)[0].Identified.WaitAsync(_limit);
        var port = first.Network.Host.ListenAddresses[0];
        await first.DisposeAsync();

        await using var again = await NetworkPeer.StartAsync(settings with { Cluster = settings.Cluster with { ListenAddresses = [port] } });

        await stays.ConnectedToAsync(again.Id, _limit);
        await stays.Log.LineWithAsync($"reconnected to {again.Id}", _limit);
    }

    [Fact]
    public async Task A_configured_peer_is_tried_until_it_is_there()
    {
        var late = NetworkPeer.SettingsFor(NetworkPeer.SectionAt("127.0.0.3"));
        Multiaddr port;
        await using (var probe = await NetworkPeer.StartAsync(late))
            port = probe.Network.Host.ListenAddresses[0];
        await using var early = await NetworkPeer.StartAsync(
            NetworkPeer.SettingsFor(NetworkPeer.Section() with { PeerAddresses = [port.WithPeer(late.Key.PeerId)] }));
        Assert.Contains("failed to dial", await early.Log.LineWithAsync($"{late.Key.PeerId} is not reached", _limit), StringComparison.Ordinal);

        await using var there = await NetworkPeer.StartAsync(late with { Cluster = late.Cluster with { ListenAddresses = [port] } });

        await early.ConnectedToAsync(there.Id, _limit);
        await early.Log.LineWithAsync($"reconnected to priority peer {there.Id}", _limit);
        using var metrics = early.Peering.Metrics.Read();
        Assert.Equal(("ping", there.Id), Assert.Single((await metrics.Batches.ReadAsync(_limit)).Select(m => (m.Name, m.Peer))));
    }

    [Fact]
    public async Task Bootstrap_joins_trusts_and_finds_the_other_members()
    {
        await using var member = await NetworkPeer.StartAsync();
        await using var host = await NetworkPeer.StartAsync(prepare: p => p.TakesIn(member.Address));
        await using var newcomer = await NetworkPeer.StartAsync(
            NetworkPeer.SettingsFor() with { Bootstrap = [host.Address] }, p => p.Replica.TrustAll = false);

        await newcomer.ConnectedToAsync(member.Id, _limit);

        await newcomer.Log.LineWithAsync($"Bootstrapping to {host.Address}", _limit);
        await newcomer.Log.LineWithAsync($"{newcomer.Id}: joined {host.Id}'s cluster", _limit);
        Assert.True(newcomer.Replica.IsTrusted(host.Id));
        Assert.False(newcomer.Replica.IsTrusted(member.Id));
        Assert.Equal([host.Id], newcomer.Replica.Added);
    }

    [Fact]
    public async Task Bootstrap_without_trust_joins_and_trusts_nobody()
    {
        await using var host = await NetworkPeer.StartAsync(prepare: p => p.TakesIn());
        await using var newcomer = await NetworkPeer.StartAsync(
            NetworkPeer.SettingsFor() with { Bootstrap = [host.Address], TrustBootstrap = false }, p => p.Replica.TrustAll = false);
        await newcomer.Log.LineWithAsync("joined", _limit);
        Assert.False(newcomer.Replica.IsTrusted(host.Id));
    }

    [Fact]
    public async Task A_failed_bootstrap_says_why_and_does_not_keep_the_next_from_being_tried()
    {
        await using var host = await NetworkPeer.StartAsync(prepare: p => p.TakesIn());
        await using var mute = await NetworkPeer.StartAsync();
        var dead = Multiaddr.Parse("/ip4/127.0.0.1/tcp/1").WithPeer(PrivateKey.GenerateEd25519().PeerId);
        await using var newcomer = await NetworkPeer.StartAsync(NetworkPeer.SettingsFor() with { Bootstrap = [dead, mute.Address, host.Address] });

        await newcomer.Log.LineWithAsync($"bootstrap to {dead} failed: failed to dial", _limit);
        await newcomer.Log.LineWithAsync($"bootstrap to {mute.Address} failed", _limit);
        await newcomer.Log.LineWithAsync($"joined {host.Id}'s cluster", _limit);
    }

    [Fact]
    public async Task A_bootstrap_that_fails_in_an_unforeseen_way_does_not_keep_the_next_from_being_tried()
    {
        await using var first = await NetworkPeer.StartAsync(prepare: p => p.TakesIn());
        await using var second = await NetworkPeer.StartAsync(prepare: p => p.TakesIn());
        await using var newcomer = await NetworkPeer.StartAsync(
            NetworkPeer.SettingsFor() with { Bootstrap = [first.Address, second.Address] },
            p => p.Replica.BeforeAdd = peer => peer == first.Id ? throw new InvalidOperationException("no room") : Task.CompletedTask);

        await newcomer.Log.LineWithAsync($"bootstrap to {first.Address} failed: no room", _limit);
        await newcomer.Log.LineWithAsync($"joined {second.Id}'s cluster", _limit);
    }

    [Fact]
    public async Task A_tracker_that_goes_away_after_a_join_is_told_of_and_does_not_disturb_the_shutdown()
    {
        await using var host = await NetworkPeer.StartAsync(prepare: p => p.TakesIn());
        var newcomer = await NetworkPeer.StartAsync(
            NetworkPeer.SettingsFor() with { Bootstrap = [host.Address] }, tracker: new FakeTracker { Failure = new OperationCanceledException("the tracker went away") });
        await newcomer.Log.LineWithAsync("after the join: the tracker went away", _limit);
        await newcomer.DisposeAsync();
    }

    [Fact]
    public async Task One_look_at_the_others_that_fails_is_not_the_last()
    {
        await using var there = await NetworkPeer.StartAsync();
        var (settings, log) = (NetworkPeer.SettingsFor(), new LineCollector());
        await using var network = new ClusterNetwork(settings, TimeProvider.System, log);
        await network.StartAsync(_limit);
        network.Host.Peerstore.AddAddress(there.Address, AddressTtl.Permanent);
        var looks = 0;
        await using var keeper = new PeerKeeper(
            network, new KnownPeers(network.Host, settings, log.CreateLogger("pstoremgr")), settings,
            () => ++looks == 1 ? throw new InvalidOperationException("no members yet") : [], log);

        keeper.Start();

        await there.ConnectedToAsync(network.Host.Id, _limit);
    }

    [Fact]
    public async Task A_member_nobody_gave_an_address_of_is_found_by_way_of_the_others()
    {
        await using var between = await NetworkPeer.StartAsync();
        await using var a = await NetworkPeer.StartAsync();
        await using var b = await NetworkPeer.StartAsync(NetworkPeer.SettingsFor(NetworkPeer.Section() with { PeerWatchInterval = GoDuration.FromMilliseconds(100) }));
        await a.DialAsync(between, _limit);
        await b.DialAsync(between, _limit);

        b.Latest.Reset([MetricTests.Metric(a, "ping")]);

        await b.ConnectedToAsync(a.Id, _limit);
    }

    [Fact]
    public async Task A_wrong_secret_is_named_on_both_sides()
    {
        await using var right = await NetworkPeer.StartAsync();
        await using var wrong = await NetworkPeer.StartAsync(NetworkPeer.SettingsFor(NetworkPeer.Section([.. NetworkPeer.Secret.Reverse()]) with { PeerAddresses = [right.Address] }));

        Assert.Contains("another cluster secret", await wrong.Log.LineWithAsync($"cannot connect to {right.Id}", _limit), StringComparison.Ordinal);
        await right.Log.LineWithAsync("does not share this cluster's secret", _limit);
        Assert.Empty(right.Network.Host.ConnectedPeers);
    }

    [Fact]
    public async Task A_peer_behind_another_identity_is_named()
    {
        await using var there = await NetworkPeer.StartAsync();
        var expected = PrivateKey.GenerateEd25519().PeerId;
        await using var seeker = await NetworkPeer.StartAsync(
            NetworkPeer.SettingsFor(NetworkPeer.Section() with { PeerAddresses = [there.Network.Host.ListenAddresses[0].WithPeer(expected)] }));
        Assert.Contains("Another peer answers at this address", await seeker.Log.LineWithAsync($"cannot connect to {expected}", _limit), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Known_peers_are_saved_and_dialled_after_a_restart()
    {
        var path = Path.Combine(_folder, "peerstore");
        await using var other = await NetworkPeer.StartAsync();
        var settings = NetworkPeer.SettingsFor(NetworkPeer.Section() with { PeerstorePath = path });
        await using (var first = await NetworkPeer.StartAsync(settings))
        {
            await first.DialAsync(other, _limit);
            await first.Network.Host.ConnectionsTo(other.Id)[0].Identified.WaitAsync(_limit);
            await first.Peering.StopAsync(save: true, _limit);
        }

        Assert.Equal([other.Address.ToString()], await File.ReadAllLinesAsync(path, _limit));
        await using var second = await NetworkPeer.StartAsync(settings);
        await second.ConnectedToAsync(other.Id, _limit);
    }

    [Fact]
    public async Task The_peerstore_file_keeps_its_order_its_names_and_peers_that_are_away()
    {
        var path = Path.Combine(_folder, "peerstore");
        var (away, named, near) = (PrivateKey.GenerateEd25519().PeerId, PrivateKey.GenerateEd25519().PeerId, PrivateKey.GenerateEd25519().PeerId);
        string[] lines =
        [
            "# a comment", "", $"/ip4/127.0.0.1/tcp/1/p2p/{away}", "/ip4/bad", $"/dns4/a.invalid/tcp/1/p2p/{named}", $"/ip4/127.0.0.1/tcp/3/p2p/{named}",
            $"/ip4/127.0.0.1/tcp/2/p2p/{near}",
        ];
        await File.WriteAllLinesAsync(path, lines, _limit);
        await using var peer = await NetworkPeer.StartAsync(NetworkPeer.SettingsFor(NetworkPeer.Section() with { PeerstorePath = path }));
        await peer.Log.LineWithAsync("error parsing multiaddress from peerstore: /ip4/bad", _limit);
        await peer.Log.LineWithAsync($"failed to dial {near}", _limit);
        // As after an hour without a word of it.
        peer.Network.Host.Peerstore.ClearAddresses(away);

        await peer.Peering.StopAsync(save: true, _limit);

        var saved = await File.ReadAllLinesAsync(path, _limit);
        Assert.Equal(
            [$"/dns4/a.invalid/tcp/1/p2p/{named}", $"/ip4/127.0.0.1/tcp/2/p2p/{near}", $"/ip4/127.0.0.1/tcp/1/p2p/{away}"],
            saved);
    }

    [Fact]
    public async Task A_name_that_nobody_resolves_holds_nobody_up_and_stays_in_the_file()
    {
        var path = Path.Combine(_folder, "peerstore");
        await using var other = await NetworkPeer.StartAsync();
        await File.WriteAllLinesAsync(path, ["/dnsaddr/cluster.invalid", other.Address.ToString()], _limit);
        await using var peer = await NetworkPeer.StartAsync(NetworkPeer.SettingsFor(NetworkPeer.Section() with { PeerstorePath = path }));
        await peer.ConnectedToAsync(other.Id, _limit);
        await peer.Log.LineWithAsync("/dnsaddr/cluster.invalid", _limit);
        await peer.Peering.StopAsync(save: true, _limit);
        Assert.Equal(["/dnsaddr/cluster.invalid", other.Address.ToString()], await File.ReadAllLinesAsync(path, _limit));
    }

    [Fact]
    public async Task A_port_in_use_ends_the_start_with_the_address()
    {
        await using var first = await NetworkPeer.StartAsync();
        var taken = first.Network.Host.ListenAddresses[0];
        var failure = await Assert.ThrowsAsync<ServiceStartException>(() =>
            NetworkPeer.StartAsync(NetworkPeer.SettingsFor(NetworkPeer.Section() with { ListenAddresses = [taken] })));
        Assert.Equal($"error creating libp2p host: failed to listen on any addresses: {taken} is in use by another program.", failure.Message);
    }

    [Fact]
    public async Task A_configuration_without_an_address_of_TCP_ends_the_start()
    {
        var failure = await Assert.ThrowsAsync<ServiceStartException>(() =>
            NetworkPeer.StartAsync(NetworkPeer.SettingsFor(NetworkPeer.Section() with { ListenAddresses = [Multiaddr.Parse("/ip4/0.0.0.0/udp/9096/quic")] })));
        Assert.Contains("cluster.listen_multiaddress names none of TCP", failure.Message, StringComparison.Ordinal);
    }
}
