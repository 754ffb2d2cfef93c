using System.Diagnostics;
using System.Text;

namespace Cluster.Service.Tests;

/// <summary>The commands of <c>state</c> with real processes, beside what the recorded transcripts show.</summary>
public sealed class StateCommandsTests
{
    private const string Pin = """
        {"replication_factor_min":-1,"replication_factor_max":-1,"name":"one","mode":"recursive","shard_size":0,"user_allocations":null,"expire_at":"0001-01-01T00:00:00Z","metadata":null,"pin_update":null,"origins":[],"cid":"QmV4STRyo1dygxGhZcr877TQ1M9AZuXhfm6HrXjxW1TYNP","type":"pin","allocations":[],"max_depth":-1,"reference":null,"timestamp":"2024-01-02T03:04:05Z"}
        """;

    [Theory]
    [InlineData("export")]
    [InlineData("import", "-f")]
    [InlineData("cleanup", "-f")]
    [InlineData("crdt", "info")]
    public async Task A_state_command_is_refused_while_the_daemon_runs(params string[] command)
    {
        var folder = await ServiceRun.InitialisedAsync();
        await using var daemon = ServiceRun.Start(folder, ["daemon"]);
        await daemon.ReadyAsync();
        var (code, _, errors) = await RunAsync(folder, command);
        Assert.Equal(1, code);
        Assert.EndsWith(
            $"error obtaining execution lock: lock {folder}/cluster.lock: someone else has the lock. If no other ipfs-cluster-service process is running, "
            + $"remove {folder}/cluster.lock, or make sure that the config folder is writable for the user running ipfs-cluster-service.\n",
            errors,
            StringComparison.Ordinal);
        daemon.Signal(ServiceRun.SigTerm);
        Assert.Equal(0, await daemon.ExitAsync());
    }

    [Fact]
    public async Task What_follows_the_answer_on_the_input_is_imported()
    {
        var folder = await ServiceRun.InitialisedAsync();
        var (code, output, _) = await RunAsync(folder, ["state", "import"], $"y\n{Pin}\n");
        Assert.Equal(0, code);
        Assert.Equal("The pinset (state) of this peer will be replaced. Continue? [y/n]: reading from stdin, Ctrl-D to finish\n", output);
        Assert.Equal(Pin + "\n", (await RunAsync(folder, ["export"])).Output);
    }

    [Fact]
    public async Task The_consensus_option_of_old_versions_is_accepted_where_it_fits()
    {
        var folder = await ServiceRun.InitialisedAsync();
        Assert.Equal(0, (await RunAsync(folder, ["import", "-f", "--consensus", "crdt"], Pin)).Code);
        Assert.Equal(0, (await RunAsync(folder, ["cleanup", "--force", "--consensus", "crdt"])).Code);
        var (code, output, _) = await RunAsync(folder, ["export", "--consensus=crdt"]);
        Assert.Equal((0, ""), (code, output));
        Assert.Equal(1, (await RunAsync(folder, ["cleanup", "--force", "--consensus", "raft"])).Code);
        Assert.Equal(1, (await RunAsync(folder, ["cleanup", "--force", "--consensus", "other"])).Code);
    }

    [Fact]
    public async Task An_import_that_is_killed_leaves_the_old_state_whole()
    {
        var folder = await ServiceRun.InitialisedAsync();
        Assert.Equal(0, (await RunAsync(folder, ["import", "-f"], Pin)).Code);
        var before = (await RunAsync(folder, ["crdt", "info"])).Output;

        using (var import = Start(folder, ["import", "-f"]))
        {
            // More than a batch goes in, and the input does not end.
            for (var i = 0; i < 20_000; i++)
                await import.StandardInput.WriteLineAsync(Pin.Replace("\"one\"", $"\"{i}\"", StringComparison.Ordinal));
            await import.StandardInput.FlushAsync();
            import.Kill();
            await import.WaitForExitAsync();
        }

        Assert.Equal(Pin + "\n", (await RunAsync(folder, ["export"])).Output);
        Assert.Equal(before, (await RunAsync(folder, ["crdt", "info"])).Output);
    }

