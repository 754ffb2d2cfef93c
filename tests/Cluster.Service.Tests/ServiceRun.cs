using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Cluster.Service.Tests;

/// <summary>A run of <c>ipfs-cluster-service</c> over stand-ins for the five services, in a folder of its own.</summary>
internal sealed partial class ServiceRun : IAsyncDisposable
{
    public const int SigInt = 2;
    public const int SigHup = 1;
    public const int SigKill = 9;
    public const int SigTerm = 15;

    private static readonly TimeSpan patience = TimeSpan.FromMinutes(2);
    private static readonly Lock linking = new();

    private readonly Process process;
    private readonly StringBuilder text = new();
    private readonly List<(string Piece, TaskCompletionSource Seen)> awaited = [];

    private ServiceRun(Process process) => this.process = process;

    public int Id => process.Id;

    public string Text
    {
        get
        {
            lock (text)
                return text.ToString();
        }
    }

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "ipfs-cluster-service");

    public static string NewFolder() => Directory.CreateTempSubdirectory("service-").FullName;

    /// <summary>Starts the program; <paramref name="environment"/> goes over nothing but PATH and HOME.</summary>
    public static ServiceRun Start(
        string folder, string[] arguments, Dictionary<string, string>? environment = null, bool ignoringInterrupts = false, string? program = null)
    {
        LinkStubs();
        program ??= Program;
        var start = ignoringInterrupts
            ? new ProcessStartInfo("sh", ["-c", "trap '' INT; exec \"$0\" \"$@\"", program, "--config", folder, .. arguments])
            : new ProcessStartInfo(program, ["--config", folder, .. arguments]);
        start.WorkingDirectory = folder;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.RedirectStandardInput = true;
        var path = Environment.GetEnvironmentVariable("PATH");
        start.Environment.Clear();
        start.Environment["PATH"] = path;
        start.Environment["HOME"] = folder;
        start.Environment["TZ"] = "UTC";
        foreach (var (name, value) in environment ?? [])
            start.Environment[name] = value;
        var run = new ServiceRun(new Process { StartInfo = start });
        run.process.OutputDataReceived += (_, line) => run.Take(line.Data);
        run.process.ErrorDataReceived += (_, line) => run.Take(line.Data);
        run.process.Start();
        run.process.BeginOutputReadLine();
        run.process.BeginErrorReadLine();
        run.process.StandardInput.Close();
        return run;
    }

    /// <summary>The program and its services in a folder of their own, where a test may take one away.</summary>
    public static string CopyProgram()
    {
        LinkStubs();
        var folder = Directory.CreateTempSubdirectory("service-program-").FullName;
        // By a process that starts none: what is still open for writing, if only by a child of ours that has not come to its program yet,
        // cannot be run.
        using var copy = Process.Start("cp", ["-RL", AppContext.BaseDirectory + ".", folder]);
        copy.WaitForExit();
        Assert.Equal(0, copy.ExitCode);
        return Path.Combine(folder, Path.GetFileName(Program));
    }

    /// <summary>An initialised folder whose ports are the system's choice.</summary>
    public static async Task<string> InitialisedAsync()
    {
        var folder = NewFolder();
        await using var init = Start(folder, ["init", "--randomports"]);
        Assert.Equal(0, await init.ExitAsync());
        return folder;
    }

    public async Task<int> ExitAsync()
    {
        using var limit = new CancellationTokenSource(patience);
        await process.WaitForExitAsync(limit.Token);
        return process.ExitCode;
    }

    /// <summary>Waits until a piece of text was printed.</summary>
    public Task PrintedAsync(string piece)
    {
        lock (text)
        {
            if (text.ToString().Contains(piece, StringComparison.Ordinal))
                return Task.CompletedTask;
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            awaited.Add((piece, seen));
            return seen.Task.WaitAsync(patience);
        }
    }

    public Task ReadyAsync() => PrintedAsync("** IPFS Cluster is READY **");

    public void Signal(int signal) => Assert.Equal(0, Kill(process.Id, signal));

    public static void Signal(int pid, int signal) => Assert.Equal(0, Kill(pid, signal));

    /// <summary>Waits until all services run. A child is there for a moment before it becomes one.</summary>
    public async Task ServicesAsync()
    {
        for (var started = Stopwatch.GetTimestamp(); !Hosting.ServiceName.All.All(service => Services().ContainsKey(service.Executable)); await Task.Delay(20))
            Assert.True(Stopwatch.GetElapsedTime(started) < patience, $"{string.Join(", ", Services().Keys)} run");
    }

    /// <summary>The services that run as children: command line to process id.</summary>
    public Dictionary<string, int> Services()
    {
        var services = new Dictionary<string, int>();
        foreach (var entry in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(entry), CultureInfo.InvariantCulture, out var pid))
                continue;
            try
            {
                var stat = File.ReadAllText(entry + "/stat");
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                if (fields[0] != "Z" && int.Parse(fields[1], CultureInfo.InvariantCulture) == process.Id)
                    services[File.ReadAllText(entry + "/cmdline").TrimEnd('\0').Replace('\0', ' ')] = pid;
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }

        return services;
    }

    /// <summary>Waits until none of the processes is there.</summary>
    public static async Task GoneAsync(IEnumerable<int> pids)
    {
        var started = Stopwatch.GetTimestamp();
        foreach (var pid in pids)
        {
            // They are not this process' children: nothing but looking tells their end.
            while (IsThere(pid))
            {
                Assert.True(Stopwatch.GetElapsedTime(started) < patience, $"process {pid} is still there");
                await Task.Delay(20);
            }
        }
    }

    private static bool IsThere(int pid)
    {
        try
        {
            return !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // It may end between the opening of the file and its reading, too.
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            var services = Services().Values.ToArray();
            process.Kill();
            await process.WaitForExitAsync();
            foreach (var pid in services)
                _ = Kill(pid, SigKill);
        }

        process.Dispose();
    }

    /// <summary>The supervisor starts the executables beside it.</summary>
    private static void LinkStubs()
    {
        lock (linking)
        {
            foreach (var service in Hosting.ServiceName.All)
            {
                var link = Path.Combine(AppContext.BaseDirectory, service.Executable);
                if (!File.Exists(link))
                    File.CreateSymbolicLink(link, Path.Combine(AppContext.BaseDirectory, "service-stub"));
            }
        }
    }

    private void Take(string? line)
    {
        if (line is null)
            return;
        lock (text)
        {
            text.AppendLine(line);
            foreach (var (piece, seen) in awaited)
            {
                if (line.Contains(piece, StringComparison.Ordinal))
                    seen.TrySetResult();
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
