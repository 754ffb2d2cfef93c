using System.Text.Json;
using Libp2p;

namespace Cluster.Model.Configuration;

/// <summary>Reading of <c>identity.json</c> in the original's words, and what may replace it (spec/config.md 4).</summary>
public static class ClusterIdentity
{
    /// <summary>Reads the file's text and puts <c>CLUSTER_ID</c> and <c>CLUSTER_PRIVATEKEY</c> over it.</summary>
    /// <exception cref="ConfigurationException">The text that follows <c>error loading configurations: </c>.</exception>
    public static Identity Load(string json, string path, IReadOnlyDictionary<string, string> environment)
    {
        string id, key;
        try
        {
            using var document = ParseIdentity(json);
            (id, key) = Members(document.RootElement);
            _ = Check(id, key);
        }
        catch (ConfigurationException e)
        {
            throw new ConfigurationException($"error loading identity from {path}: {e.Message}", e);
        }

        return ApplyEnvironment(id, key, environment);
    }

    /// <summary>
    /// For a folder without <c>identity.json</c>: takes the identity out of an old <c>service.json</c>, whose section <c>cluster</c> had it.
    /// The caller writes it to <c>identity.json</c> and prints the notice.
    /// </summary>
    /// <exception cref="ConfigurationException">There is none, or it is bad.</exception>
    public static Identity Extract(string serviceJson)
    {
        using var document = ConfigurationLoader.Parse(serviceJson);
        var (id, key) = ConfigurationLoader.Member(document.RootElement, "cluster") is { ValueKind: JsonValueKind.Object } cluster
            ? Members(cluster)
            : (string.Empty, string.Empty);
        try
        {
            return Check(id, key);
        }
        catch (ConfigurationException e)
        {
            throw new ConfigurationException("error loading identity: " + e.Message, e);
        }
    }

    /// <summary>An identity with the environment variables put over it.</summary>
    public static Identity ApplyEnvironment(Identity identity, IReadOnlyDictionary<string, string> environment)
    {
        ArgumentNullException.ThrowIfNull(identity);
        return ApplyEnvironment(identity.Id.ToString(), identity.Key.ToBase64(), environment);
    }

    private static Identity ApplyEnvironment(string id, string key, IReadOnlyDictionary<string, string> environment)
    {
        try
        {
            return Check(environment.GetValueOrDefault("CLUSTER_ID", id), environment.GetValueOrDefault("CLUSTER_PRIVATEKEY", key));
        }
        catch (ConfigurationException e)
        {
            throw new ConfigurationException("error applying environment variables to the identity: " + e.Message, e);
        }
    }

    private static Identity Check(string idText, string keyText)
    {
        if (!GoAddresses.TryParsePeerId(idText, out var id, out var error))
            throw new ConfigurationException("error decoding cluster ID: " + error);
        if (!GoBase64.TryDecode(keyText, out var bytes, out error))
            throw new ConfigurationException("error decoding private_key: " + error);
        PrivateKey key;
        try
        {
            key = PrivateKey.FromProtobuf(bytes);
        }
        catch (FormatException e)
        {
            throw new ConfigurationException("error parsing private_key ID: " + e.Message, e);
        }

        return key.PeerId == id ? new Identity(key) : throw new ConfigurationException("identity ID does not match the private_key");
    }

    private static JsonDocument ParseIdentity(string json)
    {
        try
        {
            return GoJsonSyntax.Parse(System.Text.Encoding.UTF8.GetBytes(json));
        }
        catch (FormatException e)
        {
            throw new ConfigurationException(e.Message, e);
        }
    }

    private static (string Id, string Key) Members(JsonElement json)
    {
        if (json.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null))
            throw new ConfigurationException($"json: cannot unmarshal {GoJsonFields.KindOf(json)} into Go value of type config.identityJSON");
        var fields = new GoJsonFields("identityJSON");
        var id = ConfigurationLoader.Member(json, "id") is { } idJson ? fields.Text(idJson, "id") : string.Empty;
        var key = ConfigurationLoader.Member(json, "private_key") is { } keyJson ? fields.Text(keyJson, "private_key") : string.Empty;
        return fields.Complaint is { } wrong ? throw new ConfigurationException(wrong) : (id, key);
    }
}
