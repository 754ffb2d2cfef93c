using System.Diagnostics;
using System.Security.Cryptography;

namespace LocalIpfs;

/// <summary>Installs the packages of the daemon kit (<c>tests/local-ipfs</c>) once, whoever asks first.</summary>
public static class KitInstallation
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(250);
    private static readonly SemaphoreSlim InProcess = new(1, 1);

    /// <summary>The folder that holds <c>Cluster.Micro.sln</c>.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>The kit's folder.</summary>
    public static string Folder { get; } = Path.Combine(RepositoryRoot, "tests", "local-ipfs");

    /// <summary>
    /// Makes sure that the packages of the lock file are installed. Several test processes may ask at once: one installs, the
    /// others wait for it. Fails when npm fails.
    /// </summary>
    public static async Task EnsureAsync(CancellationToken cancellationToken = default)
    {
        await InProcess.WaitAsync(cancellationToken);
        try
        {
            if (await IsInstalledAsync(cancellationToken))
                return;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Limit);
            await using var held = await LockAsync(limit.Token);
            if (await IsInstalledAsync(limit.Token))
                return;
            await RunNpmAsync(limit.Token);
            // There at once and whole: others look for it without the lock.
            await File.WriteAllTextAsync(Marker + ".new", await LockFileHashAsync(limit.Token), limit.Token);
            File.Move(Marker + ".new", Marker);
        }
        finally
        {
            InProcess.Release();
        }
    }

    private static string Marker => Path.Combine(Folder, "node_modules", ".installed-for");

    private static async Task<bool> IsInstalledAsync(CancellationToken cancellationToken) =>
        File.Exists(Marker)
        && await File.ReadAllTextAsync(Marker, cancellationToken) == await LockFileHashAsync(cancellationToken);

    private static async Task<string> LockFileHashAsync(CancellationToken cancellationToken) =>
        Convert.ToHexString(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(Folder, "package-lock.json"), cancellationToken)));

    private static async Task<FileStream> LockAsync(CancellationToken cancellationToken)
    {
        var path = Path.Combine(Folder, ".install.lock");
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                // Another process installs; the operating system offers no signal for the end of a file lock.
                await Task.Delay(LockPoll, cancellationToken);
            }
        }
    }

    private static async Task RunNpmAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        using var npm = Process.Start(start) ?? throw new InvalidOperationException("npm did not start");
        npm.StandardInput.Close();
        var output = npm.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = npm.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await npm.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            npm.Kill(entireProcessTree: true);
            throw;
        }
        if (npm.ExitCode != 0)
            throw new InvalidOperationException($"npm ci in {Folder} ended with {npm.ExitCode}: {await output}{await errors}");
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cluster.Micro.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"no folder above {AppContext.BaseDirectory} holds Cluster.Micro.sln");
    }
}