    [Fact]
    public async Task A_terminal_sees_how_far_an_import_and_an_export_are_and_the_line_is_wiped()
    {
        var folder = await ServiceRun.InitialisedAsync();
        var lines = new StringBuilder();
        for (var i = 0; i < 60_000; i++)
            lines.Append(Pin.Replace("QmV4STRyo1dygxGhZcr877TQ1M9AZuXhfm6HrXjxW1TYNP", RawCid(i), StringComparison.Ordinal)).Append('\n');
        var file = Path.Combine(folder, "in.json");
        await File.WriteAllTextAsync(file, lines.ToString());

        var import = await OnTerminalAsync($"'{ServiceRun.Program}' --config '{folder}' state import -f '{file}'");
        Assert.Matches(@"\r [\d,]+ / [\d,]+ bytes \[=* *\] \d+%", import);
        Assert.Contains("\r" + new string(' ', 40), import, StringComparison.Ordinal);
        var export = await OnTerminalAsync($"'{ServiceRun.Program}' --config '{folder}' state export -f '{folder}/out.json'");
        Assert.Matches(@"\r [\d,]+ / 60,000 pins \[=* *\] \d+%", export);
        Assert.Equal(60_000, File.ReadLines(Path.Combine(folder, "out.json")).Count());
        // Into a pipe there is none.
        Assert.DoesNotContain("%", (await RunAsync(folder, ["state", "import", "-f", file])).Errors, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_pinset_survives_export_cleanup_and_import_and_a_dirty_mark_survives_the_program()
    {
        var folder = await ServiceRun.InitialisedAsync();
        Assert.Equal(0, (await RunAsync(folder, ["import", "-f"], Pin)).Code);
        var file = Path.Combine(folder, "out.json");
        Assert.Equal(0, (await RunAsync(folder, ["export", "-f", file])).Code);
        Assert.Equal(0, (await RunAsync(folder, ["cleanup", "-f"])).Code);
        Assert.Equal("Number of heads: 0. Current max-height: 0. Dirty: false\nHeads: []", (await RunAsync(folder, ["crdt", "info"])).Output);
        Assert.Equal(0, (await RunAsync(folder, ["import", "-f", file])).Code);
        Assert.Equal(Pin + "\n", (await RunAsync(folder, ["export"])).Output);

        Assert.Equal("Datastore marked 'dirty'\n", (await RunAsync(folder, ["crdt", "mark-dirty"])).Output);
        Assert.StartsWith("Number of heads: 1. Current max-height: 1. Dirty: true\n", (await RunAsync(folder, ["crdt", "info"])).Output, StringComparison.Ordinal);
    }

    private static string RawCid(int number)
    {
        Span<byte> bytes = stackalloc byte[36];
        (bytes[0], bytes[1], bytes[2], bytes[3]) = (1, 0x55, 0x12, 32);
        BitConverter.TryWriteBytes(bytes[4..], number);
        return Ipld.Cid.FromBytes(bytes).ToString();
    }

    private static Process Start(string folder, string[] command)
    {
        var start = new ProcessStartInfo(ServiceRun.Program, ["--config", folder, .. command is ["state", ..] ? command : ["state", .. command]])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["TZ"] = "UTC";
        return Process.Start(start)!;
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string folder, string[] command, string input = "")
    {
        using var process = Start(folder, command);
        return await FinishAsync(process, input);
    }

    /// <summary>Runs a shell command on a terminal of its own; everything that was written there.</summary>
    private static async Task<string> OnTerminalAsync(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("script", ["--quiet", "--return", "--command", command, "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (code, output, _) = await FinishAsync(process, "");
        Assert.Equal(0, code);
        return output;
    }

    private static async Task<(int Code, string Output, string Errors)> FinishAsync(Process process, string input)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await errors);
    }
}
