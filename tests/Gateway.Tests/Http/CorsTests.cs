using Cluster.Gateway.Http;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Http;

public sealed class CorsTests
{
    private static readonly CorsSettings Mine = new(["myorigin", "https://*.example.com"], ["GET", "POST", "DELETE"], [], ["X-A", "X-B"], true, TimeSpan.FromMinutes(10));

    [Fact]
    public void A_preflight_echoes_what_is_allowed()
    {
        IHeaderDictionary answer = Preflight(Mine, ("Origin", "myorigin"), ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "content-type"));
        Assert.Equal("myorigin", answer.AccessControlAllowOrigin);
        Assert.Equal("GET", answer.AccessControlAllowMethods);
        Assert.Equal("content-type", answer.AccessControlAllowHeaders);
        Assert.Equal("true", answer.AccessControlAllowCredentials);
        Assert.Equal("600", answer.AccessControlMaxAge);
    }

    [Theory]
    [InlineData("MyOrigin", true)]
    [InlineData("https://a.example.com", true)]
    [InlineData("https://example.com", false)]
    [InlineData("other", false)]
    [InlineData("", false)]
    public void Origins_match_without_regard_to_case_and_with_one_wildcard(string origin, bool allowed) =>
        Assert.Equal(allowed, Preflight(Mine, ("Origin", origin), ("Access-Control-Request-Method", "GET")).ContainsKey("Access-Control-Allow-Origin"));

    [Theory]
    [InlineData("accept,content-type", true)]
    [InlineData("accept, content-type", true)]
    [InlineData("accept,,content-type", true)]
    [InlineData("content-type,accept", false)]
    [InlineData("Content-Type", false)]
    [InlineData("authorization", false)]
    public void Requested_headers_come_sorted_and_in_lower_case(string list, bool allowed) =>
        Assert.Equal(allowed, Preflight(Mine, ("Origin", "myorigin"), ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", list)).ContainsKey("Access-Control-Allow-Origin"));

    [Fact]
    public void An_actual_request_is_told_to_vary_and_what_it_may_read()
    {
        IHeaderDictionary answer = new HeaderDictionary();
        new CorsPolicy(Mine).Decorate("POST", new HeaderDictionary { ["Origin"] = "myorigin" }, answer);
        Assert.Equal("Origin", answer.Vary);
        Assert.Equal("X-A, X-B", answer.AccessControlExposeHeaders);
        IHeaderDictionary refused = new HeaderDictionary();
        new CorsPolicy(Mine).Decorate("PUT", new HeaderDictionary { ["Origin"] = "myorigin" }, refused);
        Assert.Equal(["Vary"], refused.Keys);
    }

    [Fact]
    public void Without_settings_any_origin_may_get_and_post()
    {
        var open = new CorsSettings([], [], [], [], false, TimeSpan.Zero);
        Assert.Equal("*", Preflight(open, ("Origin", "a"), ("Access-Control-Request-Method", "POST")).AccessControlAllowOrigin);
        Assert.False(Preflight(open, ("Origin", "a"), ("Access-Control-Request-Method", "DELETE")).ContainsKey("Access-Control-Allow-Origin"));
    }

    private static IHeaderDictionary Preflight(CorsSettings settings, params (string Name, string Value)[] headers)
    {
        var request = new HeaderDictionary();
        foreach ((string name, string value) in headers) request[name] = value;
        IHeaderDictionary answer = new HeaderDictionary();
        new CorsPolicy(settings).AnswerPreflight(request, answer);
        Assert.Equal("Origin, Access-Control-Request-Method, Access-Control-Request-Headers", answer.Vary);
        return answer;
    }
}
