namespace Ipld.Tests.Import;

public sealed class ChunkerTests
{
    [Theory]
    [InlineData("size-1000")]
    [InlineData("size-262144")]
    [InlineData("rabin-1024")]
    [InlineData("rabin-512-1024-2048")]
    [InlineData("rabin-16-17-18")]
    [InlineData("rabin")]
    [InlineData("buzhash")]
    public async Task Cuts_do_not_depend_on_how_the_stream_hands_out_its_bytes(string chunker)
    {
        var content = GeneratedContent.RandomBytes(7, 1_500_000);
        var whole = await CutAsync(chunker, new MemoryStream(content));
        Assert.Equal(content.Length, whole.Sum());
        var random = new Random(1);
        foreach (var largest in new[] { 3, 4099, 700_000 })
        {
            Assert.Equal(whole, await CutAsync(chunker, new FragmentedStream(content, () => random.Next(1, largest + 1))));
        }
    }

    [Theory]
    [InlineData("rabin-20", 100_000)]
    [InlineData("rabin-0", 100_000)]
    public async Task A_rabin_minimum_below_its_window_never_cuts(string chunker, int size) =>
        Assert.Equal([size], await CutAsync(chunker, new MemoryStream(GeneratedContent.RandomBytes(1, size))));

    [Fact]
    public async Task A_piece_larger_than_a_block_is_refused_before_all_of_it_is_read()
    {
        var endless = new FragmentedStream(new byte[64 << 20], () => 1 << 20);
        var e = await Assert.ThrowsAsync<ImportException>(() => CutAsync("rabin-20", endless));
        Assert.Equal("object size limit exceeded", e.Message);
        Assert.True(endless.Position < 4 << 20);
    }

    [Theory]
    [InlineData("size", "incorrect chunker string format (expected size-{size})")]
    [InlineData("size-1-2", "incorrect chunker string format (expected size-{size})")]
    [InlineData("size--1", "incorrect chunker string format (expected size-{size})")]
    [InlineData("size-99999999999999999999", "strconv.Atoi: parsing \"99999999999999999999\": value out of range")]
    [InlineData("size-1\"", "strconv.Atoi: parsing \"1\\\"\": invalid syntax")]
    [InlineData("rabin-2000000", "chunker parameters may not exceed the maximum chunk size of 2096896")]
    [InlineData("rabin-max:16-32-64", "first label must be min")]
    [InlineData("rabin-16-min:32-64", "second label must be avg")]
    [InlineData("rabin-16-32-avg:64", "final label must be max")]
    [InlineData("rabin-16-64-64", "incorrect format: rabin-avg must be smaller than rabin-max")]
    [InlineData("fixed", "unrecognized chunker option: fixed")]
    public void A_wrong_specification_is_refused_in_the_originals_words(string chunker, string expected) =>
        Assert.Equal(expected, Assert.Throws<ImportException>(() => Chunker.Create(chunker, Stream.Null)).Message);

    private static async Task<List<int>> CutAsync(string specification, Stream content)
    {
        using var chunker = Chunker.Create(specification, content);
        var lengths = new List<int>();
        while (await chunker.MoveNextAsync(CancellationToken.None))
        {
            lengths.Add(chunker.Current.Length);
        }

        return lengths;
    }

    private sealed class FragmentedStream(byte[] content, Func<int> fragment) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, fragment())], cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            base.ReadAsync(buffer, offset, Math.Min(count, fragment()), cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, fragment()));
    }
}
