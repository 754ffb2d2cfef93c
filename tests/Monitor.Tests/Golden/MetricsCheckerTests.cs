using System.Text.Json;
using Cluster.Model;
using Cluster.Monitor.Core;
using FakeDaemon;
using Libp2p;
using Xunit;

namespace Cluster.Monitor.Tests.Golden;

/// <summary>The metric store and failure detector against v1.1.6 (golden bytes/README.md, metrics-checker.json).</summary>
[Trait("Category", "Golden")]
public sealed class MetricsCheckerTests
{
    private static readonly GoTime Now = GoTime.FromUnix(1_800_000_000);

    [Fact]
    public void The_recorded_scenarios_have_the_recorded_results()
    {
        var failures = new List<string>();
        foreach (var path in RecordedAnswers.Files("bytes", "metrics-checker*.json"))
        {
            using var file = JsonDocument.Parse(File.ReadAllBytes(path));
            foreach (var scenario in file.RootElement.GetProperty("scenarios").EnumerateArray())
                new Scenario(scenario.GetProperty("name").GetString()!, failures).Run(scenario.GetProperty("steps"));
        }
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    private sealed class Scenario(string name, List<string> failures)
    {
        private readonly MetricStore _store = new();
        private readonly Dictionary<PeerId, int> _numbers = [];
        private FailureDetector? _detector;

        private FailureDetector Detector => _detector ??= new FailureDetector(_store);

        public void Run(JsonElement steps)
        {
            var index = 0;
            foreach (var step in steps.EnumerateArray())
            {
                var result = Run(step.GetProperty("op").GetString()!, step.TryGetProperty("arg", out var argument) ? argument : default);
                var expected = step.TryGetProperty("result", out var recorded) ? recorded.GetRawText() : "null";
                using var normal = JsonDocument.Parse(expected);
                if (result != JsonSerializer.Serialize(normal.RootElement))
                    failures.Add($"{name}, step {index} {step.GetRawText()}: ours {result}");
                index++;
            }
        }

        private string Run(string operation, JsonElement argument) => operation switch
        {
            "add" => Add(argument, received: false),
            "receive" => Add(argument, received: true),
            "latest_valid" => Texts(_store.LatestValid(argument.GetString()!, Now)),
            "all_metrics" => Sorted(_store.All()),
            "peer_metrics" => Sorted(_store.OfPeer(Peer(argument))),
            "peer_latest" => Text(_store.Newest(argument[1].GetString()!, Peer(argument[0]))),
            "peer_metric_all" => Texts(_store.History(argument[1].GetString()!, Peer(argument[0]))),
            "metric_names" => JsonSerializer.Serialize(_store.Names),
            "failed" => JsonSerializer.Serialize(Detector.HasFailed(Peer(argument[0]), argument[1].GetString()!, Now)),
            "check_all" when argument.ValueKind == JsonValueKind.Number => Repeated(argument.GetInt32()),
            "check_all" => Sorted(Detector.CheckAll(Now).Select(alert => alert.Metric)),
            "check_peers" => Sorted(Detector.CheckPeers(argument.EnumerateArray().Select(Peer).ToList(), Now).Select(alert => alert.Metric)),
            _ => throw new NotSupportedException($"the records have an operation \"{operation}\" that this test does not know"),
        };

        private string Add(JsonElement from, bool received)
        {
            var metric = new Metric
            {
                Peer = Peer(from.GetProperty("peer")),
                Name = from.GetProperty("name").GetString()!,
                Value = from.GetProperty("value").GetString()!,
                Weight = from.GetProperty("weight").GetInt64(),
                Partitionable = from.GetProperty("partitionable").GetBoolean(),
                Valid = !from.TryGetProperty("invalid", out var invalid) || !invalid.GetBoolean(),
                Expire = Now.Add(GoDuration.FromHours(from.TryGetProperty("expired", out var expired) && expired.GetBoolean() ? -1 : 1)).UnixNanoseconds,
            };
            _store.Add(metric);
            if (received)
                Detector.Received(metric, Now);
            return "null";
        }

        private string Repeated(int checks)
        {
            var alerts = new List<string>();
            for (var check = 1; check <= checks; check++)
                alerts.AddRange(Detector.CheckAll(Now).Select(alert => $"check {check}: {Line(alert.Metric)}"));
            return JsonSerializer.Serialize(alerts);
        }

        private string Text(Metric? metric) => JsonSerializer.Serialize(metric == null ? "undefined" : Line(metric));

        private string Texts(IEnumerable<Metric> metrics) => JsonSerializer.Serialize(metrics.Select(Line));

        private string Sorted(IEnumerable<Metric> metrics) => JsonSerializer.Serialize(metrics.Select(Line).Order(StringComparer.Ordinal));

        private string Line(Metric metric) => $"{metric.Name} peer{_numbers[metric.Peer]} {metric.Value}";

        // Key i has the seed of 32 bytes i (golden bytes/README.md, "Fixed identities").
        private PeerId Peer(JsonElement number)
        {
            var seed = new byte[32];
            Array.Fill(seed, (byte)number.GetInt32());
            var peer = PrivateKey.FromEd25519Seed(seed).PublicKey.PeerId;
            _numbers[peer] = number.GetInt32();
            return peer;
        }
    }
}
