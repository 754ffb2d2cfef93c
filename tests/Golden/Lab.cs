using System.Diagnostics;
using System.Globalization;
using System.Text;
using LocalIpfs;

namespace Golden.Tests;

/// <summary>Runs <c>lab.mjs</c>, which starts fresh peers and daemons for a scenario, replays it and stops them.</summary>
internal static class Lab
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(12);

    private const int MostPeers = 3;

    /// <summary>Replays a scenario; returns the lines that the lab printed and its exit code.</summary>
    public static async Task<(int ExitCode, IReadOnlyList<string> Lines)> ReplayAsync(string scenario)
    {
        await KitInstallation.EnsureAsync();
        string run = Directory.CreateTempSubdirectory("lab-").FullName;
        using var ports = PortBlock.Take(MostPeers);
        // The first peer and its daemon listen in the hundred after the port that is named, the second in the next (lab.mjs, --ports).
        string before = (ports.First - PortBlock.Size).ToString(CultureInfo.InvariantCulture);
        try
        {
            var start = new ProcessStartInfo("node")
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                RedirectStandardInput = true,
                WorkingDirectory = run,
            };
            foreach (string argument in (string[])[Recorded.Tool("lab.mjs"), "--bin", Recorded.Programs, "--jsipfs", KitInstallation.Folder, "--run", Path.Combine(run, "lab"), "--ports", before, scenario])
                start.ArgumentList.Add(argument);
            using Process lab = Process.Start(start) ?? throw new InvalidOperationException("node did not start");
            lab.StandardInput.Close();
            var lines = new List<string>();
            void Take(object _, DataReceivedEventArgs line)
            {
                if (line.Data is null) return;
                lock (lines) lines.Add(line.Data);
            }

            lab.OutputDataReceived += Take;
            lab.ErrorDataReceived += Take;
            lab.BeginOutputReadLine();
            lab.BeginErrorReadLine();
            using var limit = new CancellationTokenSource(Limit);
            try
            {
                await lab.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                lab.Kill(entireProcessTree: true);
                throw new TimeoutException($"{scenario} took more than {Limit}; so far:\n{string.Join('\n', lines)}");
            }

            if (lab.ExitCode != 0) lines.AddRange(Logs(Path.Combine(run, "lab")));
            return (lab.ExitCode, lines);
        }
        finally
        {
            Directory.Delete(run, recursive: true);
        }
    }

    private static IEnumerable<string> Logs(string run)
    {
        if (!Directory.Exists(run)) yield break;
        foreach (string log in Directory.EnumerateFiles(run, "peer*.log").Order(StringComparer.Ordinal))
        {
            yield return $"--- the end of {Path.GetFileName(log)}";
            foreach (string line in File.ReadLines(log, Encoding.UTF8).TakeLast(40)) yield return line;
        }
    }
}
