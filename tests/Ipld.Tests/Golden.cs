using System.Text.Json.Nodes;

namespace Ipld.Tests;

/// <summary>Finds the recorded answers: the folder named by GOLDEN, else tests/golden of the repository.</summary>
internal static class Golden
{
    private static readonly string? Named = Environment.GetEnvironmentVariable("GOLDEN") is { Length: > 0 } named ? named : null;

    public static string Folder { get; } = Named ?? InRepository();

    /// <summary>Whether there is such a file. A folder that GOLDEN names may lack it, this repository may not.</summary>
    public static bool Has(string path)
    {
        var found = File.Exists(Path.Combine(Folder, path));
        return found || Named is not null ? found : throw new FileNotFoundException("These recorded answers are missing from the repository.", path);
    }

    /// <summary>The files of a folder; none where the folder that GOLDEN names lacks it.</summary>
    public static string[] Files(string folder, string pattern)
    {
        var path = Path.Combine(Folder, folder);
        return Named is null || Directory.Exists(path) ? Directory.GetFiles(path, pattern) : [];
    }

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
