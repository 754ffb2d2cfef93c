using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Cluster.Hosting;
using Cluster.Hosting.Clients;
using Cluster.Model.Configuration;

namespace Cluster.Tests;

/// <summary>A service as the process that it is, in a configuration folder of its own.</summary>
internal sealed partial class ServiceProcess : IAsyncDisposable
{
    private const int SigTerm = 15;

    private readonly Process _process;
    private readonly StringBuilder _log = new();

    private ServiceProcess(string folder, Process process)
    {
        Folder = folder;
        _process = process;
        Channels = new ServiceChannels(new ServiceEndpoints(folder, _ => null), null);
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Folder { get; }

    public ServiceChannels Channels { get; }

    public string Log
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    /// <summary>A folder with a default configuration and an identity.</summary>
    public static string NewFolder()
    {
        var folder = Directory.CreateTempSubdirectory("service-process-").FullName;
        var configuration = ConfigurationTemplate.Defaults("crdt", "pebble", new byte[32], new ConfigurationSurroundings { Folder = folder });
        File.WriteAllText(Path.Combine(folder, "service.json"), configuration.ToJson());
        File.WriteAllText(Path.Combine(folder, "identity.json"), Libp2p.Identity.Generate().ToJson());
        return folder;
    }

    public static ServiceProcess Start(ServiceName service, string folder, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, service.Executable + ".dll"), "--loglevel", "debug"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["IPFS_CLUSTER_PATH"] = folder;
        // Its standard input ends with the test, whatever ends the test.
        start.Environment["CLUSTER_SUPERVISED"] = "1";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new ServiceProcess(folder, Process.Start(start)!);
    }

    /// <summary>Asks it to stop, and tells its exit code.</summary>
    public async Task<int> StopAsync(TimeSpan limit)
    {
        _ = Kill(_process.Id, SigTerm);
        return await WaitAsync(limit);
    }

    /// <summary>Waits for its end, and tells its exit code.</summary>
    public async Task<int> WaitAsync(TimeSpan limit)
    {
        await _process.WaitForExitAsync().WaitAsync(limit);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Channels.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    private void Note(string? line)
    {
        lock (_log)
            _log.AppendLine(line);
    }
}
