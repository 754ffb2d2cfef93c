using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using FakeDaemon;
using Xunit;

namespace KuboRpc.Tests.Golden;

[Trait("Category", "Golden")]
public sealed class ConnectorReactionTests
{
    [Fact]
    public async Task Canned_answers_lead_to_the_recorded_requests_and_verdicts()
    {
        var failures = new ConcurrentBag<string>();
        foreach (var path in RecordedAnswers.Files("kubo/rpc", "connector-reactions*.json"))
        {
            using var file = JsonDocument.Parse(await File.ReadAllBytesAsync(path));
            var settings = file.RootElement.GetProperty("settings");
            await Parallel.ForEachAsync(
                file.RootElement.GetProperty("cases").EnumerateArray(),
                new ParallelOptions { MaxDegreeOfParallelism = 8 },
                async (recorded, _) =>
                {
                    if (await RunAsync(recorded, settings) is { } difference)
                        failures.Add($"{recorded.GetProperty("seq")} {recorded.GetProperty("name")}: {difference}");
                });
        }
        Assert.True(failures.IsEmpty, string.Join('\n', failures.Order(StringComparer.Ordinal)));
    }

    private static async Task<string?> RunAsync(JsonElement recorded, JsonElement settings)
    {
        var answers = recorded.GetProperty("answers");
        var call = recorded.GetProperty("call");
        var time = new PlayedTime();
        var prepared = RawAnswers.Of(answers);
        await using var daemon = new Daemon(request => time.Play(prepared(request), request), RawAnswers.IsEarly(answers));
        await using var client = new KuboClient(
            new KuboOptions
            {
                Address = DaemonAddress.Tcp("127.0.0.1", daemon.Port),
                RequestTimeout = Setting(settings, "ipfs_request_timeout"),
                PinTimeout = Setting(settings, "pin_timeout"),
                UnpinTimeout = Setting(settings, "unpin_timeout"),
                RepoGcTimeout = Setting(settings, "repogc_timeout"),
            },
            time: time);
        time.Gate = client.Gate;
        var ours = await RecordedCall.RunAsync(client, call, [], time);
        var expected = VerdictComparison.Recorded(recorded);
        if (Deviation.Of(call, answers.GetRawText().Replace("\\\"", "\\u0022", StringComparison.Ordinal), expected) is { } deviation)
            return deviation.Check(ours) is { } wrong ? $"{wrong} ({deviation.Reason})" : null;
        return VerdictComparison.Difference(expected, ours, $"127.0.0.1:{daemon.Port}") ?? SentDifference(recorded, daemon);
    }

    private static string? SentDifference(JsonElement recorded, Daemon daemon)
    {
        var expected = recorded.GetProperty("sent").EnumerateArray().Select(target => ReceivedRequest.MeaningOf("", target.GetString()!)).ToList();
        var sent = daemon.Received.Select(request => ReceivedRequest.MeaningOf("", request.Target)).ToList();
        return expected.SequenceEqual(sent) ? null : $"recorded requests {string.Join(' ', expected)}, ours {string.Join(' ', sent)}";
    }

    private static TimeSpan Setting(JsonElement settings, string name) =>
        TimeSpan.FromSeconds(double.Parse(settings.GetProperty(name).GetString()!.TrimEnd('s'), CultureInfo.InvariantCulture));
}
