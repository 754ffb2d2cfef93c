using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FakeDaemon;
using Xunit;

namespace KuboRpc.Tests.Golden;

[Trait("Category", "Golden")]
public sealed partial class RecordedExchangeTests
{
    /// <summary>Where no limit was reached, none is to be.</summary>
    private static readonly TimeSpan Unlimited = TimeSpan.FromDays(1);

    [Fact]
    public async Task The_calls_of_the_original_lead_to_its_requests_and_verdicts()
    {
        var failures = new ConcurrentBag<string>();
        await ForEachCaseAsync(async (file, recorded, name) =>
        {
            if (recorded.TryGetProperty("connector", out var connector) && await RunCallAsync(file, recorded, connector) is { } difference)
                failures.Add($"{name}: {difference}");
        });
        Assert.True(failures.IsEmpty, string.Join('\n', failures.Order(StringComparer.Ordinal)));
    }

    /// <summary>
    /// Requests recorded without a verdict (a whole peer's life, requests sent by hand): where their form is one that the client
    /// sends, it must send it so, and understand the answer.
    /// </summary>
    [Fact]
    public async Task Every_recorded_answer_to_a_request_of_ours_is_understood()
    {
        var failures = new ConcurrentBag<string>();
        await ForEachCaseAsync(async (file, recorded, name) =>
        {
            if (recorded.TryGetProperty("connector", out _) || !recorded.TryGetProperty("exchanges", out var exchanges))
                return;
            foreach (var exchange in exchanges.EnumerateArray().Select(exchange => new RecordedExchange(exchange, file)))
            {
                if (exchange.Method == "POST" && CallOf(exchange.Target) is { } call && await RunOneAsync(exchange, call) is { } difference)
                    failures.Add($"{name}, {exchange.Target}: {difference}");
            }
        });
        Assert.True(failures.IsEmpty, string.Join('\n', failures.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task The_answers_of_Kubo_and_of_both_test_daemons_are_understood()
    {
        var failures = new ConcurrentBag<string>();
        await ForEachCaseAsync(async (_, recorded, name) =>
        {
            if (!recorded.TryGetProperty("target", out var target) || CallOf(target.GetString()!) is not { } call)
                return;
            foreach (var daemon in (string[])["kubo", "js --kubo", "js"])
            {
                var answer = recorded.GetProperty(daemon);
                if (Steps(answer) is { } steps && await RunOneAsync(steps, answer.GetProperty("status").GetInt32(), null, call) is { } difference)
                    failures.Add($"{name}, {daemon}: {difference}");
            }
        });
        Assert.True(failures.IsEmpty, string.Join('\n', failures.Order(StringComparer.Ordinal)));
    }

    private static async Task ForEachCaseAsync(Func<JsonElement, JsonElement, string, Task> run)
    {
        foreach (var path in RecordedAnswers.Files("kubo/rpc"))
        {
            if (Path.GetFileName(path).StartsWith("connector-reactions", StringComparison.Ordinal))
                continue;
            using var file = JsonDocument.Parse(await File.ReadAllBytesAsync(path));
            await Parallel.ForEachAsync(
                file.RootElement.GetProperty("cases").EnumerateArray(),
                new ParallelOptions { MaxDegreeOfParallelism = 8 },
                async (recorded, _) => await run(
                    file.RootElement, recorded, $"{Path.GetFileName(path)} {recorded.GetProperty("seq")} {recorded.GetProperty("name")}"));
        }
    }

    private static async Task<string?> RunCallAsync(JsonElement file, JsonElement recorded, JsonElement connector)
    {
        var call = connector.GetProperty("call");
        var exchanges = recorded.GetProperty("exchanges").EnumerateArray().Select(exchange => new RecordedExchange(exchange, file)).ToList();
        var open = new ConcurrentDictionary<string, ConcurrentQueue<RecordedExchange>>(
            exchanges.GroupBy(exchange => exchange.Meaning).Select(same => KeyValuePair.Create(same.Key, new ConcurrentQueue<RecordedExchange>(same))));
        var time = new PlayedTime();
        await using var daemon = new Daemon(request => time.Play(
            open.TryGetValue(request.Meaning, out var same) && same.TryDequeue(out var exchange)
                ? CameTooLate(connector, exchange) ? [new Step.Hang()] : exchange.Answer()!
                : Step.Answer(599, $"not recorded: {request.Method} {request.Target}", "text/plain"),
            request));
        var refused = exchanges.Count == 0 && connector.TryGetProperty("error", out var error)
            && error.GetString()!.Contains("connection refused", StringComparison.Ordinal);
        using var unused = UnusedPort();
        var address = DaemonAddress.Tcp("127.0.0.1", refused ? ((IPEndPoint)unused.LocalEndPoint!).Port : daemon.Port);
        var requestTimeout = RequestTimeout().Match(recorded.GetProperty("name").GetString()!) is { Success: true } match
            ? double.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)
            : 5;
        await using var client = new KuboClient(
            new KuboOptions
            {
                Address = address,
                RequestTimeout = VerdictComparison.IsTimeout(connector) ? TimeSpan.FromSeconds(requestTimeout) : Unlimited,
                PinTimeout = VerdictComparison.IsTimeout(connector) ? TimeSpan.FromSeconds(20) : Unlimited,
                UnpinTimeout = VerdictComparison.IsTimeout(connector) ? TimeSpan.FromSeconds(5) : Unlimited,
                BlockIdle = Unlimited,
            },
            time: time);
        time.Gate = client.Gate;
        var cids = recorded.GetProperty("exchanges").EnumerateArray().SelectMany(exchange => RecordedCall.BlockCidsOf(exchange.GetProperty("request"))).ToList();
        var ours = await RecordedCall.RunAsync(client, call, cids, time);
        var expected = VerdictComparison.Recorded(connector);
        if (exchanges.Any(exchange => exchange.LateError != null) && expected.Error == null && call.GetProperty("Op").GetString() != "repogc")
            return ours.Error == null ? "the late error was not seen (spec 16.3)" : null;
        if (exchanges.Any(exchange => exchange.Answer() == null))
            return null;
        if (IsMixedHashes(call))
            return null;
        // A real Kubo acknowledges every block; the rule for those that do not is for canned answers.
        var isBlockStream = call.GetProperty("Op").GetString() == "blockstream";
        var difference = !isBlockStream && Deviation.Of(call, Answers(exchanges), expected) is { } deviation
            ? deviation.Check(ours) is { } wrong ? $"{wrong} ({deviation.Reason})" : null
            : VerdictComparison.Difference(expected, ours, address.Authority) ?? await RequestDifferenceAsync(exchanges, daemon, call);
        return difference;
    }

    /// <summary>The record has the answer that the daemon gave when the original had already given up waiting for it.</summary>
    private static bool CameTooLate(JsonElement connector, RecordedExchange exchange) =>
        connector.TryGetProperty("error", out var error) && error.GetString() is { } text
        && text.StartsWith("Post \"", StringComparison.Ordinal) && text.Contains(exchange.Target + "\": context ", StringComparison.Ordinal);

    /// <summary>The daemon would store the second block under another hash than its CID has; ours are sent in two requests.</summary>
    private static bool IsMixedHashes(JsonElement call) =>
        call.TryGetProperty("Blocks", out var blocks) && blocks.EnumerateArray().Select(block => block.GetProperty("Mh").GetInt32()).Distinct().Count() > 1;

    private static string Answers(IEnumerable<RecordedExchange> exchanges) =>
        string.Concat(exchanges.Select(exchange =>
            $"HTTP/1.1 {exchange.Status} {exchange.BodyText?.Replace("\"", "\\u0022", StringComparison.Ordinal)}"
            + (exchange.LateError is { } late ? $"0\\r\\nX-Stream-Error: {late}" : "")));

