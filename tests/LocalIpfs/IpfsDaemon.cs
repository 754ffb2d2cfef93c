using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace LocalIpfs;

/// <summary>How a daemon of the kit is started.</summary>
public sealed record IpfsDaemonOptions
{
    /// <summary>Answers shaped like Kubo's (<c>--kubo</c>); without, plain JS-IPFS.</summary>
    public bool LikeKubo { get; init; } = true;

    /// <summary>The repository's folder; none = a new one that is deleted at the end.</summary>
    public string? Repository { get; init; }

    /// <summary>Port of the RPC API on 127.0.0.1; 0 = a free one.</summary>
    public int ApiPort { get; init; }

    /// <summary>The repository's limit in bytes; none = 10 GB.</summary>
    public long? StorageMax { get; init; }

    /// <summary>A swarm key file for a private IPFS network.</summary>
    public string? SwarmKeyFile { get; init; }

    /// <summary>How long the start may take. A start takes a second on an idle machine; tests run on busy ones.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromMinutes(2);
}

/// <summary>
/// A real IPFS daemon (JS-IPFS) on loopback, with its own repository. It ends with this process, whatever ends this process.
/// A start that does not succeed throws: tests fail and are not skipped.
/// </summary>
public sealed class IpfsDaemon : IAsyncDisposable
{
    private readonly IpfsDaemonOptions _options;
    private readonly bool _ownsRepository;
    private Process? _process;

    private IpfsDaemon(IpfsDaemonOptions options)
    {
        _options = options;
        _ownsRepository = options.Repository == null;
        Repository = options.Repository ?? Directory.CreateTempSubdirectory("local-ipfs-").FullName;
        ApiPort = options.ApiPort;
    }

    /// <summary>The repository's folder.</summary>
    public string Repository { get; }

    /// <summary>Port of the RPC API on 127.0.0.1; the same after a restart.</summary>
    public int ApiPort { get; private set; }

    /// <summary>The RPC API as a configuration's <c>node_multiaddress</c> has it.</summary>
    public string ApiMultiaddress => string.Create(CultureInfo.InvariantCulture, $"/ip4/127.0.0.1/tcp/{ApiPort}");

    /// <summary>The RPC API's base, with <c>/api/v0/</c>.</summary>
    public Uri ApiUri => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ApiPort}/api/v0/"));

    /// <summary>The daemon's peer id.</summary>
    public string Id { get; private set; } = "";

    /// <summary>The daemon's swarm addresses, with <c>/p2p/</c>.</summary>
    public IReadOnlyList<string> SwarmAddresses { get; private set; } = [];

    /// <summary>Whether the daemon's process runs.</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>Installs the kit if need be, starts a daemon and waits until its API answers.</summary>
    public static async Task<IpfsDaemon> StartAsync(IpfsDaemonOptions? options = null, CancellationToken cancellationToken = default)
    {
        await KitInstallation.EnsureAsync(cancellationToken);
        var daemon = new IpfsDaemon(options ?? new IpfsDaemonOptions());
        try
        {
            await daemon.StartProcessAsync(cancellationToken);
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a stopped or killed daemon again: same repository, same port, same id.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await KillAsync();
        await StartProcessAsync(cancellationToken);
    }

    /// <summary>Stops the daemon in order (SIGTERM by closing its input); the repository stays.</summary>
    public async Task StopAsync()
    {
        if (_process is not { } process)
            return;
        if (!process.HasExited)
        {
            process.StandardInput.Close();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                await KillAsync();
            }
        }
        _process?.Dispose();
        _process = null;
    }

    /// <summary>Kills the daemon (SIGKILL); the repository stays.</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process)
            return;
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        process.Dispose();
        _process = null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_ownsRepository)
            Directory.Delete(Repository, recursive: true);
    }

    private async Task StartProcessAsync(CancellationToken cancellationToken)
    {
        List<string> arguments =
        [
            "jsipfsd.mjs", "--repo", Repository, "--api", ApiPort.ToString(CultureInfo.InvariantCulture), "--swarm", "0", "--stop-with-stdin",
        ];
        if (_options.LikeKubo)
            arguments.Add("--kubo");
        if (_options.StorageMax is { } limit)
            arguments.AddRange(["--storage-max", limit.ToString(CultureInfo.InvariantCulture)]);
        if (_options.SwarmKeyFile is { } key)
            arguments.AddRange(["--swarm-key", key]);
        var start = new ProcessStartInfo("node", arguments)
        {
            WorkingDirectory = KitInstallation.Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException("node did not start");
        _process = process;
        var errors = new StringBuilder();
        process.ErrorDataReceived += (_, line) =>
        {
            lock (errors)
                errors.AppendLine(line.Data);
        };
        process.BeginErrorReadLine();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_options.StartLimit);
        string? line;
        try
        {
            line = await process.StandardOutput.ReadLineAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new InvalidOperationException($"the IPFS daemon was not ready after {_options.StartLimit}: {errors}");
        }
        if (line == null)
        {
            await process.WaitForExitAsync(patience.Token);
            throw new InvalidOperationException($"the IPFS daemon ended with {process.ExitCode} while starting: {errors}");
        }
        using var ready = JsonDocument.Parse(line);
        Id = ready.RootElement.GetProperty("id").GetString()!;
        ApiPort = int.Parse(ready.RootElement.GetProperty("api").GetString()!.Split('/')[4], CultureInfo.InvariantCulture);
        SwarmAddresses = [.. ready.RootElement.GetProperty("swarm").EnumerateArray().Select(address => address.GetString()!)];
    }
}
