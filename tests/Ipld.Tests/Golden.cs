using System.Text.Json.Nodes;

namespace Ipld.Tests;

/// <summary>Finds the recorded answers: the folder named by GOLDEN, else tests/golden of the repository.</summary>
internal static class Golden
{
    public static string Folder { get; } = Environment.GetEnvironmentVariable("GOLDEN") is { Length: > 0 } named ? named : InRepository();

    public static bool Has(string path) => File.Exists(Path.Combine(Folder, path));

    public static JsonObject Read(string path) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, path)))!.AsObject();

    /// <summary>The objects of an array of a file; none where a held-out folder lacks the file.</summary>
    public static IReadOnlyList<JsonObject> Cases(string path, string array) =>
        Has(path) && Read(path)[array] is JsonArray cases ? [.. cases.Select(node => node!.AsObject())] : [];

    private static string InRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cluster.Micro.sln")))
            {
                return Path.Combine(folder.FullName, "tests", "golden");
            }
        }

        throw new DirectoryNotFoundException("no Cluster.Micro.sln above the test assembly, and GOLDEN is not set");
    }
}
