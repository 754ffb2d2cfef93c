using System.Diagnostics;
using System.Text;

namespace Cluster.EndToEnd.Tests;

/// <summary>The published executables, and starting them.</summary>
internal static class Programs
{
    public static string Repository { get; } = FindRepository();

    /// <summary>Where <c>./build</c> puts the executables; <c>CLUSTER_OUT</c> names another folder.</summary>
    public static string Out { get; } = Environment.GetEnvironmentVariable("CLUSTER_OUT") ?? Path.Combine(Repository, "out");

    public static string Service => Existing("ipfs-cluster-service");

    public static string Ctl => Existing("ipfs-cluster-ctl");

    public static Process Start(string program, IEnumerable<string> arguments, Action<string> output, Action<string> error, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? Repository,
        };
        start.Environment["TZ"] = "UTC";
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => { if (line.Data is not null) output(line.Data); };
        process.ErrorDataReceived += (_, line) => { if (line.Data is not null) error(line.Data); };
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Runs a program to its end, at most ten minutes: one may have to download.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string program, IEnumerable<string> arguments, string? folder = null)
    {
        var text = new StringBuilder();
        void Take(string line)
        {
            lock (text) text.AppendLine(line);
        }
        using var process = Start(program, arguments, Take, Take, folder);
        process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        await process.WaitForExitAsync(deadline.Token);
        lock (text) return (process.ExitCode, text.ToString());
    }

    private static string Existing(string name)
    {
        var path = Path.Combine(Out, name);
        Assert.True(File.Exists(path), $"{path} is missing: run ./build first.");
        return path;
    }

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Cluster.Micro.sln"))) return folder.FullName;
        throw new InvalidOperationException("The tests run outside of the repository.");
    }
}
