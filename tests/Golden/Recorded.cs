using LocalIpfs;

namespace Golden.Tests;

/// <summary>Where the recorded answers and the programs under test are.</summary>
internal static class Recorded
{
    /// <summary>The recorded answers: <c>tests/golden</c>, or the folder that <c>GOLDEN</c> names.</summary>
    public static string Folder { get; } =
        Environment.GetEnvironmentVariable("GOLDEN") is { Length: > 0 } named ? Path.GetFullPath(named) : Path.Combine(KitInstallation.RepositoryRoot, "tests", "golden");

    /// <summary>Where <c>./build</c> puts the executables; <c>CLUSTER_OUT</c> names another folder.</summary>
    public static string Programs { get; } =
        Environment.GetEnvironmentVariable("CLUSTER_OUT") is { Length: > 0 } named ? Path.GetFullPath(named) : Path.Combine(KitInstallation.RepositoryRoot, "out");

    /// <summary>A tool that came with the recordings. A held-out folder may bring its own; else ours serves.</summary>
    public static string Tool(string name)
    {
        string brought = Path.Combine(Folder, "http", name);
        return File.Exists(brought) ? brought : Path.Combine(KitInstallation.RepositoryRoot, "tests", "golden", "http", name);
    }
}
