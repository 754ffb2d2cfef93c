using System.Text.Json.Nodes;

namespace Cluster.PeerRpc.Tests;

/// <summary>The recorded values (golden bytes/msgpack.json).</summary>
internal static class Vectors
{
    public static JsonNode File(string name)
    {
        var golden = Environment.GetEnvironmentVariable("GOLDEN");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); golden is null && folder is not null; folder = folder.Parent)
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "Cluster.Micro.sln"))) golden = Path.Combine(folder.FullName, "tests", "golden");
        return JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(golden!, "bytes", name)))!;
    }
}
