using System.Text;
using System.Text.Json.Nodes;

namespace Cluster.Model.Tests;

/// <summary>The recorded answers of the original: the folder named by GOLDEN, else tests/golden of the repository.</summary>
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

    public static string Text(string path) => File.ReadAllText(Path.Combine(Folder, path));

    public static JsonNode Read(string path) => JsonNode.Parse(Text(path))!;

    /// <summary>The objects of an array of a file; none where a held-out folder lacks the file.</summary>
    public static IReadOnlyList<JsonObject> Cases(string path, string array) =>
        Has(path) && Read(path)[array] is JsonArray cases ? [.. cases.Select(node => node!.AsObject())] : [];

    public static string? Of(JsonObject golden, string key) => golden[key]?.GetValue<string>();

    /// <summary>Runs every case; the failures are reported together. A check returns what is wrong, or null.</summary>
    public static void All<T>(IEnumerable<T> cases, Func<T, string> name, Func<T, string?> check)
    {
        var failures = new StringBuilder();
        var count = 0;
        foreach (var item in cases)
        {
            string? wrong;
            try
            {
                wrong = check(item);
            }
            catch (Exception e)
            {
                wrong = e.ToString();
            }

            if (wrong is null)
                continue;
            if (count++ < 10)
                failures.Append(name(item)).Append(": ").AppendLine(wrong);
        }

        Assert.True(count == 0, $"{count} cases fail\n{failures}");
    }

    /// <summary>Null when equal, else both texts.</summary>
    public static string? Compare(string? expected, string? actual, string what = "") =>
        expected == actual ? null : $"{what}\n  expected {expected}\n  actual   {actual}";

    private static string InRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cluster.Micro.sln")))
                return Path.Combine(folder.FullName, "tests", "golden");
        }

        throw new DirectoryNotFoundException("no Cluster.Micro.sln above the test assembly, and GOLDEN is not set");
    }
}
