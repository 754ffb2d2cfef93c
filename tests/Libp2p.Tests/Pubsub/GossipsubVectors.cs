using System.Text.Json.Nodes;

namespace Libp2p.Tests.Pubsub;

/// <summary>What a real peer said on its pubsub streams (golden libp2p/gossipsub.json).</summary>
internal static class GossipsubVectors
{
    public static JsonNode File { get; } = Read("gossipsub.json");

    public static JsonNode Keys { get; } = Read("keys.json");

    /// <summary>Every frame that was recorded with its bytes.</summary>
    public static IEnumerable<JsonNode> Frames => File["sessions"]!.AsArray()
        .SelectMany(session => session!["steps"]!.AsArray()).SelectMany(step => step!["rpcs"]!.AsArray())
        .Where(rpc => rpc!["rpc_hex"] is not null).Select(rpc => rpc!);

    private static JsonNode Read(string name)
    {
        var golden = Environment.GetEnvironmentVariable("GOLDEN");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); golden is null && folder is not null; folder = folder.Parent)
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "Cluster.Micro.sln"))) golden = Path.Combine(folder.FullName, "tests", "golden");
        return JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(golden!, "libp2p", name)))!;
    }
}
