using System.Collections.Concurrent;
using FakeDaemon;

namespace Cluster.Connector.Tests;

/// <summary>A fake daemon that holds pins in memory; CIDs that begin with a given text take long to pin, or fail.</summary>
internal sealed class ScriptedDaemon : IAsyncDisposable
{
    public const string PeerId = "12D3KooWGHHVX4zjxRXbJHVgoVBtaYzh7vbhASUpzHxPHCDC1NA4";

    private readonly ConcurrentDictionary<string, string> _pins = new();
    private readonly Daemon _daemon;

    public ScriptedDaemon() => _daemon = new Daemon(Answer);

    /// <summary>CIDs whose pin/add never ends.</summary>
    public ConcurrentDictionary<string, byte> Hanging { get; } = new();

    /// <summary>CIDs whose pin/add fails.</summary>
    public ConcurrentDictionary<string, byte> Failing { get; } = new();

    public Daemon Daemon => _daemon;

    public IReadOnlyCollection<string> Pins => [.. _pins.Keys];

    public ValueTask DisposeAsync() => _daemon.DisposeAsync();

    private IEnumerable<Step> Answer(ReceivedRequest request)
    {
        var query = request.Command.Split('?', 2);
        var cid = query.Length > 1
            ? query[1].Split('&').Where(pair => pair.StartsWith("arg=", StringComparison.Ordinal)).Select(pair => pair[4..]).FirstOrDefault() ?? ""
            : "";
        return query[0] switch
        {
            "id" => Step.Answer(200, $"{{\"ID\":\"{PeerId}\",\"Addresses\":[\"/ip4/127.0.0.1/tcp/4001/p2p/{PeerId}\"]}}"),
            "repo/stat" => Step.Answer(200, "{\"RepoSize\":100,\"StorageMax\":1000}"),
            "pin/ls" when cid.Length > 0 => _pins.TryGetValue(cid, out var type)
                ? Step.Streamed([$"{{\"Cid\":\"{cid}\",\"Type\":\"{type}\"}}\n"])
                : Error($"path '{cid}' is not pinned"),
            "pin/ls" => Step.Streamed(_pins.Select(pin => $"{{\"Cid\":\"{pin.Key}\",\"Type\":\"{pin.Value}\"}}\n")),
            "pin/add" when Hanging.ContainsKey(cid) =>
                [.. Step.Streamed(["{\"Progress\":1,\"Bytes\":10}\n", "{\"Progress\":2,\"Bytes\":20}\n"]).SkipLast(1), new Step.Hang()],
            "pin/add" when Failing.ContainsKey(cid) => Step.Streamed(["{\"Progress\":1}\n"], "pin: merkledag: not found"),
            "pin/add" => Add(cid, request.Command.Contains("recursive=true", StringComparison.Ordinal) ? "recursive" : "direct"),
            "pin/rm" => _pins.TryRemove(cid, out _) ? Step.Answer(200, $"{{\"Pins\":[\"{cid}\"]}}") : Error("not pinned or pinned indirectly"),
            _ => Step.Answer(404, "404 page not found\n", "text/plain"),
        };
    }

    private IEnumerable<Step> Add(string cid, string type)
    {
        _pins[cid] = type;
        return Step.Streamed(["{\"Progress\":1,\"Bytes\":10}\n", $"{{\"Pins\":[\"{cid}\"]}}\n"]);
    }

    private static IReadOnlyList<Step> Error(string message) =>
        Step.Answer(500, System.Text.Json.JsonSerializer.Serialize(new { Message = message, Code = 0, Type = "error" }));
}
