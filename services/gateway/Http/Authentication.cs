using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Http;

/// <summary>Who may come in: basic credentials and bearer tokens of <c>spec/rest-api.md</c> section 3.</summary>
public sealed class Authentication
{
    private const string Realm = "Restricted IPFS Cluster API";
    private const string BearerChallenge = $"Bearer realm=\"{Realm}\"";
    private const string BasicChallenge = $"Basic realm=\"{Realm}\"";
    private const string InvalidTokenChallenge = $"{BearerChallenge}, error=\"invalid_token\"";

    private readonly IReadOnlyDictionary<string, string> passwords;
    private readonly TimeProvider time;

    /// <summary>Prepares the check.</summary>
    /// <param name="passwords">Passwords by user.</param>
    /// <param name="time">For the times in tokens.</param>
    public Authentication(IReadOnlyDictionary<string, string> passwords, TimeProvider time)
    {
        this.passwords = passwords;
        this.time = time;
    }

    /// <summary>What a request's credentials are worth.</summary>
    /// <param name="User">The user they prove; null when they prove none.</param>
    /// <param name="Refusal">Why not, for the answer.</param>
    /// <param name="Challenges">The <c>Www-Authenticate</c> values of a refusal.</param>
    public readonly record struct Verdict(string? User, string? Refusal, string[] Challenges);

    /// <summary>Requests that need no credentials, whatever they carry.</summary>
    public static bool IsOpen(string method, string path) => method == "OPTIONS" || (method == "GET" && path == "/health");

    /// <summary>Judges the first <c>Authorization</c> header.</summary>
    public Verdict Judge(IHeaderDictionary request)
    {
        ArgumentNullException.ThrowIfNull(request);
        string header = request.Authorization.Count > 0 ? request.Authorization[0] ?? "" : "";
        if (TryReadBasic(header, out string user, out string password))
            return IsRight(user, password) ? new(user, null, []) : new(null, "unauthorized: access denied", [BasicChallenge]);
        int space = header.IndexOf(' ', StringComparison.Ordinal);
        if (space > 0 && header.AsSpan(0, space).Equals("Bearer", StringComparison.OrdinalIgnoreCase) && space + 1 < header.Length)
        {
            return JsonWebToken.TryVerify(header[(space + 1)..], PasswordOf, time.GetUtcNow(), out string issuer)
                ? new(issuer, null, [])
                : new(null, "unauthorized: invalid token", [InvalidTokenChallenge]);
        }

        return new(null, "unauthorized: no auth provided", [BearerChallenge, BasicChallenge]);
    }

    /// <summary>A token for a user whose credentials have been judged.</summary>
    public string TokenFor(string user) => JsonWebToken.Create(user, passwords[user]);

    private string? PasswordOf(string user) => passwords.TryGetValue(user, out string? password) ? password : null;

    private bool IsRight(string user, string password)
    {
        // The comparison takes the same time for a wrong user and a wrong password.
        string right = PasswordOf(user) ?? "";
        bool same = CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(right)), SHA256.HashData(Encoding.UTF8.GetBytes(password)));
        return same && user.Length > 0 && password.Length > 0;
    }

    private static bool TryReadBasic(string header, out string user, out string password)
    {
        user = password = "";
        if (!header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase)) return false;
        byte[] bytes = new byte[header.Length];
        if (!Convert.TryFromBase64String(header[6..], bytes, out int length)) return false;
        string pair = Encoding.UTF8.GetString(bytes, 0, length);
        int colon = pair.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return false;
        user = pair[..colon];
        password = pair[(colon + 1)..];
        return true;
    }
}
