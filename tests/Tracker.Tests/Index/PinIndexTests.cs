using Cluster.Storage;
using Cluster.Tracker.Core;
using Cluster.Tracker.Index;
using Cluster.Tracker.Tests.Core;
using Ipld;

namespace Cluster.Tracker.Tests.Index;

public sealed class PinIndexTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tracker-index").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Folder => Path.Combine(_folder, "index");

    [Fact]
    public void Rows_read_back_as_they_were_written()
    {
        var random = new Random(1);
        using var index = PinIndex.Open(Folder);
        var rows = Enumerable.Range(0, 500).Select(i => Random(random, i)).ToArray();
        foreach (var row in rows)
            index.Replace(null, row);
        Check();
        index.Commit();
        Check();

        void Check()
        {
            foreach (var row in rows)
            {
                Assert.True(index.TryGet(row.Cid, out var read));
                AssertSame(row, read);
            }
        }
    }

    [Fact]
    public void A_damaged_row_is_told_and_nothing_worse()
    {
        var random = new Random(3);
        for (var i = 0; i < 20_000; i++)
        {
            var writer = new System.Buffers.ArrayBufferWriter<byte>();
            TrackedPinCodec.Write(Random(random, i), writer);
            var bytes = writer.WrittenSpan.ToArray();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                _ = TrackedPinCodec.Read(Bench.CidOf(i), bytes.AsSpan(0, random.Next(2) == 0 ? bytes.Length : random.Next(bytes.Length)));
            }
            catch (InvalidDataException)
            {
                // As it should be.
            }
        }
    }

    [Fact]
    public void It_does_what_the_index_in_memory_does()
    {
        var random = new Random(2);
        var memory = new MemoryIndex();
        var index = PinIndex.Open(Folder);
        for (var round = 0; round < 3000; round++)
        {
            var number = random.Next(60);
            memory.TryGet(Bench.CidOf(number), out var before);
            var after = random.Next(4) == 0 ? null : Random(random, number);
            index.TryGet(Bench.CidOf(number), out var same);
            index.Replace(same, after);
            memory.Replace(before, after);
            if (random.Next(10) == 0)
                index.Commit();
            if (random.Next(300) == 0)
            {
                index.Commit();
                index.Dispose();
                index = PinIndex.Open(Folder);
            }

            if (random.Next(30) != 0)
                continue;
            Assert.True(index.NextRetry is null == memory.NextRetry is null || index.NextRetry <= memory.NextRetry || memory.NextRetry is null);
            var now = Bench.Start + TimeSpan.FromSeconds(random.Next(2000));
            Assert.Equal(memory.DueForRetry(now, 1000).Select(p => p.RetryAt), index.DueForRetry(now, 1000).Select(p => p.RetryAt));
            foreach (var state in Enum.GetValues<PinState>())
            {
                Assert.Equal(memory.Count(state), index.Count(state));
                Cid? cursor = random.Next(2) == 0 ? null : Bench.CidOf(random.Next(60));
                Assert.Equal(memory.Page(state, cursor, 10).Select(p => p.Cid), index.Page(state, cursor, 10).Select(p => p.Cid));
            }

            Assert.Equal(memory.Page(null, 1000).Select(p => p.Cid), index.Page(null, 1000).Select(p => p.Cid));
            PinState[] wanted = [.. Enum.GetValues<PinState>().Where(_ => random.Next(3) == 0)];
            using var reader = index.Read(wanted);
            Assert.Equal(memory.Rows.Where(r => wanted.Contains(r.State)).Select(r => r.Cid), All(reader));
        }

        index.Dispose();
    }

    [Fact]
    public void A_position_is_kept_with_what_it_led_to()
    {
        using (var index = PinIndex.Open(Folder))
        {
            index.Belongs([1, 2]);
            index.Replace(null, Row(1, PinState.PinQueued));
            index.Commit(new WatchPosition(7, new byte[] { 9 }, 3));
            index.Replace(null, Row(2, PinState.PinQueued));
        }

        using (var index = PinIndex.Open(Folder))
        {
            Assert.True(index.Position.Same(new WatchPosition(7, new byte[] { 9 }, 3)));
            Assert.Equal(1, index.Total);
            Assert.False(index.TryGet(Bench.CidOf(2), out _));
            index.Belongs([1, 2]);
            Assert.Equal(7ul, index.Position.Sequence);
            index.Belongs([1, 3]);
            Assert.True(index.Position.Same(WatchPosition.Nothing with { Generation = 3 }));
        }
    }

    [Fact]
    public void A_reader_sees_the_rows_of_its_beginning()
    {
        using var index = PinIndex.Open(Folder);
        index.Replace(null, Row(1, PinState.Pinned));
        index.Commit();
        using var reader = index.Read(null);
        index.Replace(null, Row(2, PinState.Pinned));
        index.Commit();
        Assert.Equal([Bench.CidOf(1)], All(reader));
    }

    [Fact]
    public void A_folder_in_use_is_refused_with_words()
    {
        using var index = PinIndex.Open(Folder);
        Assert.Equal(StorageErrorKind.LockHeld, Assert.Throws<StorageException>(() => PinIndex.Open(Folder)).Kind);
    }

    private static List<Cid> All(PinReader reader)
    {
        var cids = new List<Cid>();
        while (reader.MoveNext())
            cids.Add(reader.Current.Cid);
        return cids;
    }

    private static TrackedPin Row(int number, PinState state) => new() { Cid = Bench.CidOf(number), State = state, Since = Bench.Start };

    private static TrackedPin Random(Random random, int number)
    {
        var details = new byte[random.Next(40)];
        random.NextBytes(details);
        return new TrackedPin
        {
            Cid = Bench.CidOf(number),
            State = (PinState)random.Next(1, 9),
            Since = Bench.Start.AddTicks(random.NextInt64(1L << 40)),
            Attempts = random.Next(300),
            Priority = random.Next(2) == 0,
            Error = random.Next(3) == 0 ? string.Concat(Enumerable.Repeat("é☃ ", random.Next(1, 400))) : "",
            RetryAt = random.Next(3) == 0 ? Bench.Start.AddSeconds(random.Next(2000)).AddTicks(number) : null,
            DaemonAway = random.Next(2) == 0,
            MayHold = random.Next(2) == 0,
            Generation = (uint)random.Next(),
            Kind = (PinKind)random.Next(1, 5),
            MaxDepth = random.Next(-1, 3),
            PinUpdate = random.Next(3) == 0 ? Bench.CidOf(random.Next()) : null,
            Created = Bench.Start.AddTicks(random.NextInt64(1L << 40)),
            Details = details,
        };
    }

    private static void AssertSame(TrackedPin expected, TrackedPin actual)
    {
        Assert.Equal(expected.Details.ToArray(), actual.Details.ToArray());
        Assert.Equal(expected with { Details = default }, actual with { Details = default });
    }
}
