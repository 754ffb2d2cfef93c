using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Libp2p.Bitswap;
using Libp2p.Simulation;
using Xunit;

namespace Libp2p.Tests;

/// <summary>Places and connections that must not be left behind.</summary>
public sealed class ShutdownTests
{
    [Fact]
    public async Task A_host_that_stops_at_any_moment_of_a_dial_leaves_no_connection()
    {
        await using var other = await TestHosts.StartAsync(o => o with { Security = SecurityProtocols.Noise });
        for (int call = 1; ; call++)
        {
            var time = new HookTime();
            var host = await TestHosts.StartAsync(o => o with { Security = SecurityProtocols.Noise, Listen = [], Identify = false, Time = time });
            time.At(call, () => Assert.True(host.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(60))));
            try
            {
                await host.DialAsync(other.Address(), TestHosts.Deadline());
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // It came too late.
            }
            bool done = time.Stop();
            if (!done) await host.DisposeAsync();
            await TestHosts.EventuallyAsync(() => host.Connections.Count == 0, $"a connection is left after a stop at call {call}");
            if (done) continue;
            Assert.InRange(call, 2, 100);
            break;
        }
        await TestHosts.EventuallyAsync(() => other.Connections.Count == 0, "a connection is left at the other host");
    }

    [Fact]
    public async Task A_stream_gives_its_place_back_however_it_is_closed()
    {
        // Streams of the hosts' own, which come when they come, would be counted too.
        await using var a = await TestHosts.StartAsync(o => o with { Identify = false });
        await using var b = await TestHosts.StartAsync(o => o with { Identify = false });
        b.HandleEcho();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        b.Handle("/hold/1.0.0", (_, _) => release.Task);
        var connection = await a.DialAsync(b.Address(), TestHosts.Deadline());
        a.Peerstore.SetProtocols(b.Id, b.Protocols);
        (await connection.NewStreamAsync("/echo/1.0.0", TestHosts.Deadline())).AsStream().Dispose();
        Assert.Equal(0, connection.StreamCount);
        await (await connection.NewStreamAsync("/echo/1.0.0", TestHosts.Deadline())).AsStream().DisposeAsync();
        Assert.Equal(0, connection.StreamCount);
        var torn = await connection.NewStreamAsync("/hold/1.0.0", TestHosts.Deadline());
        torn.Output.Write(TestHosts.Pattern((int)YamuxOptions.InitialWindow + 1000));
        var left = torn.Output.FlushAsync(CancellationToken.None).AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await torn.DisposeAsync());
        Assert.Equal(0, connection.StreamCount);
        await Assert.ThrowsAsync<StreamResetException>(() => left);
        release.SetResult();
        await TestHosts.EventuallyAsync(() => b.ConnectionsTo(a.Id)[0].StreamCount == 0, "a stream is left at the other host");
    }

    [Fact]
    public async Task A_handler_that_leaves_a_write_behind_has_its_stream_reset()
    {
        await using var a = await TestHosts.StartAsync();
        await using var b = await TestHosts.StartAsync();
        Task? left = null;
        var agreed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        b.Handle("/careless/1.0.0", async (stream, token) =>
        {
            // A reset would overtake the answer to the proposal.
            await agreed.Task.WaitAsync(token);
            stream.Output.Write(TestHosts.Pattern((int)YamuxOptions.InitialWindow + 1000));
            left = stream.Output.FlushAsync(CancellationToken.None).AsTask();
        });
        var connection = await a.DialAsync(b.Address(), TestHosts.Deadline());
        await using var stream = await connection.NewStreamAsync("/careless/1.0.0", TestHosts.Deadline());
        agreed.SetResult();
        // Nothing is read, so that the write cannot end before the handler does.
        await TestHosts.EventuallyAsync(() => stream.Aborted.IsCancellationRequested, "the stream is not reset");
        await Assert.ThrowsAsync<StreamResetException>(() => left!);
        await TestHosts.EventuallyAsync(() => b.ConnectionsTo(a.Id)[0].StreamCount == 0, "the stream is still counted");
    }

    [Fact]
    public async Task Wants_for_a_peer_that_goes_while_they_are_sent_hold_no_stream()
    {
        // A stream of the other host's own would be counted, and noted, too.
        await using var b = await TestHosts.StartAsync(o => o with { Identify = false });
        b.HandleEcho(BitswapProtocols.All[0]);
        var time = new HookTime();
        await using var a = await TestHosts.StartAsync(o => o with { Identify = false, Time = time });
        var connection = await a.DialAsync(b.Address(), TestHosts.Deadline());
        var sender = new WantSender(b.Id, a, new BitswapOptions(), new BitswapLog(new TestLog()));
        Assert.True(sender.Enqueue(new WantlistEntry(Ipld.CidPrefix.V1.Sum(Ipld.Multicodec.Raw, [1]), 1)));
        // The stream notes when it was opened: just then the peer goes.
        time.At(1, sender.Stop);
        await sender.RunAsync(TestHosts.Deadline());
        Assert.True(time.IsDone);
        Assert.Equal(0, connection.StreamCount);
    }

    [Fact]
    public void An_address_that_comes_while_the_peerstore_is_swept_stays()
    {
        var time = new HookTime();
        var store = new Peerstore(time);
        var peer = PrivateKey.GenerateEd25519().PeerId;
        store.SetVersions(peer, "agent", "protocol");
        time.At(1, () => store.Sweep(_ => false));
        store.AddAddresses(peer, [Multiaddr.Parse("/ip4/1.2.3.4/tcp/1")], TimeSpan.FromHours(1));
        Assert.True(time.IsDone);
        Assert.Single(store.Addresses(peer));
    }

    [Fact]
    public async Task Who_knows_a_better_address_does_not_fail_with_those_that_know_a_dead_one()
    {
        var time = new VirtualTime();
        await using var a = await TestHosts.StartAsync(o => o with { Time = time });
        await using var b = await TestHosts.StartAsync();
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var dead = a.DialAsync(b.Id, [Multiaddr.FromEndPoint((IPEndPoint)silent.LocalEndpoint)], TestHosts.Deadline());
        // The first dial is under way when the other side sees it.
        using var seen = await silent.AcceptSocketAsync(TestHosts.Deadline());
        var connection = await a.DialAsync(b.Id, [b.ListenAddresses[0]], TestHosts.Deadline());
        Assert.Equal(b.Id, connection.RemotePeer);
        Assert.Equal(DialFailure.TimedOut, (await Assert.ThrowsAsync<DialException>(() => time.PassUntilAsync(dead, TimeSpan.FromSeconds(1)))).Failure);
    }

    [Fact]
    public async Task A_dial_that_was_given_up_waits_quietly_for_a_transport_that_does_not_give_up()
    {
        var time = new CountingTime();
        var transport = new StuckTransport();
        await using var host = new Libp2pHost(new HostOptions
        {
            Key = PrivateKey.GenerateEd25519(), Transports = [transport], Time = time, DialTimeout = TimeSpan.FromMilliseconds(100),
        });
        // The second address is due half a second later.
        var dial = host.DialAsync(PrivateKey.GenerateEd25519().PeerId, [Multiaddr.Parse("/ip4/1.2.3.4/tcp/1"), Multiaddr.Parse("/ip4/5.6.7.8/tcp/1")], TestHosts.Deadline());
        await transport.Begun.WaitAsync(TestHosts.Deadline());
        time.Pass(TimeSpan.FromMilliseconds(100));
        await transport.GivenUp.WaitAsync(TestHosts.Deadline());
        int before = time.Asked;
        await Task.Delay(200);
        Assert.InRange(time.Asked - before, 0, 100);
        transport.Release();
        Assert.Equal(DialFailure.TimedOut, (await Assert.ThrowsAsync<DialException>(() => dial)).Failure);
    }

    /// <summary>Passes when the test says so, and counts how often it is looked at.</summary>
    private sealed class CountingTime : TimeProvider
    {
        private readonly VirtualTime time = new();
        private int asked;

        public int Asked => Volatile.Read(ref asked);

        public void Pass(TimeSpan span) => time.Advance(span);

        public override long TimestampFrequency => time.TimestampFrequency;

        public override long GetTimestamp()
        {
            Interlocked.Increment(ref asked);
            return time.GetTimestamp();
        }

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => time.CreateTimer(callback, state, dueTime, period);
    }

    /// <summary>Hears that it is to give up, and does not.</summary>
    private sealed class StuckTransport : ITransport
    {
        private readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource givenUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => begun.Task;

        public Task GivenUp => givenUp.Task;

        public void Release() => released.TrySetResult();

        public bool CanDial(Multiaddr address) => true;

        public bool CanListen(Multiaddr address) => false;

        public async Task<RawConnection> DialAsync(Multiaddr address, CancellationToken cancellationToken)
        {
            await using var hears = cancellationToken.Register(() => givenUp.TrySetResult());
            begun.TrySetResult();
            await released.Task;
            throw new OperationCanceledException(cancellationToken);
        }

        public Task<ITransportListener> ListenAsync(Multiaddr address, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
