using System.Text;
using Cluster.Gateway.Adder;
using FsCheck;
using FsCheck.Fluent;

namespace Gateway.Tests.Adder;

public sealed class MultipartReaderTests
{
    private const string Boundary = "the-boundary";

    [Fact]
    public async Task Any_fragmentation_gives_the_same_parts()
    {
        var gen = from parts in PartGen.ListOf()
                  from cuts in Gen.Choose(1, 40).ListOf()
                  select (Parts: parts.ToList(), Cuts: cuts.ToList());
        Prop.ForAll(gen.ToArbitrary(), sample =>
        {
            byte[] body = Body(sample.Parts);
            List<(string Path, PartKind Kind, byte[] Content)> read = ReadAll(new Pieces(body, sample.Cuts)).GetAwaiter().GetResult();
            return read.Count == sample.Parts.Count
                && read.Zip(sample.Parts).All(pair => pair.First.Path == pair.Second.Name && pair.First.Content.AsSpan().SequenceEqual(pair.Second.Content));
        }).QuickCheckThrowOnFailure();
        await Task.CompletedTask;
    }

    [Fact]
    public async Task A_preamble_is_skipped_and_an_epilogue_is_not_read()
    {
        byte[] body = Encoding.ASCII.GetBytes($"before\r\nit\r\n--{Boundary}  \r\nContent-Disposition: form-data; filename=a\r\n\r\nx\r\n--{Boundary}--\r\nafter");
        (string path, _, byte[] content) = Assert.Single(await ReadAll(new MemoryStream(body)));
        Assert.Equal("a", path);
        Assert.Equal("x"u8, content);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nothing of the kind")]
    [InlineData("--the-boundary\r\nContent-Disposition: form-data\r\n\r\ncut off")]
    [InlineData("--the-boundary\r\nContent-Disposition: form-data\r\n\r\ncut off\r\n--the-bound")]
    [InlineData("--the-boundary\r\nContent-Dis")]
    public async Task A_body_without_its_end_is_an_error(string body)
    {
        var error = await Assert.ThrowsAsync<MultipartException>(() => ReadAll(new MemoryStream(Encoding.ASCII.GetBytes(body))));
        Assert.Equal("multipart: NextPart: EOF", error.Message);
    }

    [Fact]
    public async Task No_part_at_all_is_no_error_here() => Assert.Empty(await ReadAll(new MemoryStream("--the-boundary--\r\n"u8.ToArray())));

    [Fact]
    public async Task Headers_without_end_are_refused()
    {
        byte[] body = Encoding.ASCII.GetBytes($"--{Boundary}\r\nA: {new string('x', 100_000)}\r\n\r\n");
        await Assert.ThrowsAsync<MultipartException>(() => ReadAll(new MemoryStream(body)));
    }

    [Theory]
    [InlineData("form-data; name=\"file\"; filename=\"a.txt\"", "a.txt")]
    [InlineData("file; filename=a.txt", "a.txt")]
    [InlineData("attachment; filename=\"d%2Fsub%2Fb.txt\"", "d/sub/b.txt")]
    [InlineData("form-data; filename=\"a+b%20c\"", "a b c")]
    [InlineData("form-data; filename=\"/abs/x\"", "abs/x")]
    [InlineData("form-data; filename=\"a/../../x\"", "x")]
    [InlineData("form-data; filename=\"C:\\dir\\x\"", "C:\\dir\\x")]
    [InlineData("form-data; filename=\"q\\\"q\"", "q\"q")]
    [InlineData("form-data; filename=\"%zz\"", "%zz")]
    [InlineData("form-data; filename*=UTF-8''%e2%82%ac", "€")]
    [InlineData("form-data; name=\"file?mtime=1&mode=0644\"; filename=\"x\"", "x")]
    [InlineData("form-data; name=\"file\"", "")]
    [InlineData("form-data; filename=\"open", "")]
    public void File_names_are_read_as_the_original_does(string disposition, string path) =>
        Assert.Equal(path, new MultipartPart(new Dictionary<string, string> { ["Content-Disposition"] = disposition }, Stream.Null).Path);

    [Theory]
    [InlineData("multipart/form-data; boundary=b", "b", "")]
    [InlineData("multipart/mixed; boundary=\"b c\"", "b c", "")]
    [InlineData("Multipart/Form-Data; charset=x; Boundary=b", "b", "")]
    [InlineData("multipart/form-data", "", "no multipart boundary param in Content-Type")]
    [InlineData("text/plain", "", "request Content-Type isn't multipart/form-data")]
    [InlineData(";;", "", "request Content-Type isn't multipart/form-data")]
    [InlineData(null, "", "request Content-Type isn't multipart/form-data")]
    public void The_boundary_is_found_in_the_content_type(string? type, string boundary, string error)
    {
        Assert.Equal(error.Length == 0, MultipartReader.TryGetBoundary(type, out string found, out string complaint));
        Assert.Equal(boundary, found);
        Assert.Equal(error, complaint);
    }

    internal static async Task<List<(string Path, PartKind Kind, byte[] Content)>> ReadAll(Stream body)
    {
        using var reader = new MultipartReader(body, Boundary);
        var parts = new List<(string, PartKind, byte[])>();
        while (await reader.NextAsync(CancellationToken.None) is { } part)
        {
            using var content = new MemoryStream();
            await part.Body.CopyToAsync(content);
            parts.Add((part.Path, part.Kind, content.ToArray()));
        }

        return parts;
    }

    // Contents full of what looks like a boundary.
    private static readonly Gen<(string Name, byte[] Content)> PartGen =
        from name in Gen.Elements("a", "b.txt", "d/sub/c")
        from pieces in Gen.Elements("\r", "\n", "\r\n", "--", "-", "--the-boundary", "\r\n--the-boundar", "\r\n--the-boundaryX", "\r\n--the-boundary-x", "x", "\0", new string('y', 700)).ListOf()
        select (name, Safe(string.Concat(pieces)));

    /// <summary>Takes out what really is a boundary.</summary>
    private static byte[] Safe(string content)
    {
        while (IsBoundary(content)) content = content.Replace("the-boundary", "the_boundary", StringComparison.Ordinal);
        return Encoding.Latin1.GetBytes(content);
    }

    private static bool IsBoundary(string content) =>
        System.Text.RegularExpressions.Regex.IsMatch("\r\n" + content + "\r\n", "\r\n--the-boundary(--|[ \t\r]*\n|[ \t]*\r?$)");

    internal static byte[] Body(List<(string Name, byte[] Content)> parts)
    {
        using var body = new MemoryStream();
        foreach ((string name, byte[] content) in parts)
        {
            body.Write(Encoding.ASCII.GetBytes($"--{Boundary}\r\nContent-Disposition: form-data; filename=\"{name}\"\r\n\r\n"));
            body.Write(content);
            body.Write("\r\n"u8);
        }

        body.Write(Encoding.ASCII.GetBytes($"--{Boundary}--\r\n"));
        return body.ToArray();
    }

    private sealed class Pieces(byte[] bytes, List<int> cuts) : MemoryStream(bytes)
    {
        private int turn;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int most = cuts.Count == 0 ? 7 : cuts[turn++ % cuts.Count];
            return new(Read(buffer.Span[..Math.Min(most, buffer.Length)]));
        }
    }
}
