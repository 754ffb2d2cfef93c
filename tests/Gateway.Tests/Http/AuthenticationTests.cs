using System.Security.Cryptography;
using System.Text;
using Cluster.Gateway.Http;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Http;

public sealed class AuthenticationTests
{
    private static readonly Authentication Users = new(new Dictionary<string, string> { ["user"] = "pass", ["other"] = "söme:thing", ["empty"] = "" }, TimeProvider.System);

    [Theory]
    [InlineData("user", "pass", true)]
    [InlineData("other", "söme:thing", true)]
    [InlineData("user", "wrong", false)]
    [InlineData("nobody", "pass", false)]
    [InlineData("empty", "", false)]
    [InlineData("", "pass", false)]
    public void Basic_credentials_are_compared(string user, string password, bool right)
    {
        Authentication.Verdict verdict = Judge("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
        Assert.Equal(right ? null : "unauthorized: access denied", verdict.Refusal);
        if (!right) Assert.Equal(["Basic realm=\"Restricted IPFS Cluster API\""], verdict.Challenges);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Basic %%%")]
    [InlineData("Basic dXNlcg==")]
    [InlineData("Digest username=\"user\"")]
    [InlineData("Bearer")]
    public void Without_credentials_both_ways_in_are_named(string header)
    {
        Authentication.Verdict verdict = Judge(header);
        Assert.Equal("unauthorized: no auth provided", verdict.Refusal);
        Assert.Equal(2, verdict.Challenges.Length);
    }

    [Fact]
    public void A_token_proves_the_user_who_signed_it()
    {
        string token = Users.TokenFor("user");
        Assert.Equal("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJ1c2VyIn0.QezMUPmvhZET9xHCT52dxFfGlmLRebSpplZ1p4W9KTI", token);
        Assert.Equal("user", Judge($"bearer {token}").User);
        Assert.Equal("unauthorized: invalid token", Judge($"Bearer {token}=").Refusal);
        Assert.Equal("unauthorized: invalid token", Judge($"Bearer  {token}").Refusal);
        Assert.Equal("unauthorized: invalid token", Judge("Bearer garbage").Refusal);
    }

    [Theory]
    [InlineData("""{"iss":"user","exp":4070908800}""", true)]
    [InlineData("""{"iss":"user","exp":978307200}""", false)]
    [InlineData("""{"iss":"user","exp":"x"}""", false)]
    [InlineData("""{"iss":"user","nbf":4070908800}""", false)]
    [InlineData("""{"iss":"user","iat":4070908800}""", false)]
    [InlineData("""{"iss":"nobody"}""", false)]
    [InlineData("{}", false)]
    [InlineData("[]", false)]
    [InlineData("nonsense", false)]
    public void Claims_are_checked(string claims, bool right) => Assert.Equal(right, Judge("Bearer " + Sign(claims, "pass")).Refusal is null);

    [Fact]
    public void Nobody_signs_for_a_user_without_a_password() =>
        Assert.Equal("unauthorized: invalid token", Judge("Bearer " + Sign("""{"iss":"empty"}""", "")).Refusal);

    [Fact]
    public void Other_algorithms_are_refused()
    {
        string none = $"{Encode("""{"alg":"none"}"""u8)}.{Encode("""{"iss":"user"}"""u8)}.";
        Assert.Equal("unauthorized: invalid token", Judge($"Bearer {none}").Refusal);
    }

    private static Authentication.Verdict Judge(string header) => Users.Judge(new HeaderDictionary { ["Authorization"] = header });

    private static string Sign(string claims, string key)
    {
        string unsigned = $"{Encode("""{"alg":"HS256"}"""u8)}.{Encode(Encoding.UTF8.GetBytes(claims))}";
        return $"{unsigned}.{Encode(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.ASCII.GetBytes(unsigned)))}";
    }

    private static string Encode(ReadOnlySpan<byte> bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
}
