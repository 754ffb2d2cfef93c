using System.Text.Json.Nodes;
using Cluster.Model;
using Libp2p;

namespace Cluster.Allocation.Tests;

[Trait("Category", "Golden")]
public class AllocatorGoldenTests
{
    private const string File = "bytes/allocator.json";

    private static readonly string? Named = Environment.GetEnvironmentVariable("GOLDEN") is { Length: > 0 } named ? named : null;

    private static readonly GoTime Now = GoTime.FromUnix(1_700_000_000);

    [Fact]
    public void Every_case_is_allocated_as_recorded()
    {
        var path = Path.Combine(Folder(), File);
        // A folder that GOLDEN names may lack it, this repository may not.
        if (Named is not null && !System.IO.File.Exists(path))
            return;
        var golden = JsonNode.Parse(System.IO.File.ReadAllText(path))!;
        var peers = golden["peers"]!.AsObject().ToDictionary(p => int.Parse(p.Key), p => PeerId.Parse(p.Value!.GetValue<string>()));
        var failures = new List<string>();
        foreach (var item in golden["cases"]!.AsArray())
        {
            if (Check(item!.AsObject(), peers) is { } wrong)
                failures.Add($"{item["name"]}: {wrong}");
        }

        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    private static string? Check(JsonObject item, Dictionary<int, PeerId> peers)
    {
        var names = peers.ToDictionary(p => p.Value, p => p.Key);
        var metrics = (item["metrics"]?.AsArray() ?? []).Select(m => new Metric
        {
            Name = m!["name"]!.GetValue<string>(),
            Peer = peers[m["peer"]!.GetValue<int>()],
            Value = m["value"]!.GetValue<string>(),
            Weight = m["weight"]!.GetValue<long>(),
            Partitionable = m["partitionable"]!.GetValue<bool>(),
            Valid = m["invalid"]?.GetValue<bool>() != true,
            Expire = Now.Add(GoDuration.FromHours(m["expired"]?.GetValue<bool>() == true ? -1 : 1)).UnixNanoseconds,
        });
        var trusted = List("trusted_peers");
        Func<PeerId, bool>? eligible = item["pin_only_on_trusted_peers"]?.GetValue<bool>() == true ? trusted.Contains
            : item["pin_only_on_untrusted_peers"]?.GetValue<bool>() == true ? peer => !trusted.Contains(peer)
            : null;
        var request = new AllocationRequest(new(item["rpl_min"]!.GetValue<int>(), item["rpl_max"]!.GetValue<int>()))
        {
            Current = List("current_allocations"), Priority = List("priority_list"), Excluded = List("blacklist"), Eligible = eligible,
        };
        var expectedError = item["error"]?.GetValue<string>();
        string result;
        try
        {
            var allocateBy = (item["allocate_by"]?.AsArray() ?? []).Select(n => n!.GetValue<string>()).ToArray();
            result = Text(Allocator.Allocate(request, PeerMetrics.Create(metrics, allocateBy, Now), new Random(7)).Select(peer => names[peer]));
        }
        catch (AllocationException e)
        {
            // The original refuses such a configuration before it can allocate.
            var message = expectedError?.StartsWith("config: ") == true ? "config: " + e.Message : e.Message;
            return expectedError == message ? null : $"expected {expectedError}, refused with {message}";
        }

        if (expectedError is not null)
            return $"expected {expectedError}, allocated {result}";
        if (item["result_is_empty"]?.GetValue<bool>() == true)
            return result.Length == 0 ? null : "allocated " + result;
        if (item["result_any_of"] is { } anyOf)
        {
            // Which one it is depends on the order of a map in the original: any of these sets is right.
            var sets = anyOf.AsArray().Select(r => Text(r!.AsArray().Select(p => p!.GetValue<int>()).Order())).ToArray();
            return sets.Contains(Text(result.Split(',').Select(int.Parse).Order())) ? null : $"expected any of {anyOf.ToJsonString()}, allocated {result}";
        }

        var expected = Text(item["result"]!.AsArray().Select(p => p!.GetValue<int>()));
        return expected == result ? null : $"expected {expected}, allocated {result}";

        List<PeerId> List(string key) => [.. (item[key]?.AsArray() ?? []).Select(p => peers[p!.GetValue<int>()])];

        static string Text(IEnumerable<int> numbers) => string.Join(',', numbers);
    }

    private static string Folder()
    {
        if (Named is not null)
            return Named;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "Cluster.Micro.sln")))
                return Path.Combine(folder.FullName, "tests", "golden");
        }

        throw new DirectoryNotFoundException("no Cluster.Micro.sln above the test assembly, and GOLDEN is not set");
    }
}