    private static async Task<string?> RequestDifferenceAsync(List<RecordedExchange> exchanges, Daemon daemon, JsonElement call)
    {
        if (call.TryGetProperty("Origins", out _))
        {
            // Connects go out beside the pin; give those on their way the time to arrive.
            for (var waited = Stopwatch.StartNew(); daemon.Received.Count < exchanges.Count && waited.Elapsed < TimeSpan.FromSeconds(60);)
                await Task.Delay(20);
        }
        var received = daemon.Received.ToList();
        var expected = exchanges.Select(exchange => exchange.Meaning).Order(StringComparer.Ordinal);
        var sent = received.Select(request => request.Meaning).Order(StringComparer.Ordinal);
        if (!expected.SequenceEqual(sent))
            return $"recorded requests {string.Join(' ', expected)}, ours {string.Join(' ', sent)}";
        foreach (var request in received)
        {
            var exchange = exchanges.First(exchange => exchange.Meaning == request.Meaning);
            if (FormDifference(exchange, request) is { } difference)
                return difference;
        }
        return null;
    }

    private static string? FormDifference(RecordedExchange exchange, ReceivedRequest request)
    {
        if (request.Header("Accept-Encoding") != "gzip")
            return "the request does not accept gzip";
        var recordedType = exchange.RequestHeaders.First(header => header.Key == "Content-Type").Value;
        if (recordedType.Length == 0)
            return request.Header("Content-Type") == "" && request.Header("Content-Length") == "0" ? null : "Content-Type or Content-Length differ";
        if (request.Header("Transfer-Encoding") != "chunked" || !request.Header("Content-Type")!.StartsWith("multipart/form-data; boundary=", StringComparison.Ordinal))
            return $"Content-Type is {request.Header("Content-Type")}, Transfer-Encoding is {request.Header("Transfer-Encoding")}";
        if (exchange.RequestBody is not { } body)
            return null;
        var recorded = new ReceivedRequest(exchange.Method, exchange.Target, exchange.RequestHeaders, body);
        return recorded.Parts.SequenceEqual(request.Parts)
            ? null
            : $"recorded body {Encoding.Latin1.GetString(body)}, ours {Encoding.Latin1.GetString(request.Body)}";
    }

    private static Task<string?> RunOneAsync(RecordedExchange exchange, JsonElement call) =>
        exchange.Answer() is { } steps ? RunOneAsync(steps, exchange.Status, exchange, call) : Task.FromResult<string?>(null);

