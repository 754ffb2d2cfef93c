using System.Collections;
using System.Text.Json.Nodes;

namespace Golden.Tests;

/// <summary>
/// Transcripts of <c>ipfs-cluster-ctl</c> for machines of any speed: where the recording slept for a time that suited its machine, the
/// step waits for what it slept for, and what has to be seen before a time runs out has more of it. What is compared stays as recorded.
/// </summary>
internal static class UnhurriedTranscript
{
    private const string Missing = "QmVrY6AchryhH9NmEYeWqbgVw4bxL9pn3Y9FpSrMAAStwt";
    private const string AlsoMissing = "QmaZzKCbi9nKrwAcKwCLN3NmU5x2pxbh8YEtHhuE5VcndF";
    private const string Everywhere = "QmV4STRyo1dygxGhZcr877TQ1M9AZuXhfm6HrXjxW1TYNP";
    private const string Moved = "QmRLgkLoSRyoLjkECGqdDhv2Uvxtv5tnVF2M8ZTigqwhxk";

    /// <summary>Only to end a replay that hangs, in milliseconds.</summary>
    private const int Patience = 180_000;

    /// <summary>A copy of a transcript in a folder of its own.</summary>
    public static async Task<string> OfAsync(string recorded)
    {
        var transcript = JsonNode.Parse(await File.ReadAllTextAsync(recorded))!.AsObject();
        var steps = transcript["steps"]!.AsArray();
        // A ping holds for two intervals, recorded with two seconds: no pause of a machine may make a living peer seem dead.
        DaemonHas(transcript, ("CLUSTER_MONITORPINGINTERVAL", "30s"));
        DaemonHas(transcript, [.. RuntimeSettings()]);
        foreach (var step in steps.OfType<JsonObject>())
            LengthenWait(step);
        switch (Path.GetFileName(recorded))
        {
            case "pin.json":
                Before(steps, $"pin add {Everywhere}", "host1", ["pin", "add", "--wait", Everywhere]);
                break;
            case "pin-errors.json":
                // Two commands look at such a pin while it is still tried.
                DaemonHas(transcript, ("CLUSTER_IPFSHTTP_PINTIMEOUT", "12s"));
                break;
            case "status.json":
                DaemonHas(transcript, ("CLUSTER_IPFSHTTP_PINTIMEOUT", "6s"));
                Await(steps, "after the pin timeout", 2, "PIN_ERROR: .*Attempts: 1 ", "host1", "status", Missing, AlsoMissing);
                Await(steps, "status while it is retried", 1, "PINNING ", "host1", "status", Missing);
                Await(steps, "after the second failure", 1, "PIN_ERROR: .*Attempts: 2 ", "host1", "status", Missing);
                break;
            case "three-pin.json":
                // A peer that has not heard of the change yet is where it should be before it, too.
                Before(steps, "pin everywhere again", "host1", ["pin", "add", "--ns", "-r=-1", Moved]);
                Await(steps, "pin everywhere again", 3, ": PINNED ", "host1", "status", Moved);
                Before(steps, "back to one", "host1", ["pin", "add", "--ns", "-r", "1", "--allocations", "<peer3>", Moved]);
                Await(steps, "back to one", 2, ": REMOTE ", "host1", "status", Moved);
                // The wait ends when the first peer fails.
                Await(steps, "no content anywhere (json)", 3, "PIN_ERROR: .*Attempts: 1 ", "host1", "status", Missing);
                Await(steps, "status of the failed one", 3, "PIN_ERROR: .*Attempts: 2 ", "host1", "status", Missing);
                break;
            case "three-down.json":
                // A ping holds for two intervals: the status right after the stop comes before the last one has expired, and the lists of
                // alerts before a metric of another kind has.
                DaemonHas(transcript, ("CLUSTER_MONITORPINGINTERVAL", "6s"));
                DaemonHas(transcript, [.. new[] { "DISK", "TAGS", "PINQUEUE" }.Select(informer => ($"CLUSTER_{informer}_METRICTTL", "120s"))]);
                Await(steps, "status after its metrics expired", 2, " ping: ", "host2", "health", "metrics", "ping");
                Await(steps, "status after its metrics expired", 1, "^<peer3>: ping", "host1", "health", "alerts");
                Await(steps, "status after its metrics expired", 0, "node3", "host1", "status", Everywhere);
                Await(steps, "status", 3, ": PINNED ", "host1", "status", Everywhere);
                break;
        }

        (transcript["env"] ??= new JsonObject())["CTL"] = CliReplay.Program("ctl");
        var copy = Path.Combine(Directory.CreateTempSubdirectory("transcript-").FullName, Path.GetFileName(recorded));
        await File.WriteAllTextAsync(copy, transcript.ToJsonString());
        return copy;
    }

    /// <summary>A wait that ends well may last.</summary>
    private static void LengthenWait(JsonObject step)
    {
        if (step["exit"]?.GetValue<int>() != 0 || step["args"] is not JsonArray arguments)
            return;
        for (var i = 0; i + 1 < arguments.Count; i++)
        {
            if (arguments[i]!.GetValue<string>() == "--wait-timeout")
                arguments[i + 1] = "120s";
        }
    }

    /// <summary>What the tests' environment says to the .NET runtime: a replay starts its peers in an environment of their own.</summary>
    private static IEnumerable<(string Name, string Value)> RuntimeSettings() =>
        from DictionaryEntry variable in Environment.GetEnvironmentVariables()
        where ((string)variable.Key).StartsWith("DOTNET_TC_", StringComparison.Ordinal)
        select ((string)variable.Key, (string)variable.Value!);

    private static void DaemonHas(JsonObject transcript, params (string Name, string Value)[] environment)
    {
        var variables = (transcript["needs"]!["env"] ??= new JsonObject()).AsObject();
        foreach (var (name, value) in environment)
            variables[name] = value;
    }

    /// <summary>Instead of sleeping before a step, waits until a command prints so many lines that match (<c>ctl.sh</c>).</summary>
    private static void Await(JsonArray steps, string name, int count, string regex, string host, params string[] command)
    {
        if (Find(steps, name) is not { } step)
            return;
        step.Remove("sleep");
        Insert(steps, step, ["until", count.ToString(System.Globalization.CultureInfo.InvariantCulture), regex, "--host", $"<{host}>", .. command]);
    }

    /// <summary>Runs a command before a step.</summary>
    private static void Before(JsonArray steps, string name, string host, string[] command)
    {
        if (Find(steps, name) is { } step)
            Insert(steps, step, ["--host", $"<{host}>", .. command]);
    }

    private static JsonObject? Find(JsonArray steps, string name) => steps.OfType<JsonObject>().FirstOrDefault(step => step["name"]?.GetValue<string>() == name);

    private static void Insert(JsonArray steps, JsonObject step, string[] arguments) => steps.Insert(steps.IndexOf(step), new JsonObject
    {
        ["name"] = $"before: {step["name"]!.GetValue<string>()}",
        ["args"] = new JsonArray([.. arguments.Select(argument => JsonValue.Create(argument))]),
        ["check"] = false,
        ["timeout"] = Patience,
    });
}
