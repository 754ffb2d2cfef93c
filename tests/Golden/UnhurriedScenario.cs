using System.Text.Json.Nodes;

namespace Golden.Tests;

/// <summary>
/// HTTP scenarios for machines of any speed: a wait ends when what it waits for is there, however late, and what has to be seen before a
/// time runs out has more of it. What is compared stays as recorded.
/// </summary>
internal static class UnhurriedScenario
{
    /// <summary>Only to end a replay that hangs, in seconds.</summary>
    private const int Patience = 180;

    /// <summary>A copy of a scenario in a folder of its own.</summary>
    /// <param name="kind">Its folder: <c>rest</c>, <c>rest3</c>.</param>
    /// <param name="recorded">Its file.</param>
    public static async Task<string> OfAsync(string kind, string recorded)
    {
        JsonNode scenario = JsonNode.Parse(await File.ReadAllTextAsync(recorded))!;
        string name = Path.GetFileName(recorded);
        if (kind == "rest3")
        {
            // A ping holds for two intervals. Where no peer dies, no pause of the machine may make one seem dead. Where one is killed, the
            // scenario asks for what holds while its metrics are valid, for five seconds at least as recorded, and then for what holds
            // without them: three times as long will do, and the ping still runs out last.
            bool killed = name == "peer-killed.json";
            JsonObject config = (scenario["needs"]!["config"] ??= new JsonObject()).AsObject();
            (config["cluster"] ??= new JsonObject())["monitor_ping_interval"] = killed ? "30s" : "60s";
            foreach (KeyValuePair<string, JsonNode?> informer in config["informer"] as JsonObject ?? []) informer.Value!["metric_ttl"] = killed ? "30s" : "120s";
            config["monitor"] = new JsonObject { ["pubsubmon"] = new JsonObject { ["check_interval"] = "2s" } };
        }

        // Six requests look at a pin of missing content while it is still tried.
        if ((kind, name) == ("rest", "tracker-errors.json")) scenario["needs"]!["config"]!["ipfs_connector"]!["ipfshttp"]!["pin_timeout"] = "5s";
        foreach (JsonNode? step in scenario["steps"]!.AsArray())
            if (step!["waitUntil"] is { } wait) wait["seconds"] = Patience;
        AwaitAllViews(scenario["steps"]!.AsArray());
        string copy = Path.Combine(Directory.CreateTempSubdirectory("scenario-").FullName, name);
        await File.WriteAllTextAsync(copy, scenario.ToJsonString());
        return copy;
    }

    /// <summary>
    /// A step that waits until one peer lists all three compares what each of them says of the others: the other two are awaited before it.
    /// </summary>
    private static void AwaitAllViews(JsonArray steps)
    {
        for (int i = steps.Count - 1; i >= 0; i--)
        {
            if (steps[i]!["waitUntil"] is not JsonObject wait || (string?)wait["path"] != "*.peername" || (int?)wait["count"] != 3) continue;
            foreach (string target in (string[])["rest2", "rest3"])
            {
                JsonNode view = steps[i]!.DeepClone();
                view["target"] = target;
                view["compare"] = new JsonObject { ["only"] = "status" };
                steps.Insert(i, view);
            }
        }
    }
}
