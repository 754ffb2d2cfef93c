using System.Text.Json;

namespace Libp2p;

/// <summary>A peer's identity as an <c>identity.json</c> document keeps it: <c>{"id": base58, "private_key": base64 protobuf}</c>.</summary>
/// <param name="Key">The private key; the peer id follows from it.</param>
public sealed record Identity(PrivateKey Key)
{
    /// <summary>The peer id.</summary>
    public PeerId Id => Key.PeerId;

    /// <summary>A new Ed25519 identity.</summary>
    public static Identity Generate() => new(PrivateKey.GenerateEd25519());

    /// <summary>Reads the document. Key names match without regard to case; unknown keys are ignored.</summary>
    /// <exception cref="IdentityFormatException">The document cannot be used; the message says which part.</exception>
    public static Identity FromJson(string json)
    {
        string id = "", secret = "";
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new IdentityFormatException("The identity is no JSON object.");
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Name.Equals("id", StringComparison.OrdinalIgnoreCase)) id = Text(property);
                else if (property.Name.Equals("private_key", StringComparison.OrdinalIgnoreCase)) secret = Text(property);
            }
        }
        catch (JsonException e)
        {
            throw new IdentityFormatException("The identity is not valid JSON: " + e.Message);
        }
        if (!PeerId.TryParse(id, out PeerId expected, out string error)) throw new IdentityFormatException("The identity's id is invalid: " + error);
        PrivateKey key;
        try
        {
            key = PrivateKey.FromBase64(secret);
        }
        catch (KeyFormatException e)
        {
            throw new IdentityFormatException("The identity's private_key is invalid: " + e.Message);
        }
        if (key.PeerId != expected)
            throw new IdentityFormatException($"The identity's private_key belongs to {key.PeerId}, not to its id {expected}.");
        return new Identity(key);
    }

    private static string Text(JsonProperty property) => property.Value.ValueKind switch
    {
        JsonValueKind.String => property.Value.GetString()!,
        JsonValueKind.Null => "",
        _ => throw new IdentityFormatException($"The identity's {property.Name} is no text."),
    };

    /// <summary>The document, indented by four spaces, without a final line feed. It holds the secret.</summary>
    public string ToJson() => $$"""
        {
            "id": "{{Id}}",
            "private_key": "{{Key.ToBase64()}}"
        }
        """;

    /// <summary>The peer id; never the secret.</summary>
    public override string ToString() => Id.ToString();
}
