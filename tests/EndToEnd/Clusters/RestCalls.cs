using System.Net;
using System.Text.Json.Nodes;

namespace Cluster.EndToEnd.Tests.Clusters;

/// <summary>What the tests ask of a peer's REST API.</summary>
internal static class RestCalls
{
    /// <summary>A document; null for an empty answer.</summary>
    public static async Task<JsonNode?> JsonAsync(this RunningPeer peer, string path)
    {
        var text = await peer.Http.GetStringAsync(new Uri(path, UriKind.Relative));
        return text.Length == 0 ? null : JsonNode.Parse(text);
    }

    /// <summary>The documents of a stream.</summary>
    public static async Task<JsonNode[]> LinesAsync(this RunningPeer peer, string path)
    {
        var text = await peer.Http.GetStringAsync(new Uri(path, UriKind.Relative));
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    /// <summary>Pins; the pin as it was accepted.</summary>
    public static async Task<JsonNode> PinAsync(this RunningPeer peer, string cid, string query = "")
    {
        using var answer = await peer.Http.PostAsync(new Uri($"pins/{cid}?{query}", UriKind.Relative), null);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"pin {cid} {query}: {answer.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    public static async Task UnpinAsync(this RunningPeer peer, string cid)
    {
        using var answer = await peer.Http.DeleteAsync(new Uri($"pins/{cid}", UriKind.Relative));
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"unpin {cid}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    /// <summary>The status of a CID at each peer, by peer id.</summary>
    public static async Task<Dictionary<string, string>> StatusAsync(this RunningPeer peer, string cid)
    {
        var status = await peer.JsonAsync($"pins/{cid}");
        return status!["peer_map"]!.AsObject().ToDictionary(entry => entry.Key, entry => entry.Value!["status"]!.GetValue<string>());
    }

    /// <summary>The peers that a CID is allocated to; empty = all of them.</summary>
    public static async Task<string[]> AllocationsAsync(this RunningPeer peer, string cid) =>
        (await peer.JsonAsync($"allocations/{cid}"))!.Allocations();

    public static string[] Allocations(this JsonNode pin) =>
        [.. pin["allocations"]!.AsArray().Select(id => id!.GetValue<string>()).Order(StringComparer.Ordinal)];
}
