using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Libp2p.Hosting;
using Libp2p.Muxing;
using Libp2p.Pubsub;
using Libp2p.Simulation;
using Libp2p.Testing;
using Libp2p.Transport;
using Xunit;

namespace Libp2p.Tests.Goldens;

/// <summary>What the original did when limits were hit, when it dialled, and when its mesh was too large; ours in its place.</summary>
[Trait("Category", "Golden")]
public sealed class BehaviourGoldenTests
{
    private static readonly JsonElement File = Golden.Read("libp2p/behaviour.json");

    /// <summary>
    /// Recorded values with no counterpart here: the original sizes its limits by the memory and the descriptors of the machine, ours
    /// are fixed (<see cref="ResourceLimits"/>), so that a peer behaves alike everywhere; it has no services that count apart.
    /// </summary>
    private static readonly string[] ScaledByTheOriginal = ["system", "transient", "protocol", "service", "streams_inbound of a peer", "reset_by_go", "first_reset_stream"];

    [Fact]
    public void The_connection_trimmer_has_the_recorded_marks()
    {
        var recorded = File.GetProperty("connection_manager");
        var options = new ConnectionTrimOptions();
        Assert.Equal(recorded.GetProperty("low_water").GetInt32(), options.LowWater);
        Assert.Equal(recorded.GetProperty("high_water").GetInt32(), options.HighWater);
        Assert.Equal(recorded.Text("grace_period"), $"{(int)options.Grace.TotalMinutes}m{options.Grace.Seconds}s");
        Assert.Equal(recorded.Text("trim_interval"), $"{options.Interval.TotalSeconds}s");
    }

    [Fact]
    public void Limits_that_do_not_depend_on_the_machine_are_the_recorded_ones()
    {
        Assert.NotEmpty(ScaledByTheOriginal);
        Golden.ForEach(File.List("resource_limits"), l => $"{l.GetProperty("memory_limit_bytes")} bytes", l =>
            Assert.Equal(l.GetProperty("peer").GetProperty("conns_inbound").GetInt32(), new ResourceLimits().InboundConnectionsPerPeer));
    }

    [Fact]
    public void Limits_are_enforced_with_the_recorded_codes() =>
        Golden.ForEach(File.List("limits_hit"), l => l.Text("what")!, l =>
            (l.TryGetProperty("reset_code", out _) ? StreamsAsync(l) : ConnectionsAsync(l)).WaitAsync(TestHosts.Deadline(120)).GetAwaiter().GetResult());

    private static async Task<Stream> ConnectAsync(Libp2pHost host, PrivateKey key)
    {
        var raw = await new TcpTransport().DialAsync(host.ListenAddresses[0], TestHosts.Deadline());
        return (await new ConnectionUpgrader(new HostOptions { Key = key }).UpgradeAsync(raw, initiator: true, host.Id, TestHosts.Deadline())).Stream;
    }

    private static async Task StreamsAsync(JsonElement limit)
    {
        uint opened = limit.GetProperty("opened").GetUInt32();
        uint first = limit.GetProperty("reset_code").GetUInt32(), later = limit.GetProperty("later_reset_code").GetUInt32();
        // Time stands still until all streams are open, so that none is given up before.
        var time = new VirtualTime();
        await using var host = await TestHosts.StartAsync(o =>
        {
            Assert.Equal(Math.Round(limit.GetProperty("later_reset_t_ms").GetInt32() / 1000.0), o.NegotiationTimeout.TotalSeconds);
            return o with { Identify = false, Time = time, Yamux = new YamuxOptions { KeepAlive = false } };
        });
        await using var stream = await ConnectAsync(host, PrivateKey.GenerateEd25519());
        var codes = new Dictionary<uint, uint>();
        var answered = new HashSet<uint>();
        // In batches: what comes faster than streams are accepted is reset by the session itself, without a code.
        for (uint n = 0; n < opened;)
        {
            var frames = new MemoryStream();
            for (uint end = Math.Min(opened, n + 100); n < end; n++) frames.Write(Frame(YamuxType.WindowUpdate, YamuxFlags.Syn, 2 * n + 1, 0));
            await stream.WriteAsync(frames.ToArray());
            while (answered.Count < n) await ReadFrameAsync(stream, answered, codes);
        }
        while (answered.Count < opened) await ReadFrameAsync(stream, answered, codes);
        Assert.Equal([first], codes.Values.Distinct());
        await time.PassUntilAsync(ReadRestAsync(), host.Options.NegotiationTimeout);
        Assert.Equal([later, first], codes.Values.Distinct().Order());
        Assert.True(codes.Values.Count(code => code == later) >= Math.Min(opened, host.Options.Limits.InboundStreamsPerPeer));
        Assert.Single(host.Connections);

        async Task ReadRestAsync()
        {
            while (codes.Count < opened) await ReadFrameAsync(stream, answered, codes);
        }
    }

