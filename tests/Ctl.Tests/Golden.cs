namespace Ctl.Tests;

/// <summary>The recorded answers of the original: the folder named by GOLDEN, else tests/golden of the repository.</summary>
internal static class Golden
{
    public static string Folder { get; } = Environment.GetEnvironmentVariable("GOLDEN") is { Length: > 0 } named ? named : InRepository();

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
