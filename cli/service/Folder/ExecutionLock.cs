using Cluster.Hosting;
using Cluster.Hosting.Configuration;

namespace Cluster.Service.Folder;

/// <summary>
/// The lock of a configuration folder (spec/service-cli.md 1.2): the file <c>cluster.lock</c> with an advisory record lock, as the original
/// takes it, so that the two programs exclude each other too. What a crash left behind does not count.
/// </summary>
internal sealed class ExecutionLock : IDisposable
{
    private readonly string path;
    private readonly FileStream file;

    private ExecutionLock(string path, FileStream file)
    {
        this.path = path;
        this.file = file;
    }

    /// <summary>Takes the lock; makes the folder when there is none.</summary>
    /// <exception cref="ServiceStartException">Somebody holds it, or the folder cannot be written.</exception>
    public static ExecutionLock Take(string folder)
    {
        var path = Path.Combine(folder, "cluster.lock");
        if (!File.Exists(folder))
            PeerFolder.Create(folder);
        FileStream? file = null;
        try
        {
            file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.ReadWrite | FileShare.Delete,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            // A POSIX record lock: kept while the file is open here, gone with the process.
            file.Lock(0, long.MaxValue);
            return new ExecutionLock(path, file);
        }
        catch (IOException error) when (file is not null)
        {
            file.Dispose();
            throw Refused(path, $"lock {path}: someone else has the lock", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            var reason = File.Exists(folder) ? $"open {path}: not a directory" : ConfigurationFile.Reason(path, error);
            throw Refused(path, $"cannot acquire lock: Lock Create of {path} failed: {reason}", error);
        }
    }

    public void Dispose()
    {
        // Removed while still held, so that nobody can take a file that is about to go.
        File.Delete(path);
        file.Dispose();
    }

    private static ServiceStartException Refused(string path, string cause, Exception error) => new(
        "obtaining execution lock",
        $"{cause}. If no other ipfs-cluster-service process is running, remove {path}, or make sure that the config folder is writable for the user "
        + "running ipfs-cluster-service.",
        error);
}
