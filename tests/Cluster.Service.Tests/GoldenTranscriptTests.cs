using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LocalIpfs;

namespace Cluster.Service.Tests;

/// <summary>
/// Replays the recorded command lines of the original with the tool that lies beside them, and compares. Every transcript that is found
/// is run.
/// </summary>
[Trait("Category", "Golden")]
public sealed partial class GoldenTranscriptTests
{
    /// <summary>Steps that differ for a reason: file and step.</summary>
    private static readonly Dictionary<(string File, string Step), string> differing = new()
    {
        [("init.json", "source url with a secret option")] =
            "the same fault as in the step \"source url\", where it is marked: the original says that it writes a peerstore and does not; here it is written",
        [("state-crdt.json", "export after half an import")] =
            "the same fault as in the step \"the state after a bad import\", where it is marked: the old pinset is lost; here it stays",
        [("init.json", "several arguments")] = "the same fault: the peerstore of a sourced configuration is written, and its path told",
    };

    /// <summary>Log lines of the original that are missing for a reason, in the transcripts of daemons.</summary>
    private static readonly (Regex Line, string Reason)[] missingLines =
    [
        (PinningServiceLine(), "the Pinning Service API follows"),
        (ProxyLine(), "the IPFS proxy follows"),
        (RaftLine(), "the REST API over libp2p of a raft peer follows with Raft"),
    ];

    /// <summary>Steps that wait for what is not there yet, up to a minute each: left out.</summary>
    private static readonly Dictionary<(string File, string Step), string> waiting = new()
    {
        [("daemon.json", "raft, bootstrap to a dead peer")] = "joining other peers follows with Raft",
        [("daemon-errors.json", "proxy port in use")] = "the IPFS proxy follows",
        [("daemon-errors.json", "pinning service port in use")] = "the Pinning Service API follows",
    };

    /// <summary>What differs in steps of daemons for a reason.</summary>
    private static readonly (Regex Difference, string Reason)[] differingDaemons =
    [
        (FolderDifference(), "the state lies in folders of its own form, named after the services that own them"),
    ];

    public static TheoryData<string> WithoutDaemon => Transcripts(needsDaemon: false);

    public static TheoryData<string> WithDaemon => Transcripts(needsDaemon: true);

    private static string Golden => Environment.GetEnvironmentVariable("GOLDEN") is { Length: > 0 } given
        ? given
        : Path.Combine(KitInstallation.RepositoryRoot, "tests", "golden");

    [Theory]
    [MemberData(nameof(WithoutDaemon))]
    public Task Commands_print_and_write_what_the_original_did(string file) => ReplayAsync(file, ServiceRun.Program, ipfs: null);

    [Theory]
    [MemberData(nameof(WithDaemon))]
    [Trait("Category", "Slow")]
    public async Task Daemons_start_log_and_stop_as_the_original_did(string file)
    {
        var program = Path.Combine(
            Environment.GetEnvironmentVariable("CLUSTER_OUT") ?? Path.Combine(KitInstallation.RepositoryRoot, "out"), "ipfs-cluster-service");
        Assert.True(File.Exists(program), $"{program} is missing: run ./build first.");
        await using var ipfs = await IpfsDaemon.StartAsync();
        await ReplayAsync(file, program, ipfs.ApiMultiaddress);
    }

    private static async Task ReplayAsync(string file, string program, string? ipfs)
    {
        if (file.Length == 0)
        {
            // Of this repository's own there are both kinds.
            Assert.False(string.IsNullOrEmpty(Environment.GetEnvironmentVariable("GOLDEN")));
            return;
        }

        var tool = Path.Combine(Golden, "cli", "replay.mjs");
        if (!File.Exists(tool))
            tool = Path.Combine(KitInstallation.RepositoryRoot, "tests", "golden", "cli", "replay.mjs");
        var transcript = await PreparedAsync(file);
        using var ports = PortBlock.Take();
        var start = new ProcessStartInfo("node", [tool, "--service", program, "--ports", $"{ports.First}-{ports.First + PortBlock.Size - 1}", .. ipfs is null ? Array.Empty<string>() : ["--ipfs", ipfs], transcript])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var replay = Process.Start(start)!;
        var output = replay.StandardOutput.ReadToEndAsync();
        var errors = replay.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(14));
        try
        {
            await replay.WaitForExitAsync(limit.Token);
        }
        finally
        {
            if (!replay.HasExited)
                replay.Kill(entireProcessTree: true);
        }

