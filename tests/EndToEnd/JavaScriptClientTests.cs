using System.Diagnostics;
using LocalIpfs;
using Xunit.Abstractions;

namespace Cluster.EndToEnd.Tests;

/// <summary>JavaScript clients of the original, unchanged, against a whole peer: each recorded call gives what it gave there.</summary>
[Trait("Category", "Golden")]
[Trait("Category", "Slow")]
public sealed class JavaScriptClientTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task The_nftstorage_client_works_unchanged()
    {
        var folder = Path.Combine(Programs.Repository, "tests", "js-clients");
        // A folder that GOLDEN names may lack it; then it is played as this repository has it.
        var file = Path.Combine("kubo", "js-clients", "nftstorage-ipfs-cluster.json");
        var recording = Path.Combine(Programs.Repository, "tests", "golden", file);
        if (Environment.GetEnvironmentVariable("GOLDEN") is { Length: > 0 } named && File.Exists(Path.Combine(named, file)))
            recording = Path.GetFullPath(Path.Combine(named, file));
        var install = await RunAsync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder);
        Assert.True(install.ExitCode == 0, install.Text);
        await using var ipfs = await IpfsDaemon.StartAsync();
        await using var peer = await RunningPeer.StartAsync(ipfs.ApiMultiaddress);
        var (code, text) = await RunAsync("node", ["nftstorage.mjs", recording, peer.Rest.ToString()], folder);
        output.WriteLine(text);
        Assert.True(code == 0, $"{text}\n{peer.Log}");
    }

    private static async Task<(int ExitCode, string Text)> RunAsync(string program, IEnumerable<string> arguments, string folder)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(Limit);
        var (standard, error) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await standard + await error);
    }
}
