using System.Text;
using Cluster.Gateway.Adder;
using Cluster.Gateway.Http;
using Cluster.Gateway.Rest;
using Cluster.Model;
using Fuzz;
using Gateway.Tests.Adder;

namespace Gateway.Tests;

/// <summary>What strangers send is parsed or refused, and nothing else.</summary>
public sealed class FuzzTests
{
    private const int Iterations = 4000;

    [Fact]
    public void Multipart_bodies() => FuzzRunner.Run(
        Multipart, [MultipartReaderTests.Body([("a", "content"u8.ToArray()), ("d/b", new byte[300])]), MultipartReaderTests.Body([])], Iterations, 1);

    [Fact]
    public void Request_targets() => FuzzRunner.Run(
        Target, [.. Texts("/pins/ipfs/Qm/a%20b?filter=pinned&local=true", "http://example.com/version?x", "//a/../b/./c//", "/%69d/", "*")], Iterations, 2);

    [Fact]
    public void Part_headers() => FuzzRunner.Run(
        Disposition, [.. Texts("form-data; name=\"file\"; filename=\"a%2Fb.txt\"", "attachment; filename*=UTF-8''%e2%82%ac", "x; filename=\"a\\\"b\"; y=z")], Iterations, 3);

    [Fact]
    public void Bearer_tokens() => FuzzRunner.Run(Token, [.. Texts(JsonWebToken.Create("user", "pass"))], Iterations, 4);

    [Fact]
    public void Queries_of_an_add() => FuzzRunner.Run(
        Query, [.. Texts("name=x&replication=1&raw-leaves=true&cid-version=1&chunker=size-1&expire-in=1h&meta-a=b", "shard=1&shard-size=5&origins=/ip4/1.2.3.4/tcp/1/p2p/12D3KooWHfVCWrdyYBK6RtzKWwcUJv2mZTfLHi4aRXhpHZrgKpsf")], Iterations, 5);

    private static IEnumerable<byte[]> Texts(params string[] texts) => texts.Select(Encoding.UTF8.GetBytes);

    private static void Multipart(ReadOnlySpan<byte> data)
    {
        try
        {
            MultipartReaderTests.ReadAll(new MemoryStream(data.ToArray())).WaitAsync(TimeSpan.FromSeconds(60)).GetAwaiter().GetResult();
        }
        catch (MultipartException)
        {
        }
    }

    private static void Target(ReadOnlySpan<byte> data)
    {
        if (!RequestTarget.TryParse(Encoding.Latin1.GetString(data), out RequestTarget target)) return;
        // A redirect leads somewhere that needs no second of its kind.
        if (Redirects.ToCleanPath(target) is { } clean)
        {
            Assert.True(RequestTarget.TryParse(clean, out RequestTarget again));
            Assert.Null(Redirects.ToCleanPath(again));
        }

        if (Redirects.WithoutTrailingSlash(target) is { } stripped) Assert.True(RequestTarget.TryParse(stripped, out _));
        ContentPath.TryParse("ipfs", target.Path, out _, out _);
    }

    private static void Disposition(ReadOnlySpan<byte> data)
    {
        string path = new MultipartPart(new Dictionary<string, string> { ["Content-Disposition"] = Encoding.UTF8.GetString(data) }, Stream.Null).Path;
        Assert.DoesNotContain("..", path.Split('/'));
        Assert.False(path.StartsWith('/'));
    }

    private static void Token(ReadOnlySpan<byte> data)
    {
        string text = Encoding.Latin1.GetString(data);
        if (JsonWebToken.TryVerify(text, user => user == "user" ? "pass" : null, DateTimeOffset.UnixEpoch, out string issuer)) Assert.Equal("user", issuer);
    }

    private static void Query(ReadOnlySpan<byte> data)
    {
        if (AddParameters.TryParse(GoQuery.Parse(Encoding.UTF8.GetString(data)), GoTime.FromUnix(0), out AddParameters parameters, out string error)) Assert.NotNull(parameters.Options);
        else Assert.NotEqual("", error);
    }
}