    private static async Task ReadFrameAsync(Stream stream, HashSet<uint> answered, Dictionary<uint, uint> resets)
    {
        var header = new byte[YamuxHeader.Size];
        await stream.ReadExactlyAsync(header, TestHosts.Deadline());
        Assert.True(YamuxHeader.TryRead(header, out var frame));
        if (frame.Type == YamuxType.Data) await stream.ReadExactlyAsync(new byte[frame.Length], TestHosts.Deadline());
        if (frame.Type != YamuxType.WindowUpdate) return;
        answered.Add(frame.StreamId);
        if (frame.Has(YamuxFlags.Rst)) Assert.True(resets.TryAdd(frame.StreamId, frame.Length));
    }

    private static byte[] Frame(YamuxType type, YamuxFlags flags, uint id, uint length)
    {
        var bytes = new byte[YamuxHeader.Size];
        new YamuxHeader(type, flags, id, length).Write(bytes);
        return bytes;
    }

    private static async Task ConnectionsAsync(JsonElement limit)
    {
        await using var host = await TestHosts.StartAsync();
        var key = PrivateKey.GenerateEd25519();
        int refused = limit.List("closed_connections").First().GetInt32();
        var open = new List<Stream>();
        for (int n = 1; n < refused; n++)
        {
            open.Add(await ConnectAsync(host, key));
            await TestHosts.EventuallyAsync(() => host.ConnectionsTo(key.PeerId).Count == n, $"connection {n} is not there");
        }
        await using (var surplus = await ConnectAsync(host, key))
        {
            try
            {
                await surplus.CopyToAsync(Stream.Null, TestHosts.Deadline());
            }
            catch (IOException)
            {
                // A reset closes as well.
            }
        }
        Assert.Equal(refused - 1, host.ConnectionsTo(key.PeerId).Count);
        foreach (var stream in open) await stream.DisposeAsync();
    }

    [Fact]
    public void Dials_end_as_those_of_the_original() =>
        Golden.ForEach(
            File.GetProperty("go_as_dialer").List("connections_seen").DistinctBy(c => c.Text("listener")), c => c.Text("listener")!, c =>
            DialAsync(c).WaitAsync(TestHosts.Deadline()).GetAwaiter().GetResult());

    private static async Task DialAsync(JsonElement seen)
    {
        string listener = seen.Text("listener")!;
        bool silence = listener.Contains("says nothing", StringComparison.Ordinal);
        await using var dialer = await TestHosts.StartAsync(o => o with { Secret = TestHosts.Secret, Listen = [], DialTimeout = silence ? TimeSpan.FromSeconds(1) : o.DialTimeout });
        if (silence)
        {
            using var silent = new TcpListener(IPAddress.Loopback, 0);
            silent.Start();
            Assert.Equal(DialFailure.TimedOut, await FailureAsync(dialer, PrivateKey.GenerateEd25519().PeerId, Multiaddr.FromEndPoint((IPEndPoint)silent.LocalEndpoint)));
            return;
        }
        bool other = listener.Contains("other secret", StringComparison.Ordinal);
        await using var host = await TestHosts.StartAsync(o => o with { Secret = other ? NetworkSecret.Generate() : TestHosts.Secret, HandshakeTimeout = other ? TimeSpan.FromSeconds(2) : o.HandshakeTimeout });
        if (other) Assert.Equal(DialFailure.OtherNetwork, await FailureAsync(dialer, host.Id, host.ListenAddresses[0]));
        else if (listener.Contains("other identity", StringComparison.Ordinal))
            Assert.Equal(DialFailure.OtherPeer, await FailureAsync(dialer, PrivateKey.GenerateEd25519().PeerId, host.ListenAddresses[0]));
        else
        {
            Assert.Contains("right secret", listener, StringComparison.Ordinal);
            Assert.Equal(seen.Text("security"), (await dialer.DialAsync(host.Address(), TestHosts.Deadline())).Security);
        }
    }

    private static async Task<DialFailure> FailureAsync(Libp2pHost dialer, PeerId peer, Multiaddr at) =>
        (await Assert.ThrowsAsync<DialException>(() => dialer.DialAsync(peer, [at], TestHosts.Deadline()))).Failure;

    [Fact]
    public void The_recorded_peerstore_file_is_read_and_written_alike()
    {
        string text = File.GetProperty("go_as_dialer").Text("peerstore_file_after_shutdown")!;
        Assert.Equal(text, PeerstoreFile.Format(PeerstoreFile.Parse(text, (line, reason) => Assert.Fail($"{line}: {reason}"))));
    }

