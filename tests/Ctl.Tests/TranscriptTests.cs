using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Ctl.Tests;

/// <summary>The recorded transcripts that need no peer: help, usage errors, local errors, unreachable peers.</summary>
[Trait("Category", "Golden")]
public sealed class TranscriptTests : IDisposable
{
    private readonly string _before = Environment.CurrentDirectory;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ctl-tests-");

    public static TheoryData<string> Transcripts()
    {
        var files = new TheoryData<string>();
        var folder = Path.Combine(Golden.Folder, "cli", "ctl");
        if (!Directory.Exists(folder))
            return files;
        foreach (var file in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
        {
            if (JsonNode.Parse(File.ReadAllText(file))!["needs"] is null)
                files.Add(Path.GetFileName(file));
        }

        return files;
    }

    [Theory]
    [MemberData(nameof(Transcripts))]
    public async Task The_program_prints_what_was_recorded(string file)
    {
        var transcript = JsonNode.Parse(File.ReadAllText(Path.Combine(Golden.Folder, "cli", "ctl", file)))!;
        // The program resolves names against the working directory; nothing else in this assembly does.
        Environment.CurrentDirectory = _folder.FullName;
        var failures = new StringBuilder();
        var count = 0;
        // A port at which nobody listens, and nobody else can.
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var dead = bound.LocalEndPoint!.ToString()!;
        foreach (var item in transcript["steps"]!.AsArray())
        {
            var step = item!.AsObject();
            Prepare(step);
            string Expand(string text) => text.Replace("<deadhost>", dead).Replace("<dead>", $"/ip4/127.0.0.1/tcp/{dead.Split(':')[1]}");
            var arguments = (step["args"]?.AsArray() ?? []).Select(a => Expand(a!.GetValue<string>())).ToArray();
            var environment = (step["env"]?.AsObject() ?? []).ToDictionary(e => e.Key, e => e.Value!.GetValue<string>());
            var run = await CtlRun.OfAsync(arguments, environment);
            if (step["check"]?.GetValue<bool>() == false || step["fault"] is not null)
                continue;
            var logs = step["logs"]?.GetValue<bool>() == true;
            string Normal(string text) => Normalised(logs ? text : WithoutLogs(text), step, dead);
            string Recorded(string key) => logs ? Text(step, key) : WithoutLogs(Text(step, key));
            var exit = step["exit"]!.GetValue<int>();
            if (run.Exit == exit && Normal(run.Output) == Recorded("stdout") && Normal(run.Error) == Recorded("stderr"))
                continue;
            if (count++ < 5)
            {
                failures.AppendLine($"{step["name"]}: exit {run.Exit}, recorded {exit}");
                failures.AppendLine(First(Recorded("stdout") + "\n|" + Recorded("stderr"), Normal(run.Output) + "\n|" + Normal(run.Error)));
            }
        }

        Assert.True(count == 0, $"{count} steps differ\n{failures}");
    }

    public void Dispose()
    {
        Environment.CurrentDirectory = _before;
        _folder.Delete(recursive: true);
    }

    private void Prepare(JsonObject step)
    {
        foreach (var (name, content) in step["files"]?.AsObject() ?? [])
        {
            if (content is JsonValue value && value.TryGetValue<string>(out var text))
                File.WriteAllText(Path.Combine(_folder.FullName, name), text);
        }
    }

    private static string Text(JsonObject step, string key) => step[key]?.GetValue<string>() ?? string.Empty;

    private static string Normalised(string text, JsonObject step, string dead)
    {
        text = text.Replace(dead, "<deadhost>");
        foreach (var rule in step["normalised"]?.AsArray() ?? [])
        {
            text = rule switch
            {
                JsonObject own => Regex.Replace(text, own["re"]!.GetValue<string>(), own["as"]!.GetValue<string>(), RegexOptions.Multiline),
                _ when rule!.GetValue<string>() is "time" or "logtime" => Regex.Replace(text, @"^\d{4}-\d\d-\d\dT\S+(?=\t)", "<time>", RegexOptions.Multiline),
                _ when rule.GetValue<string>() == "caller" => Regex.Replace(text, @"\t[\w.@/-]+\.\w+:\d+\t", "\t<caller>\t"),
                _ => text,
            };
        }

        return text;
    }

    private static string WithoutLogs(string text) =>
        Regex.Replace(text, @"^(?:\d{4}-\d\d-\d\dT\S+|<time>)\t(?:DEBUG|INFO|WARN|ERROR|FATAL)\t.*\n", string.Empty, RegexOptions.Multiline);

    private static string First(string expected, string actual)
    {
        var same = expected.Zip(actual).TakeWhile(pair => pair.First == pair.Second).Count();
        string Around(string text) => text[Math.Max(0, same - 60)..Math.Min(text.Length, same + 120)];
        return $"  recorded …{Around(expected)}…\n  printed  …{Around(actual)}…";
    }
}
