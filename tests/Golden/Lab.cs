using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using LocalIpfs;

namespace Golden.Tests;

/// <summary>Runs <c>lab.mjs</c>, which starts fresh peers and daemons for a scenario, replays it and stops them.</summary>
internal static class Lab
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(12);

    // A peer and a daemon each listen on a few ports of a hundred (lab.mjs, --ports).
    private const int PortsOfAPeer = 7;
    private const int MostPeers = 3;
    private const int FirstPort = 20_000;

    /// <summary>From here on ports are left to others.</summary>
    public const int EndOfPorts = 28_000;

    /// <summary>Replays a scenario; returns the lines that the lab printed and its exit code.</summary>
    public static async Task<(int ExitCode, IReadOnlyList<string> Lines)> ReplayAsync(string scenario)
    {
        await KitInstallation.EnsureAsync();
        string run = Directory.CreateTempSubdirectory("lab-").FullName;
        try
        {
            var start = new ProcessStartInfo("node")
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                RedirectStandardInput = true,
                WorkingDirectory = run,
            };
            foreach (string argument in (string[])[Recorded.Tool("lab.mjs"), "--bin", Recorded.Programs, "--jsipfs", KitInstallation.Folder, "--run", Path.Combine(run, "lab"), "--ports", FreePorts().ToString(), scenario])
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

    /// <summary>The first of a range of ports that nobody listens on.</summary>
    private static int FreePorts()
    {
        for (int tries = 0; tries < 200; tries++)
        {
            int first = Random.Shared.Next(FirstPort / 100, EndOfPorts / 100 - MostPeers) * 100;
            if (Enumerable.Range(1, MostPeers).SelectMany(peer => Enumerable.Range(first + peer * 100, PortsOfAPeer)).All(IsFree)) return first;
        }

        throw new InvalidOperationException("no free ports");
    }

    private static bool IsFree(int port)
    {
        using var probe = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
