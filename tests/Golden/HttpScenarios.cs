using Xunit.Abstractions;

namespace Golden.Tests;

/// <summary>The recorded HTTP transcripts of the REST API.</summary>
internal static class HttpScenarios
{
    // Steps that cannot pass, and why. Those that the original itself cannot pass on the JS-IPFS daemon stand in js-ipfs.json, and steps
    // that record a fault of the original are marked in the scenarios.
    private static readonly Dictionary<(string Scenario, string Step), string> Exceptions = new();

    /// <summary>The files of a kind.</summary>
    public static TheoryData<string> Of(string kind)
    {
        var files = new TheoryData<string>();
        string folder = Path.Combine(Recorded.Folder, "http", kind);
        if (!Directory.Exists(folder)) return files;
        foreach (string file in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal)) files.Add(Path.GetFileName(file));
        return files;
    }

    /// <summary>Replays one of them; every step is to be answered as recorded.</summary>
    public static async Task ReplayAsync(string kind, string scenario, ITestOutputHelper output)
    {
        string recorded = Path.Combine(Recorded.Folder, "http", kind, scenario);
        (int code, IReadOnlyList<string> lines) = await Lab.ReplayAsync(await UnhurriedScenario.OfAsync(kind, recorded));
        foreach (string line in lines) output.WriteLine(line);
        List<string> failing = [.. lines.Where(line => line.StartsWith("FAIL ", StringComparison.Ordinal) && !IsException(line))];
        Assert.True(failing.Count == 0, $"{failing.Count} steps differ:\n{string.Join('\n', lines)}");
        Assert.Contains(lines, line => line.Contains(" passed, ", StringComparison.Ordinal));
        if (code != 0) Assert.Contains(lines, line => line.StartsWith("FAIL ", StringComparison.Ordinal));
    }

    /// <summary>A line reads <c>FAIL  rest/pins #12 the step</c>.</summary>
    private static bool IsException(string line) =>
        Exceptions.Keys.Any(known => line.StartsWith($"FAIL  {known.Scenario} #", StringComparison.Ordinal) && line.EndsWith($" {known.Step}", StringComparison.Ordinal));
}
