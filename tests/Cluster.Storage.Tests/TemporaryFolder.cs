namespace Cluster.Storage.Tests;

/// <summary>A folder of its own for a test, removed afterwards.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder()
    {
        Path = Directory.CreateTempSubdirectory("storage-test-").FullName;
    }

    public string Path { get; }

    public string Database => System.IO.Path.Combine(Path, "db");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
