using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Cluster.EndToEnd.Tests;

/// <summary>Processes as the kernel knows them.</summary>
internal static partial class Processes
{
    public const int SigInt = 2;
    public const int SigKill = 9;

    public static void Signal(int pid, int signal)
    {
        if (Kill(pid, signal) != 0 && Marshal.GetLastPInvokeError() != 3 /* ESRCH: it has ended by itself */)
            throw new InvalidOperationException($"kill {signal} of {pid}: errno {Marshal.GetLastPInvokeError()}");
    }

    /// <summary>Direct children: name (cut to 15 letters by the kernel) and id.</summary>
    public static IEnumerable<(string Name, int Pid)> ChildrenOf(int parent)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)) continue;
            if (Stat(pid) is not { } stat || stat.Parent != parent || stat.State == 'Z') continue;
            yield return (stat.Name, pid);
        }
    }

    public static bool Runs(int pid) => Stat(pid) is { State: not 'Z' };

    /// <summary>Waits until none of the processes runs any more.</summary>
    public static async Task WaitForEndAsync(IEnumerable<int> pids, TimeSpan limit)
    {
        var begin = Stopwatch.GetTimestamp();
        foreach (var pid in pids)
        {
            // Not our children: the kernel offers no signal to wait for short of pidfd, so the state is polled.
            while (Runs(pid))
            {
                Assert.True(Stopwatch.GetElapsedTime(begin) < limit, $"Process {pid} outlives the peer by {limit}.");
                await Task.Delay(10);
            }
        }
    }

    /// <summary>Proportional set size in bytes: memory shared with others counts by its share.</summary>
    public static long ProportionalMemory(int pid)
    {
        foreach (var line in File.ReadLines($"/proc/{pid}/smaps_rollup"))
        {
            if (!line.StartsWith("Pss:", StringComparison.Ordinal)) continue;
            return long.Parse(line[4..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024;
        }
        throw new InvalidOperationException($"No Pss of process {pid}.");
    }

    private static (string Name, char State, int Parent)? Stat(int pid)
    {
        string text;
        try
        {
            text = File.ReadAllText($"/proc/{pid}/stat");
        }
        catch (IOException)
        {
            return null; // ended in between
        }
        var open = text.IndexOf('(', StringComparison.Ordinal);
        var close = text.LastIndexOf(')');
        var rest = text[(close + 2)..].Split(' ');
        return (text[(open + 1)..close], rest[0][0], int.Parse(rest[1], CultureInfo.InvariantCulture));
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