        var text = await output;
        Assert.True(Summary().IsMatch(text), $"the replay broke off: {text}{await errors}");
        var unexpected = Difference().Matches(text).Where(match => !IsExpected(file, match)).Select(match => match.Value.Trim()).ToArray();
        Assert.True(unexpected.Length == 0, $"{unexpected.Length} differences: {string.Join("\n", unexpected)}\n{text}");
    }

    /// <summary>
    /// A copy of a transcript without the steps of <see cref="waiting"/>, whose daemons are signalled at what they do and not at a time that
    /// suited the machine of the recording; the transcript itself when it has none of either.
    /// </summary>
    private static async Task<string> PreparedAsync(string file)
    {
        var path = Path.Combine(Golden, "cli", "service", file);
        var transcript = JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        var steps = transcript["steps"]!.AsArray();
        var changes = steps.RemoveAll(step => step?["name"] is { } name && waiting.ContainsKey((file, name.GetValue<string>())));
        changes += steps.OfType<JsonObject>().Count(WaitForTheEnd);
        if (changes == 0)
            return path;
        var copy = Path.Combine(Directory.CreateTempSubdirectory("transcript-").FullName, file);
        await File.WriteAllTextAsync(copy, transcript.ToJsonString());
        return copy;
    }

    /// <summary>Changes what a step waits for; false when it may stay.</summary>
    private static bool WaitForTheEnd(JsonObject step)
    {
        const string ready = "IPFS Cluster is READY";
        if (step["until"]?.GetValue<string>() is not { } until || step.ContainsKey("signals") || step.ContainsKey("background"))
            return false;
        if (step["exit"]?.GetValue<int>() == 1)
        {
            // It ends by itself, soon after its complaint: a signal in between would make an end in order of it.
            step.Remove("until");
            step["timeout"] = 180_000;
            return true;
        }

        if (until.Contains(ready, StringComparison.Ordinal) || step["stderrHas"]?.ToJsonString().Contains(ready, StringComparison.Ordinal) != true)
            return false;
        step["until"] = ready;
        return true;
    }

    private static bool IsExpected(string file, Match difference)
    {
        var step = difference.Groups["step"].Value;
        if (difference.Groups["fault"].Success || differing.ContainsKey((file, step)))
            return true;
        var what = difference.Groups["what"].Value;
        if (differingDaemons.Any(expected => expected.Difference.IsMatch($"{step}: {what}")))
            return true;
        // What remains of the lines that the original had, without those that are known to be missing.
        return what == "stderrHas" && difference.Groups["wanted"].Captures.All(wanted => missingLines.Any(missing => missing.Line.IsMatch(wanted.Value)));
    }

    private static TheoryData<string> Transcripts(bool needsDaemon)
    {
        var data = new TheoryData<string>();
        var folder = Path.Combine(Golden, "cli", "service");
        foreach (var path in Directory.Exists(folder) ? Directory.GetFiles(folder, "*.json").Order().ToArray() : [])
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var needs = document.RootElement.TryGetProperty("needs", out var value) && value.ValueKind == JsonValueKind.Object;
            if (needs == needsDaemon)
                data.Add(Path.GetFileName(path));
        }

        // A theory without data fails; a set may lack one kind.
        if (data.Count == 0)
            data.Add("");
        return data;
    }

    /// <summary>A line of two blanks: the step, what differs, and perhaps the recorded fault; then wanted (-) and found (+) lines.</summary>
    [GeneratedRegex(@"^  (?! )(?<step>.+?): (?<what>exit|stdout|stderr|stdoutHas|stderrHas|until|error|wrote [^\n]*?|mode of [^\n]*?|list of [^\n]*?|text of [^\n]*?)(?<fault> \[recorded fault: .*\])?\n(?:    (?:- (?<wanted>[^\n]*)|\+ [^\n]*)\n)*", RegexOptions.Multiline)]
    private static partial Regex Difference();

    [GeneratedRegex(@"^\d+ steps, \d+ differences", RegexOptions.Multiline)]
    private static partial Regex Summary();

    [GeneratedRegex("pinsvcapi")]
    private static partial Regex PinningServiceLine();

    [GeneratedRegex("ipfsproxy")]
    private static partial Regex ProxyLine();

    [GeneratedRegex("RESTAPI \\(libp2p-http\\)")]
    private static partial Regex RaftLine();

    [GeneratedRegex("^(daemon, SIGINT|datastore .*|raft|cleanup: answer y|cleanup of an empty state): (list of|wrote)")]
    private static partial Regex FolderDifference();
}