    [Fact]
    public void Recorded_prunes_are_read_with_their_peer_records() =>
        Golden.ForEach(Prunes().Where(p => p.Text("rpc_hex") is not null), p => p.Text("to")!, p =>
        {
            Assert.True(PubsubRpc.TryParse(p.Hex("rpc_hex"), out var rpc));
            var prune = Assert.Single(rpc.Prune);
            Assert.Equal(p.Text("topic"), prune.Topic);
            Assert.Equal(p.GetProperty("backoff_seconds").GetUInt64(), prune.BackoffSeconds);
            var recorded = p.List("peers").ToList();
            Assert.Equal(recorded.Count, prune.Peers.Count);
            foreach (var (expected, named) in recorded.Zip(prune.Peers))
            {
                Assert.Equal(expected.Text("peer"), PeerId.FromBytes(named.PeerId.Span).ToString());
                if (!expected.TryGetProperty("signed_peer_record", out var signed))
                {
                    Assert.True(named.SignedPeerRecord.IsEmpty);
                    continue;
                }
                Assert.Equal(signed.Text("envelope_hex"), Golden.Hex(named.SignedPeerRecord.Span));
                Assert.Equal(signed.GetProperty("verified").GetBoolean(), PeerRecord.TryOpen(named.SignedPeerRecord.Span, out var record));
                Assert.Equal(signed.GetProperty("record").Text("peer_id"), record!.Peer.ToString());
                Assert.Equal(signed.GetProperty("record").Text("seq"), $"{record.Sequence}");
                Assert.Equal(signed.GetProperty("record").List("addresses").Select(a => a.GetString()), record.Addresses.Select(a => a.ToString()));
            }
            Assert.Equal(Golden.Hex(p.Hex("rpc_hex")), Golden.Hex(rpc.Encode()));
        });

    private static IEnumerable<JsonElement> Prunes() => File.GetProperty("peer_exchange").List("prunes");

    [Fact]
    public void A_mesh_over_its_high_mark_prunes_as_recorded_and_names_the_others()
    {
        var prunes = Prunes().ToList();
        string topic = prunes[0].Text("topic")!;
        var records = prunes.SelectMany(p => p.List("peers")).Where(p => p.TryGetProperty("signed_peer_record", out _))
            .DistinctBy(p => p.Text("peer")).ToDictionary(p => PeerId.Parse(p.Text("peer")!), p => p.GetProperty("signed_peer_record").Hex("envelope_hex"));
        // Each prune names those that had subscribed by then, so that the first to be named came first.
        var peers = prunes.SelectMany(p => p.List("peers")).Select(p => PeerId.Parse(p.Text("peer")!)).Distinct().ToList();
        var core = new GossipsubCore(PrivateKey.GenerateEd25519().PeerId, new GossipsubOptions(), new Random(1))
        {
            SignedPeerRecordOf = peer => records.TryGetValue(peer, out byte[]? record) ? record : ReadOnlyMemory<byte>.Empty,
        };
        var now = DateTimeOffset.UnixEpoch;
        core.Subscribe(topic, now, new GossipsubOutput());
        var ours = new List<(int To, Prune Prune)>();
        for (int n = 0; n < peers.Count; n++)
        {
            var output = new GossipsubOutput();
            core.AddPeer(peers[n], "/meshsub/1.1.0", outbound: false, now, output);
            var rpc = new PubsubRpc();
            rpc.Subscriptions.Add(new SubscriptionChange(topic, true));
            rpc.Graft.Add(topic);
            core.Receive(peers[n], rpc, now, output);
            Collect(output);
        }
        // Refused grafts: to the same newcomers, with the same names, records and backoff.
        var refusals = prunes.Where(p => p.Text("rpc_hex") is not null).ToList();
        Assert.Equal(refusals.Select(p => p.Text("to")), ours.Select(o => $"P{o.To}"));
        foreach (var (recorded, own) in refusals.Zip(ours))
        {
            Assert.Equal(recorded.GetProperty("backoff_seconds").GetUInt64(), own.Prune.BackoffSeconds);
            Assert.Equal(recorded.List("peers").Select(p => p.Text("peer")).Order(), own.Prune.Peers.Select(p => PeerId.FromBytes(p.PeerId.Span).ToString()).Order());
            Assert.All(own.Prune.Peers, p => Assert.Equal(records.ContainsKey(PeerId.FromBytes(p.PeerId.Span)), !p.SignedPeerRecord.IsEmpty));
        }
        // The heartbeat then comes down to D. Which ones go is chance.
        ours.Clear();
        var heartbeat = new GossipsubOutput();
        core.Heartbeat(now.AddSeconds(1), heartbeat);
        Collect(heartbeat);
        var later = prunes.Where(p => p.Text("rpc_hex") is null).ToList();
        Assert.Equal(later.Count, ours.Count);
        Assert.Equal(later.Select(p => p.List("peers").Count()).Order(), ours.Select(o => o.Prune.Peers.Count).Order());
        Assert.All(ours, o => Assert.Equal(later[0].GetProperty("backoff_seconds").GetUInt64(), o.Prune.BackoffSeconds));

        void Collect(GossipsubOutput output)
        {
            foreach (var (peer, frame) in output.Frames) ours.AddRange(frame.Prune.Select(prune => (peers.IndexOf(peer), prune)));
        }
    }
}
