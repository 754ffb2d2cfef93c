using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Cluster.Gateway.Http;

/// <summary>JSON web tokens signed with a user's password, HMAC family only (<c>spec/rest-api.md</c> section 3).</summary>
public static class JsonWebToken
{
    /// <summary>Longest token looked at, in characters.</summary>
    public const int MostCharacters = 8192;

    /// <summary>A token that never expires and names its issuer only. The same input gives the same token.</summary>
    public static string Create(string issuer, string password)
    {
        string payload = $$"""{"iss":{{JsonSerializer.Serialize(issuer, GatewayJson.Default.String)}}}""";
        string unsigned = $"{Encode("""{"alg":"HS256","typ":"JWT"}"""u8)}.{Encode(Encoding.UTF8.GetBytes(payload))}";
        return $"{unsigned}.{Encode(HMACSHA256.HashData(Encoding.UTF8.GetBytes(password), Encoding.ASCII.GetBytes(unsigned)))}";
    }

    /// <summary>Checks a token.</summary>
    /// <param name="token">Three base64url parts without padding.</param>
    /// <param name="passwordOf">The password of a user, or null. A user with an empty one cannot use tokens: anyone could sign them.</param>
    /// <param name="now">For <c>exp</c>, <c>nbf</c> and <c>iat</c>, which count when they are there.</param>
    /// <param name="issuer">Who signed it.</param>
    public static bool TryVerify(string token, Func<string, string?> passwordOf, DateTimeOffset now, out string issuer)
    {
        ArgumentNullException.ThrowIfNull(token);
        ArgumentNullException.ThrowIfNull(passwordOf);
        issuer = "";
        if (token.Length > MostCharacters) return false;
        string[] parts = token.Split('.');
        if (parts.Length != 3 ||
            !TryDecode(parts[0], out byte[] header) || !TryDecode(parts[1], out byte[] payload) || !TryDecode(parts[2], out byte[] signature))
            return false;
        try
        {
            using JsonDocument head = JsonDocument.Parse(header), claims = JsonDocument.Parse(payload);
            if (head.RootElement.ValueKind != JsonValueKind.Object || claims.RootElement.ValueKind != JsonValueKind.Object) return false;
            if (Text(head.RootElement, "alg") is not { } algorithm || Text(claims.RootElement, "iss") is not { } named) return false;
            if (passwordOf(named) is not { Length: > 0 } password) return false;
            byte[] key = Encoding.UTF8.GetBytes(password), signed = Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}");
            byte[]? right = algorithm switch
            {
                "HS256" => HMACSHA256.HashData(key, signed),
                "HS384" => HMACSHA384.HashData(key, signed),
                "HS512" => HMACSHA512.HashData(key, signed),
                _ => null,
            };
            if (right is null || !CryptographicOperations.FixedTimeEquals(right, signature)) return false;
            double seconds = now.ToUnixTimeMilliseconds() / 1000.0;
            if (!Holds(claims.RootElement, "exp", expires => seconds < expires) ||
                !Holds(claims.RootElement, "nbf", from => seconds >= from) ||
                !Holds(claims.RootElement, "iat", issued => seconds >= issued)) return false;
            issuer = named;
            return true;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The latter for text that is not UTF-8.
            return false;
        }
    }

    private static string? Text(JsonElement of, string name) =>
        of.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Holds(JsonElement claims, string name, Func<double, bool> test) =>
        !claims.TryGetProperty(name, out JsonElement value) ||
        (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && test(number));

    private static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    private static bool TryDecode(string text, out byte[] bytes)
    {
        bytes = [];
        if (text.AsSpan().ContainsAny('=', ' ', '\t') || !Base64Url.IsValid(text)) return false;
        bytes = Base64Url.DecodeFromChars(text);
        return true;
    }
}
