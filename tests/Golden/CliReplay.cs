using System.Diagnostics;
using System.Globalization;
using LocalIpfs;

namespace Golden.Tests;

/// <summary>Runs <c>replay.mjs</c> of the command lines, which starts the peers that a transcript needs, against throw-away daemons.</summary>
internal static class CliReplay
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(12);

    private static readonly string Ctl = Path.Combine(KitInstallation.RepositoryRoot, "tests", "Golden", "ctl.sh");

    /// <summary>Plays one transcript; the lines that the tool printed.</summary>
    public static async Task<IReadOnlyList<string>> PlayAsync(string transcript, int daemons)
    {
        await KitInstallation.EnsureAsync();
        var running = new List<IpfsDaemon>();
        try
        {
            for (var i = 0; i < daemons; i++)
                running.Add(await IpfsDaemon.StartAsync());
            await ConnectAsync(running);
            return await RunAsync(transcript, string.Join(',', running.Select(daemon => daemon.ApiMultiaddress)));
        }
        finally
        {
            foreach (var daemon in running)
                await daemon.DisposeAsync();
        }
    }

    private static async Task<IReadOnlyList<string>> RunAsync(string transcript, string daemons)
    {
        using var ports = PortBlock.Take();
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        string[] arguments =
        [
            Path.Combine(Recorded.Folder, "cli", "replay.mjs"), "--ctl", Ctl, "--service", Program("service"), "--follow", Program("follow"),
            "--ports", string.Create(CultureInfo.InvariantCulture, $"{ports.First}-{ports.First + PortBlock.Size - 1}"), "--ipfs", daemons, transcript,
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var replay = Process.Start(start) ?? throw new InvalidOperationException("node did not start");
        replay.StandardInput.Close();
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            var output = replay.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = replay.StandardError.ReadToEndAsync(limit.Token);
            await replay.WaitForExitAsync(limit.Token);
            return [.. (await output + await errors).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        }
        catch (OperationCanceledException)
        {
            replay.Kill(entireProcessTree: true);
            throw new TimeoutException($"{transcript} took more than {Limit}");
        }
    }

    /// <summary>An executable under test.</summary>
    public static string Program(string name) => Path.Combine(Recorded.Programs, "ipfs-cluster-" + name);

    private static async Task ConnectAsync(List<IpfsDaemon> daemons)
    {
        using var http = new HttpClient();
        foreach (var (from, to) in daemons.Zip(daemons.Skip(1)))
        {
            using var answer = await http.PostAsync(new Uri(from.ApiUri, "swarm/connect?arg=" + Uri.EscapeDataString(to.SwarmAddresses[0])), null);
            answer.EnsureSuccessStatusCode();
        }
    }
}
