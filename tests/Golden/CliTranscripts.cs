using System.Text.Json.Nodes;
using Xunit.Abstractions;

namespace Golden.Tests;

/// <summary>The recorded transcripts of <c>ipfs-cluster-ctl</c> that need peers.</summary>
internal static class CliTranscripts
{
    private const string OtherDaemon = "JS-IPFS answers otherwise than Kubo, with which this was recorded: the original differs here too";

    private const string PinningService = "the Pinning Service API does not listen yet";

    private const string DirectPin =
        "the pinset has a direct pin, which the original takes for unexpectedly unpinned when it lists several (marked as its fault elsewhere)";

    // Steps that cannot pass, and why. Steps that record a fault of the original are marked in the transcripts and not counted.
    private static readonly Dictionary<(string File, string Step), string> Exceptions = new()
    {
        [("add.json", "add --hash sha3-512 a.txt")] = OtherDaemon,
        [("add.json", "add --hash sha3-512 a.txt (json)")] = OtherDaemon,
        [("add.json", "add --hash blake2b-256 a.txt")] = OtherDaemon,
        [("add.json", "add --hash blake2b-256 a.txt (json)")] = OtherDaemon,
        [("add.json", "pin ls after the adds")] = OtherDaemon,
        [("add.json", "pin ls after the adds (json)")] = OtherDaemon,
        [("basic.json", "pinning service port")] = PinningService,
        [("basic.json", "pinning service port (json)")] = PinningService,
        [("basic.json", "pinning service port id")] = PinningService,
        [("basic.json", "pinning service port id (json)")] = PinningService,
        [("basic.json", "an IPFS daemon as host")] = OtherDaemon,
        [("basic.json", "an IPFS daemon as host (json)")] = OtherDaemon,
        [("pin-errors.json", "path through a file")] = OtherDaemon,
        [("pin-errors.json", "path through a file (json)")] = OtherDaemon,
        [("pin-errors.json", "ipns name that cannot be resolved")] = OtherDaemon,
        [("pin-errors.json", "ipns name that cannot be resolved (json)")] = OtherDaemon,
        [("status.json", "status --filter pinned")] = DirectPin,
        [("status.json", "status --filter pinned (json)")] = DirectPin,
        [("status.json", "status --filter pinned,pin_error (json)")] = DirectPin,
        [("status.json", "status --filter pinned,nothing")] = DirectPin,
        [("status.json", "status --filter pinned,nothing (json)")] = DirectPin,
        [("status.json", "status --filter  pinned (json)")] = DirectPin,
        [("three-basic.json", "health graph")] = OtherDaemon,
        [("three-basic.json", "health bandwidth")] =
            "other protocols are spoken: ours asks for heads at once, does not push its identity, and counts nothing under an empty name",
        [("three-pin.json", "status --filter remote")] = "the original lists in the order of a hash table, here it is that of the CIDs",
        [("three-down.json", "health graph")] = OtherDaemon,
    };

    // Whole transcripts that need what is not there yet, and what that is.
    private static readonly Dictionary<string, string> Later = new()
    {
        ["libp2p.json"] = "the REST API over libp2p comes with the libp2p host in the peer",
    };

    /// <summary>Those for which the number of peers is as asked, with that number.</summary>
    public static TheoryData<string, int> With(Predicate<int> peers)
    {
        var files = new TheoryData<string, int>();
        var folder = Path.Combine(Recorded.Folder, "cli", "ctl");
        if (!Directory.Exists(folder))
            return files;
        foreach (var file in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
        {
            if (JsonNode.Parse(File.ReadAllText(file))!["needs"] is not { } needs || Later.ContainsKey(Path.GetFileName(file)))
                continue;
            var count = needs["peers"]?.GetValue<int>() ?? 1;
            if (peers(count))
                files.Add(Path.GetFileName(file), count);
        }

        return files;
    }

    /// <summary>Plays one of them; every command is to print what was recorded.</summary>
    public static async Task PlayAsync(string file, int peers, ITestOutputHelper output)
    {
        var recorded = Path.Combine(Recorded.Folder, "cli", "ctl", file);
        var lines = await CliReplay.PlayAsync(await UnhurriedTranscript.OfAsync(recorded), peers);
        foreach (var line in lines)
            output.WriteLine(line);
        Assert.Contains(lines, line => line.Contains(" steps, ", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.StartsWith("FAIL cluster", StringComparison.Ordinal) || line.StartsWith("skip ", StringComparison.Ordinal));
        // A difference reads "  step: stdout", the texts below it are indented further.
        var differing = lines.Where(line => line.StartsWith("  ", StringComparison.Ordinal) && line[2] != ' '
            && !line.Contains("[recorded fault:", StringComparison.Ordinal) && !IsException(file, line)).ToArray();
        Assert.True(differing.Length == 0, $"{differing.Length} differences:\n{string.Join('\n', lines)}");
    }

    private static bool IsException(string file, string line) =>
        Exceptions.Keys.Any(known => known.File == file && line.StartsWith($"  {known.Step}: ", StringComparison.Ordinal));
}
