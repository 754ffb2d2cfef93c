using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace KuboRpc.Tests.Golden;

/// <summary>Compares verdicts: results exactly, errors as exactly as the spec fixes their words (16.5).</summary>
public static partial class VerdictComparison
{
    public static Verdict Recorded(JsonElement of)
    {
        var result = of.TryGetProperty("result", out var value) ? JsonNode.Parse(value.GetRawText()) : null;
        return new Verdict(result, of.TryGetProperty("error", out var error) ? error.GetString() : null);
    }

    /// <summary>Whether the original ended at a limit; other cases have none here.</summary>
    public static bool IsTimeout(JsonElement of) =>
        of.TryGetProperty("error", out var error) && error.GetString()!.Contains("context ", StringComparison.Ordinal);

    /// <summary>What differs, or null.</summary>
    /// <param name="recorded">The original's verdict.</param>
    /// <param name="ours">Ours.</param>
    /// <param name="authority">Host and port that our client was given.</param>
    public static string? Difference(Verdict recorded, Verdict ours, string authority)
    {
        if (recorded.Error is { } error)
        {
            if (ours.Error == null)
                return $"recorded error \"{error}\", ours {ours.Result?.ToJsonString()}";
            return SameError(Authority().Replace(error, authority), ours.Error) ? null : $"recorded error \"{error}\", ours \"{ours.Error}\"";
        }
        if (ours.Error != null)
            return $"recorded {recorded.Result?.ToJsonString()}, ours the error \"{ours.Error}\"";
        // The records say "ok" of a value that is null.
        if (ours.Result == null && recorded.Result?.ToJsonString() == "\"ok\"")
            return null;
        return JsonNode.DeepEquals(recorded.Result, ours.Result)
            ? null
            : $"recorded {recorded.Result?.ToJsonString()}, ours {ours.Result?.ToJsonString()}";
    }

    private static bool SameError(string recorded, string ours)
    {
        if (recorded.StartsWith("IPFS ", StringComparison.Ordinal) || recorded.StartsWith("context ", StringComparison.Ordinal)
            || recorded.StartsWith("key not found", StringComparison.Ordinal) || recorded == "invalid path" || recorded.StartsWith("BlockStream", StringComparison.Ordinal))
        {
            return ours == recorded;
        }
        if (recorded.StartsWith("invalid path \"", StringComparison.Ordinal))
            return ours.StartsWith(recorded[..recorded.IndexOf("\": ", StringComparison.Ordinal)], StringComparison.Ordinal);
        // Who cancels a call himself needs no words for it.
        if (recorded.EndsWith("context canceled", StringComparison.Ordinal) && ours == "context canceled")
            return true;
        if (recorded.StartsWith("Post \"", StringComparison.Ordinal))
        {
            var cause = recorded.IndexOf("\": ", StringComparison.Ordinal) + 3;
            return ours.StartsWith(recorded[..cause], StringComparison.Ordinal)
                && (!recorded[cause..].StartsWith("context ", StringComparison.Ordinal) || ours == recorded);
        }
        // Words of Go's JSON reader and of its sockets: that there is an error is what counts.
        return true;
    }

    [GeneratedRegex(@"127\.0\.0\.1:\d+(?=/api|:)")]
    private static partial Regex Authority();
}
