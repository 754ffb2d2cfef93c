using System.Text;

namespace Ipld.Tests.Import;

public sealed class ImporterTests
{
    [Fact]
    public async Task A_sink_that_waits_holds_back_the_upload()
    {
        var content = new CountingStream(100 * 1024 * 1024);
        var sink = new GatedSink(passes: 3);
        using var cancel = new CancellationTokenSource();
        var import = new Importer(new ImportOptions(), sink, new Collector()).RunAsync(Parts(("/f", content)), cancel.Token);
        await sink.Reached.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.False(import.IsCompleted);
        Assert.True(content.Position <= 4 * Chunker.DefaultChunkSize);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => import.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task What_the_upload_throws_ends_the_import_after_the_complete_files()
    {
        var collector = new Collector();
        var import = new Importer(new ImportOptions(), collector, collector).RunAsync(Cut(), CancellationToken.None);
        Assert.Equal("multipart: NextPart: EOF", (await Assert.ThrowsAsync<IOException>(() => import)).Message);
        Assert.Equal("a", Assert.Single(collector.Outputs).Name);
    }

    [Fact]
    public async Task An_upload_without_a_part_is_refused()
    {
        foreach (var car in new[] { false, true })
        {
            await Assert.ThrowsAsync<ImportException>(() => new Importer(new ImportOptions { Car = car }, new Collector(), new Collector()).RunAsync(Parts(), CancellationToken.None));
        }
    }

    [Fact]
    public async Task A_wrapper_around_nothing_is_an_empty_directory()
    {
        var collector = new Collector();
        var root = await new Importer(new ImportOptions { WrapWithDirectory = true }, collector, collector).RunAsync(Parts(), CancellationToken.None);
        Assert.Equal("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn", root.ToString());
    }

    [Fact]
    public async Task A_later_directory_takes_the_place_of_a_file_of_its_name()
    {
        var collector = new Collector();
        await new Importer(new ImportOptions { WrapWithDirectory = true }, collector, collector)
            .RunAsync(Parts(("/a", Text("a")), ("/b", Text("b")), ("/a/c/d", Text("d"))), CancellationToken.None);
        Assert.Equal(["a", "b", "a/c/d", "a/c", "a", ""], collector.Outputs.Select(o => o.Name));
        Assert.Equal(["a", "b"], collector.Blocks[collector.Outputs[^1].Cid].Links.Select(l => l.Name));
    }

    [Fact]
    public async Task A_file_where_a_directory_is_open_is_refused()
    {
        var collector = new Collector();
        var e = await Assert.ThrowsAsync<ImportException>(() => new Importer(new ImportOptions { WrapWithDirectory = true }, collector, collector)
            .RunAsync(Parts(("/a/b", Text("a")), ("/a", Text("b"))), CancellationToken.None));
        Assert.Equal("directory already has entry by that name", e.Message);
    }

    [Fact]
    public async Task Progress_is_told_each_256_KiB_and_at_every_look_at_the_end()
    {
        var collector = new Collector();
        var options = new ImportOptions { Progress = true, CidVersion = 1, RawLeaves = true };
        await new Importer(options, collector, collector).RunAsync(Parts(("/f", new CountingStream(2 * Chunker.DefaultChunkSize))), CancellationToken.None);
        // Two full pieces: the end is met when the node and when the layout ask for more (as in the original).
        Assert.Equal([262144, 524288, 524288, 524288], collector.Outputs.SkipLast(1).Select(o => (int)o.Bytes));
    }

    [Fact]
    public async Task Five_thousand_links_and_more_make_a_shard_of_two_levels()
    {
        var collector = new Collector();
        var store = new ShardCollector(collector);
        var sink = new ShardingSink(1 << 30, store);
        var blocks = ShardingSink.MaxLinks + 5;
        for (var i = 0; i < blocks; i++)
        {
            var data = BitConverter.GetBytes(i);
            await sink.WriteAsync(new IpldBlock(CidPrefix.V1.Sum(Multicodec.Raw, data), data, 4), CancellationToken.None);
        }

        var dag = await sink.FinishAsync(CancellationToken.None);
        var shard = Assert.Single(store.Shards);
        Assert.Equal(2, shard.Depth);
        Assert.Equal((ulong)(4 * blocks), shard.Size);
        Assert.Equal(blocks + 3, store.Blocks[0].Count); // the root and two leaves
        Assert.Equal([shard.Root], DagCbor.DecodeIndexedLinks(dag.Blocks[0].Data.Span));
    }

    [Theory]
    [InlineData("a/../../x", "/x")]
    [InlineData("/abs/x", "/abs/x")]
    [InlineData("d%2Fa+b", "/d/a b")]
    [InlineData("100%", "/100%")]
    [InlineData("", "/")]
    [InlineData(null, "/")]
    [InlineData("a\\b", "/a\\b")]
    [InlineData("%C3%A4", "/ä")]
    public void A_file_name_becomes_a_clean_path(string? fileName, string expected) => Assert.Equal(expected, ImportPath.FromFileName(fileName));

    private static MemoryStream Text(string text) => new(Encoding.UTF8.GetBytes(text));

    private static async IAsyncEnumerable<ImportPart> Parts(params (string Path, Stream Content)[] parts)
    {
        foreach (var (path, content) in parts)
        {
            yield return new ImportPart(path, ImportPartKind.File, content);
            await Task.CompletedTask;
        }
    }

    private static async IAsyncEnumerable<ImportPart> Cut()
    {
        yield return new ImportPart("/a", ImportPartKind.File, Text("a"));
        await Task.CompletedTask;
        throw new IOException("multipart: NextPart: EOF");
    }

    private sealed class GatedSink(int passes) : IBlockSink
    {
        private int _seen;

        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async ValueTask WriteAsync(IpldBlock block, CancellationToken cancellationToken)
        {
            if (++_seen > passes)
            {
                Reached.TrySetResult();
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
        }
    }

    // Different bytes in every piece, so that no block repeats.
    private sealed class CountingStream(long size) : Stream
    {
        private long _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => size;

        public override long Position
        {
            get => _position;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var take = (int)Math.Min(count, size - _position);
            for (var i = 0; i < take; i++)
            {
                buffer[offset + i] = (byte)(((_position + i) >> 10) + ((_position + i) >> 18));
            }

            _position += take;
            return take;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