    private static async Task<string?> RunOneAsync(IReadOnlyList<Step> steps, int? status, RecordedExchange? exchange, JsonElement call)
    {
        var time = new PlayedTime();
        await using var daemon = new Daemon(request => time.Play(steps, request));
        await using var client = new KuboClient(
            new KuboOptions { Address = DaemonAddress.Tcp("127.0.0.1", daemon.Port), RequestTimeout = Unlimited, BlockIdle = Unlimited }, time: time);
        time.Gate = client.Gate;
        var ours = await RecordedCall.RunAsync(client, call, [], time);
        if (exchange != null && daemon.Received.First().Meaning != exchange.Meaning)
            return $"ours sent {daemon.Received.First().Target}";
        // Of a garbage collection the trailer only repeats the errors in the stream (spec 16.6).
        var repeated = call.GetProperty("Op").GetString() == "repogc" && exchange?.BodyText?.Contains("\"Error\"", StringComparison.Ordinal) == true;
        var late = exchange?.LateError != null && !repeated || steps.OfType<Step.Close>().Any() && status == 200 && exchange?.BodyText?.EndsWith('\n') == false;
        return status switch
        {
            200 when !late => ours.Error == null ? null : $"200 was not understood: {ours.Error}",
            200 or null => ours.Error != null ? null : "a late error was not seen",
            _ => ours.Error == null
                ? ToleratedRefusal(call) ? null : $"{status} was taken for good"
                : ours.Error.StartsWith("IPFS ", StringComparison.Ordinal) ? null : $"{status} was not understood: {ours.Error}",
        };
    }

    /// <summary>"Not pinned" is an answer to these, not a failure.</summary>
    private static bool ToleratedRefusal(JsonElement call) => call.GetProperty("Op").GetString() is "pinlscid" or "unpin";

    /// <summary>The call whose request a recorded target is; null when the client never sends such a one.</summary>
    private static JsonElement? CallOf(string target)
    {
        var command = target.Replace("/api/v0/", "", StringComparison.Ordinal);
        JsonObject? call = command switch
        {
            "id" => new() { ["Op"] = "id" },
            "swarm/peers" => new() { ["Op"] = "swarmpeers" },
            "repo/stat?size-only=true" => new() { ["Op"] = "repostat" },
            "repo/gc?stream-errors=true" => new() { ["Op"] = "repogc" },
            _ when PinCheck().Match(command) is { Success: true } check =>
                new() { ["Op"] = "pinlscid", ["Arg"] = check.Groups[1].Value, ["Depth"] = check.Groups[2].Value == "direct" ? 0 : -1 },
            _ when PinList().Match(command) is { Success: true } list => new() { ["Op"] = "pinls", ["Args"] = new JsonArray(list.Groups[1].Value) },
            _ when PinRemoval().Match(command) is { Success: true } removal => new() { ["Op"] = "unpin", ["Arg"] = removal.Groups[1].Value },
            _ when BlockGet().Match(command) is { Success: true } block => new() { ["Op"] = "blockget", ["Arg"] = block.Groups[1].Value },
            _ when Resolve().Match(command) is { Success: true } path => new() { ["Op"] = "resolve", ["Arg"] = Uri.UnescapeDataString(path.Groups[1].Value.Replace('+', ' ')) },
            _ => null,
        };
        if (call?["Op"]?.GetValue<string>() is "pinlscid" or "unpin" or "blockget" && !Ipld.Cid.TryParse(call["Arg"]!.GetValue<string>(), out _, out _))
            return null;
        return call == null ? null : JsonDocument.Parse(call.ToJsonString()).RootElement;
    }

    private static List<Step>? Steps(JsonElement answer)
    {
        if (!answer.TryGetProperty("body", out var body))
            return null;
        var pieces = body.ValueKind == JsonValueKind.Array ? [.. body.EnumerateArray()] : new List<JsonElement> { body };
        if (pieces.Any(piece => !piece.TryGetProperty("text", out _)))
            return null;
        var text = string.Concat(pieces.Select(piece => piece.GetProperty("text").GetString()));
        return [.. Step.Answer(answer.GetProperty("status").GetInt32(), text, answer.TryGetProperty("content_type", out var type) ? type.GetString()! : "text/plain")];
    }

    /// <summary>Holds a port on which nobody listens: connections to it are refused.</summary>
    private static Socket UnusedPort()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    [GeneratedRegex(@"request timeout ([\d.]+) s")]
    private static partial Regex RequestTimeout();

    [GeneratedRegex("^pin/ls\\?stream=true&arg=([^&]+)&type=(recursive|direct)$")]
    private static partial Regex PinCheck();

    [GeneratedRegex("^pin/ls\\?stream=true&type=([^&]*)$")]
    private static partial Regex PinList();

    [GeneratedRegex("^pin/rm\\?arg=([^&]+)$")]
    private static partial Regex PinRemoval();

    [GeneratedRegex("^block/get\\?arg=([^&/]+)$")]
    private static partial Regex BlockGet();

    [GeneratedRegex("^resolve\\?arg=([^&]+)$")]
    private static partial Regex Resolve();
}
