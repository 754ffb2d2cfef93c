using Cluster.Gateway.Http;

namespace Gateway.Tests.Http;

public sealed class RouterTests
{
    private static readonly Router Table = new(
        new[] { "POST /pins/recover", "GET /pins", "GET /pins/{hash}", "POST /pins/{hash}", "POST /pins/{hash}/recover", "POST /pins/{ns:ipfs|ipns|ipld}/{path*}", "GET /monitor/metrics" }
            .Select(line => new Route(line.Split(' ')[0], line.Split(' ')[1], _ => ValueTask.CompletedTask)));

    [Theory]
    [InlineData("GET", "/pins", "Found", null, null)]
    [InlineData("GET", "/pins/x", "Found", "x", null)]
    [InlineData("GET", "/pins/recover", "Found", "recover", null)]
    [InlineData("POST", "/pins/recover", "Found", null, null)]
    [InlineData("POST", "/pins/x/recover", "Found", "x", null)]
    [InlineData("POST", "/pins/ipfs/x/y/z", "Found", "ipfs", "x/y/z")]
    [InlineData("POST", "/pins/ipfs", "Found", "ipfs", null)]
    [InlineData("POST", "/pins/foo/x", "NotFound", null, null)]
    [InlineData("GET", "/pins/ipfs/x", "MethodNotAllowed", null, null)]
    [InlineData("get", "/pins", "MethodNotAllowed", null, null)]
    [InlineData("HEAD", "/pins", "MethodNotAllowed", null, null)]
    [InlineData("GET", "/PINS", "NotFound", null, null)]
    [InlineData("GET", "/pins/x/y", "NotFound", null, null)]
    [InlineData("GET", "/", "NotFound", null, null)]
    [InlineData("GET", "*", "NotFound", null, null)]
    [InlineData("GET", "/monitor", "NotFound", null, null)]
    [InlineData("GET", "/pinsx", "NotFound", null, null)]
    public void Requests_find_their_route(string method, string path, string result, string? first, string? second)
    {
        Assert.Equal(result, Table.Find(method, path, out _, out RouteParameters parameters).ToString());
        Assert.Equal((first, second), (parameters.First, parameters.Second));
    }

    [Theory]
    [InlineData("/id/", "/id")]
    [InlineData("/id//", "/id/")]
    [InlineData("/pins/?filter=pinned&local=true", "/pins?filter=pinned&local=true")]
    [InlineData("/monitor//metrics/", "/monitor/metrics")]
    [InlineData("/", null)]
    [InlineData("/id", null)]
    public void A_slash_at_the_end_is_stripped(string target, string? location)
    {
        Assert.True(RequestTarget.TryParse(target, out RequestTarget parsed));
        Assert.Equal(location, Redirects.WithoutTrailingSlash(parsed));
    }

    [Theory]
    [InlineData("//id", "/id")]
    [InlineData("/monitor//metrics?x=1", "/monitor/metrics?x=1")]
    [InlineData("/./id", "/id")]
    [InlineData("/pins/../id", "/id")]
    [InlineData("/../../id", "/id")]
    [InlineData("/a//%20b", "/a/%20b")]
    [InlineData("/.hidden", null)]
    [InlineData("/id", null)]
    public void Empty_and_dot_segments_are_cleaned(string target, string? location)
    {
        Assert.True(RequestTarget.TryParse(target, out RequestTarget parsed));
        Assert.Equal(location, Redirects.ToCleanPath(parsed));
    }

    [Theory]
    [InlineData("/%69d", "/id")]
    [InlineData("/monitor%2Fmetrics", "/monitor/metrics")]
    [InlineData("http://example.com/version", "/version")]
    [InlineData("http://example.com", "/")]
    [InlineData("http://example.com?x", "/")]
    [InlineData("/%E2%82%AC", "/€")]
    public void Targets_are_taken_apart(string target, string path)
    {
        Assert.True(RequestTarget.TryParse(target, out RequestTarget parsed));
        Assert.Equal(path, parsed.Path);
    }

    [Theory]
    [InlineData("/%zz")]
    [InlineData("/%")]
    [InlineData("/%2")]
    [InlineData("nonsense")]
    [InlineData("")]
    public void Bad_targets_are_refused(string target) => Assert.False(RequestTarget.TryParse(target, out _));
}
