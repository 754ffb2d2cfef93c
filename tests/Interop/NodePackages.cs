using System.Diagnostics;
using System.Security.Cryptography;

namespace Interop;

/// <summary>Installs the packages of a folder of <c>tests/Interop</c> once. Tests fail, and are not skipped, when that is impossible.</summary>
internal sealed class NodePackages
{
    private readonly Lazy<Task> installation;

    private NodePackages(string folder)
    {
        Folder = Path.Combine(FindRoot(), "tests", "Interop", folder);
        installation = new Lazy<Task>(InstallAsync);
    }

    /// <summary>js-libp2p.</summary>
    public static NodePackages Libp2p { get; } = new("js");

    /// <summary>Helia, with bitswap.</summary>
    public static NodePackages Helia { get; } = new("helia");

    public string Folder { get; }

    public Task EnsureAsync() => installation.Value;

    private async Task InstallAsync()
    {
        string wanted = Convert.ToHexString(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(Folder, "package-lock.json"))));
        string marker = Path.Combine(Folder, "node_modules", ".installed-for");
        await using var held = await LockAsync();
        if (File.Exists(marker) && await File.ReadAllTextAsync(marker) == wanted) return;
        var start = new ProcessStartInfo("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var npm = Process.Start(start) ?? throw new InvalidOperationException("npm did not start");
        var output = npm.StandardOutput.ReadToEndAsync();
        var errors = npm.StandardError.ReadToEndAsync();
        await npm.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(10));
        if (npm.ExitCode != 0) throw new InvalidOperationException($"npm ci ended with {npm.ExitCode}: {await output}{await errors}");
        await File.WriteAllTextAsync(marker, wanted);
    }

    private async Task<FileStream> LockAsync()
    {
        string path = Path.Combine(Folder, ".install.lock");
        for (int i = 0; ; i++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (i < 3000)
            {
                // Another test process installs; a file lock has no signal.
                await Task.Delay(200);
            }
        }
    }

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Cluster.Micro.sln"))) return at.FullName;
        }
        throw new InvalidOperationException($"no folder above {AppContext.BaseDirectory} holds Cluster.Micro.sln");
    }
}
