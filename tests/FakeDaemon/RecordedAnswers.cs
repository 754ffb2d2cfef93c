namespace FakeDaemon;

/// <summary>Where the recorded answers of v1.1.6 are: the folder that GOLDEN names, else <c>tests/golden</c> of this repository.</summary>
public static class RecordedAnswers
{
    private static readonly string? Named = Environment.GetEnvironmentVariable("GOLDEN") is { Length: > 0 } named ? Path.GetFullPath(named) : null;

    /// <summary>The folder, absolute.</summary>
    public static string Folder { get; } = Named ?? Path.Combine(RepositoryRoot(), "tests", "golden");

    /// <summary>The files of a folder of the recorded answers, sorted; none when the folder that GOLDEN names lacks this one.</summary>
    public static IReadOnlyList<string> Files(string folder, string pattern = "*.json")
    {
        var path = Path.Combine(Folder, folder);
        return Named is null || Directory.Exists(path) ? [.. Directory.EnumerateFiles(path, pattern).Order(StringComparer.Ordinal)] : [];
    }

    private static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cluster.Micro.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"no folder above {AppContext.BaseDirectory} holds Cluster.Micro.sln");
    }
}
