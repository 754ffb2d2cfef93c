using System.Globalization;
using Cluster.Consensus.CrdtReplication;
using Cluster.Consensus.Replication;
using Cluster.Model.Configuration;
using Cluster.PinState.Transfer;

namespace Cluster.Consensus.Tests.CrdtReplication;

public sealed class DurabilityTests : IAsyncLifetime
{
    private readonly MemoryNetwork _network = new();
    private readonly List<CrdtPeer> _peers = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var peer in _peers)
            await peer.DisposeAsync();
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public async Task What_was_acknowledged_survives_a_crash_that_tears_off_what_was_not(int seed)
    {
        var random = new Random(seed);
        var (a, b) = (Add(1), Add(2));
        var expected = new HashSet<int>();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 20; i++)
            {
                var key = random.Next(30);
                if (expected.Contains(key) && random.Next(3) == 0)
                {
                    await a.UnpinAsync(key);
                    expected.Remove(key);
                }
                else
                {
                    await a.PinAsync(key, $"{seed} {round} {i}");
                    expected.Add(key);
                }
            }

            // From here on nothing is waited for: any part of it may be lost, but nothing of what came before. Nobody hears of it:
            // what others know of is durable, as announcements come after the sync.
            _network.Leave(a.Id);
            var durable = a.LogBytes();
            var late = Enumerable.Range(100, 50).Select(i => a.PinAsync(i, new string('x', 200))).ToArray();
            await b.PinAsync(1000 + round);
            await a.CrashAsync(length => durable + random.NextInt64(Math.Max(1, length - durable)));
            await Task.WhenAll(late);

            Assert.Equal(expected.Order(), Enumerable.Range(0, 30).Where(key => a.State.Contains(Peer.Cid(key))));
            Assert.Equal(a.ExportOfTheSet(), a.Export());
            a.Join();
            await CrdtPeer.ConvergeAsync(a, b);
            Assert.All(Enumerable.Range(0, round + 1), past => Assert.True(a.State.Contains(Peer.Cid(1000 + past))));
        }
    }

    [Fact]
    public async Task An_import_replaces_all_and_others_merge_it()
    {
        var a = Add(1);
        await a.PinAsync(1);
        Assert.Equal(2UL, await ImportAsync(a, Lines(CrdtPeer.Pin(2, "two"), CrdtPeer.Pin(3, "three"))));
        Assert.False(a.State.Contains(Peer.Cid(1)));
        await a.PinAsync(4);
        var b = Add(2);
        await CrdtPeer.ConvergeAsync(a, b);
        Assert.Equal(3UL, b.State.Totals.Count);
    }

    [Fact]
    public async Task A_bad_import_changes_nothing_and_writes_go_on()
    {
        var a = Add(1);
        await a.PinAsync(1);
        var (before, heads) = (a.Export(), a.Heads);
        var error = await Assert.ThrowsAsync<ClusterException>(() => ImportAsync(a, new MemoryStream("{\"cid\":\"x\"}"u8.ToArray())));
        Assert.StartsWith("error importing state: ", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, a.Export());
        Assert.Equal(heads, a.Heads);
        await a.PinAsync(2);
        Assert.Equal(a.ExportOfTheSet(), a.Export());
    }

    [Fact]
    public async Task An_import_that_meets_the_end_of_the_store_is_told_of_it()
    {
        var a = Add(1);
        using var input = new ClosingStream(Lines(CrdtPeer.Pin(1)), a.Database.Dispose);
        await Assert.ThrowsAsync<ClusterException>(() => ImportAsync(a, input).WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task Writes_during_an_import_go_with_the_old_state_and_the_new_one_is_whole()
    {
        var a = Add(1);
        var pins = Enumerable.Range(0, 3000).Select(i => CrdtPeer.Pin(i, new string('n', 500))).ToArray();
        var importing = Task.Run(() => ImportAsync(a, Lines(pins)));
        for (var i = 5000; !importing.IsCompleted; i++)
            await a.PinAsync(i);
        Assert.Equal(3000UL, await importing);
        await a.PinAsync(9999);
        Assert.Equal(a.ExportOfTheSet(), a.Export());
        Assert.All(pins, pin => Assert.True(a.State.Contains(pin.Cid)));
        await a.CrashAsync();
        Assert.Equal(a.ExportOfTheSet(), a.Export());
        Assert.True(a.State.Contains(Peer.Cid(9999)));
    }

    [Fact]
    public async Task Cleaning_empties_the_set_also_after_the_shutdown()
    {
        var a = Add(1);
        await a.PinAsync(1);
        await a.Consensus.CleanAsync(CancellationToken.None);
        Assert.Empty(a.Heads);
        Assert.True(a.Consensus.CurrentHeads().IsEmpty);
        await a.PinAsync(2);
        Assert.Equal(1UL, a.State.Totals.Count);

        await a.Consensus.ShutdownAsync(CancellationToken.None);
        await a.Consensus.CleanAsync(CancellationToken.None);
        await a.RestartAsync();
        Assert.Equal(0UL, a.State.Totals.Count);
        Assert.Empty(a.Heads);
    }

    [Fact]
    public async Task After_the_shutdown_nothing_is_accepted_and_what_was_is_written()
    {
        var a = Add(1);
        var accepted = Enumerable.Range(0, 200).Select(i => a.PinAsync(i)).ToArray();
        await a.Consensus.ShutdownAsync(CancellationToken.None);
        await Task.WhenAll(accepted);
        Assert.Equal(200UL, a.State.Totals.Count);
        Assert.Equal(ClusterErrorKind.Unavailable, (await Assert.ThrowsAsync<ClusterException>(() => a.PinAsync(300))).Kind);
    }

    [Fact]
    public async Task Pins_that_were_written_without_a_DAG_are_taken_over_into_one()
    {
        var a = Add(1);
        await a.StopAsync();
        using (var database = Storage.Database.Open(a.Database.Path, new Storage.DatabaseOptions { Format = PinState.PinStore.Format }))
        await using (var single = new SinglePeerConsensus(a.Id, PinState.PinStore.Open(database)))
            await single.CommitAsync([.. Enumerable.Range(0, 100).Select(i => StateOperation.Put(CrdtPeer.Pin(i)))], CancellationToken.None);
        await a.RestartAsync();
        Assert.Equal(100UL, a.State.Totals.Count);
        var b = Add(2);
        await CrdtPeer.ConvergeAsync(a, b);
        Assert.Equal(100UL, b.State.Totals.Count);
    }

    [Fact]
    public async Task With_batching_an_answer_comes_when_the_batch_is_full_and_means_that_it_is_durable()
    {
        var (a, log) = Batching(3, "1h", 50);
        var first = a.PinAsync(1);
        var second = a.PinAsync(2);
        Assert.False(first.IsCompleted);
        Assert.False(a.State.Contains(Peer.Cid(1)));
        await a.PinAsync(3);
        await Task.WhenAll(first, second);
        Assert.Equal(1UL, Assert.Single(a.Heads).Value);
        await a.CrashAsync(); // after which all has been told
        Assert.Equal(3UL, a.State.Totals.Count);
        Assert.Contains("batch commit (size): 3 items", log.Lines);
    }

    [Fact]
    public async Task With_batching_nobody_waits_longer_than_the_age()
    {
        var (a, log) = Batching(1000, "100ms", 50_000);
        await Task.WhenAll(a.PinAsync(1), a.PinAsync(2));
        Assert.Equal(2UL, a.State.Totals.Count);

        // Why it was written is told after the answer. Whoever pauses between two pins long enough has two batches.
        await a.Consensus.ShutdownAsync(CancellationToken.None);
        const string told = "batch commit (max age): ";
        var items = log.Lines.Where(l => l.StartsWith(told, StringComparison.Ordinal)).Sum(l => int.Parse(l[told.Length..].Split(' ')[0], CultureInfo.InvariantCulture));
        Assert.Equal(2, items);
    }

    [Fact]
    public async Task While_a_batch_collects_what_others_wrote_is_merged()
    {
        var (a, _) = Batching(1000, "1h", 50_000);
        var waiting = a.PinAsync(1);
        var b = Add(2);
        await b.PinAsync(2);
        await a.UntilAsync(() => a.State.Contains(Peer.Cid(2)));
        Assert.False(waiting.IsCompleted);
        await a.Consensus.ShutdownAsync(CancellationToken.None);
        await waiting;
        Assert.True(a.State.Contains(Peer.Cid(1)));
    }

    [Fact]
    public async Task With_batching_more_than_the_queue_holds_is_refused_and_the_shutdown_commits_the_rest()
    {
        var (a, log) = Batching(100, "1h", 5);
        var accepted = Enumerable.Range(0, 5).Select(i => a.PinAsync(i)).ToArray();
        var error = await Assert.ThrowsAsync<ClusterException>(() => a.PinAsync(6));
        Assert.Equal(
            "error batching item: batching max_queue_size reached. Too many operations are waiting to be batched. "
            + "Try increasing the max_queue_size or adjusting the batching options", error.Message);
        await a.Consensus.ShutdownAsync(CancellationToken.None);
        await Task.WhenAll(accepted);
        Assert.Equal(5UL, a.State.Totals.Count);
        Assert.Contains("batch commit (shutdown): 5 items", log.Lines);
        Assert.Equal("shutting down. Pin could not be batched", (await Assert.ThrowsAsync<ClusterException>(() => a.PinAsync(7))).Message);
    }

    [Fact]
    public async Task Members_are_those_with_a_valid_ping_and_cannot_be_removed()
    {
        var a = Add(5);
        var expire = Model.GoTime.Now(TimeProvider.System).UnixNanoseconds + 60_000_000_000;
        a.Metrics.Reset(new[] { (9, "ping", expire), (3, "ping", expire), (4, "ping", 1), (2, "freespace", expire) }.Select(
            m => new Model.Metric { Name = m.Item2, Peer = Peer.Id(m.Item1), Valid = true, Expire = m.Item3 }));
        Assert.Equal([Peer.Id(3), Peer.Id(5), Peer.Id(9)], await a.Consensus.PeersAsync(CancellationToken.None));
        await a.Consensus.AddPeerAsync(Peer.Id(7), CancellationToken.None);
        Assert.Equal(
            "crdt consensus component cannot remove peers",
            (await Assert.ThrowsAsync<ClusterException>(() => a.Consensus.RemovePeerAsync(Peer.Id(3), CancellationToken.None))).Message);
    }

    private static MemoryStream Lines(params Model.Pin[] pins)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        foreach (var pin in pins)
            Model.ModelJson.Write(buffer, pin);
        return new MemoryStream(buffer.WrittenSpan.ToArray());
    }

    private static Task<ulong> ImportAsync(CrdtPeer peer, Stream input) =>
        peer.Consensus.ImportAsync(input, new StateImportOptions(), CancellationToken.None);

    private (CrdtPeer Peer, LogLines Log) Batching(int size, string age, int queue)
    {
        Assert.True(Model.GoDuration.TryParse(age, out var duration, out _));
        var log = new LogLines();
        return (Add(1, new CrdtSettings { Batching = new BatchingSettings(size, duration, queue) }, log), log);
    }

    private CrdtPeer Add(int number, CrdtSettings? settings = null, LogLines? log = null)
    {
        var peer = new CrdtPeer(number, _network, settings, log);
        _peers.Add(peer);
        return peer;
    }

    /// <summary>Does something at the end of what it reads.</summary>
    private sealed class ClosingStream(MemoryStream inner, Action atEnd) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            if (read == 0)
                atEnd();
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
