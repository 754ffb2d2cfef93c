using System.Text.Json;

namespace FakeDaemon;

/// <summary>The <c>answers</c> of <c>connector-reactions.json</c>: raw bytes for each command, pauses in ms, RESET, HANG.</summary>
public static class RawAnswers
{
    /// <summary>A daemon's behaviour from a case's <c>answers</c>. The longest key that begins a command is its answer; then the connection closes.</summary>
    public static Func<ReceivedRequest, IEnumerable<Step>> Of(JsonElement answers) => request =>
    {
        var match = answers.EnumerateObject()
            .Where(answer => answer.Value.ValueKind == JsonValueKind.Array && request.Command.StartsWith(answer.Name, StringComparison.Ordinal))
            .OrderByDescending(answer => answer.Name.Length)
            .Select(answer => (JsonElement?)answer.Value)
            .FirstOrDefault();
        return match == null
            ? [.. Step.Answer(404, "404 page not found\n", "text/plain"), new Step.Close()]
            : [.. match.Value.EnumerateArray().Select(Read), new Step.Close()];
    };

    /// <summary>Whether the daemon answers before it has read the body.</summary>
    public static bool IsEarly(JsonElement answers) => answers.TryGetProperty("early", out var early) && early.GetBoolean();

    private static Step Read(JsonElement step) => step.ValueKind switch
    {
        JsonValueKind.Number => new Step.Pause(TimeSpan.FromMilliseconds(step.GetInt32())),
        _ when step.ValueEquals("RESET") => new Step.Reset(),
        _ when step.ValueEquals("HANG") => new Step.Hang(),
        _ => Step.Text(step.GetString()!),
    };
}
