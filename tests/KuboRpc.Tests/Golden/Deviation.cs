using System.Text.Json;
using System.Text.Json.Nodes;

namespace KuboRpc.Tests.Golden;

/// <summary>
/// Where this client concludes otherwise than v1.1.6, on purpose: faults that are not copied, and daemons that are tolerated. Told by
/// what the daemon answers, so that cases recorded later fall under the same rules.
/// </summary>
public sealed record Deviation(string Reason, Func<JsonElement, string, Verdict, bool> Applies, Func<Verdict, string?> Check)
{
    private static readonly Func<Verdict, string?> IsError = ours => ours.Error == null ? "an error was expected" : null;

    private static readonly Func<Verdict, string?> IsGood = ours => ours.Error != null ? $"no error was expected: {ours.Error}" : null;

    private static readonly Func<Verdict, string?> Either = _ => null;

    private static readonly IReadOnlyList<Deviation> All =
    [
        new("spec 16.3: a late error in the trailer is an error",
            (call, answers, recorded) => recorded.Error == null && answers.Contains("0\\r\\nX-Stream-Error:", StringComparison.Ordinal)
                // Of a garbage collection the trailer only repeats the errors in the stream (spec 16.6).
                && !(Is(call, "repogc") && answers.Contains("\\u0022Error\\u0022", StringComparison.Ordinal)),
            IsError),
        new("spec 16.3: an error object inside a stream is an error",
            (call, answers, recorded) => recorded.Error == null && Is(call, "pin", "pinls", "pinlscid", "repogc", "blockstream")
                && Good(answers, body => body.Contains("\\u0022Type\\u0022:\\u0022error\\u0022", StringComparison.Ordinal)),
            IsError),
        new("local-ipfs 2: sizes may be strings",
            (call, answers, recorded) => Is(call, "repostat") && (recorded.Error?.Contains("cannot unmarshal string", StringComparison.Ordinal) ?? false)
                && recorded.Error!.Contains("IPFSRepoStat.", StringComparison.Ordinal),
            Either),
        new("local-ipfs 5: \"not pinned\" by substring",
            (call, answers, recorded) => Is(call, "pinlscid", "pin") && Refusal(recorded, "Message: ", "not pinned"),
            IsGood),
        new("local-ipfs 5: \"X is not pinned\" and \"X is pinned indirectly\" need no unpinning",
            (call, answers, recorded) => Is(call, "unpin") && (Refusal(recorded, "Message: ", "not pinned") || Refusal(recorded, "Message: ", "is pinned indirectly")),
            IsGood),
        new("local-ipfs 1: CIDs may come with /ipfs/ before them",
            (call, answers, recorded) => Is(call, "pinls", "pinlscid", "pin") && recorded.Error != null
                && answers.Contains("\\u0022Cid\\u0022:\\u0022/ipfs/", StringComparison.Ordinal),
            Either),
        new("local-ipfs 6: a daemon without pin/update gets a pin/add",
            (call, answers, recorded) => Is(call, "pin") && recorded.Error is { } error
                && error.Contains("(pin/update?", StringComparison.Ordinal) && error.Contains("ode 404", StringComparison.Ordinal),
            IsGood),
        new("spec 5: pin/update that comes too late gets a pin/add",
            (call, answers, recorded) => Is(call, "pin") && recorded.Error is { } error && error.Contains("(pin/update?", StringComparison.Ordinal)
                && error.Contains("recursively pinned", StringComparison.Ordinal),
            Either),
        new("spec 16.3: a block that the daemon did not acknowledge by its hash is not written",
            (call, answers, recorded) => Is(call, "blockstream") && recorded.Error == null && !AcknowledgesAll(call, answers),
            IsError),
        new("the old form of pin/ls, {\"Keys\":{...}}, is read",
            (call, answers, recorded) => Is(call, "pinlscid", "pinls", "pin") && answers.Contains("\\u0022Keys\\u0022", StringComparison.Ordinal),
            Either),
        new("an address of a kind that is unknown here does not make the daemon count as down",
            (call, answers, recorded) => Is(call, "id") && recorded.Error is { } error && error.Contains("multiaddr", StringComparison.Ordinal),
            Either),
    ];

    /// <summary>The rule that a case falls under, or null.</summary>
    public static Deviation? Of(JsonElement call, string answers, Verdict recorded) => All.FirstOrDefault(rule => rule.Applies(call, answers, recorded));

    private static bool Is(JsonElement call, params string[] operations) => operations.Contains(call.GetProperty("Op").GetString());

    private static bool Refusal(Verdict recorded, string before, string text) =>
        recorded.Error is { } error && error.StartsWith("IPFS error", StringComparison.Ordinal)
        && error.IndexOf(before, StringComparison.Ordinal) is >= 0 and var at && error.IndexOf(text, at, StringComparison.Ordinal) >= 0;

    private static bool Good(string answers, Func<string, bool> body) =>
        answers.Split("HTTP/1.1 ").Any(answer => answer.StartsWith("200", StringComparison.Ordinal) && body(answer));

    // Every block's hash must be among the keys of the answer; the original only looked for a clean end.
    private static bool AcknowledgesAll(JsonElement call, string answers) =>
        call.GetProperty("Blocks").EnumerateArray().All(block =>
            block.TryGetProperty("Data", out var data)
            && answers.Contains(CidOf(block, data.GetBytesFromBase64()), StringComparison.Ordinal));

    private static string CidOf(JsonElement block, byte[] data) =>
        block.GetProperty("Mh").GetUInt64() == Ipld.MultihashCode.Sha2_256
            ? Ipld.Cid.CreateV1(
                block.GetProperty("Codec").GetUInt64(),
                Ipld.Multihash.Create(Ipld.MultihashCode.Sha2_256, System.Security.Cryptography.SHA256.HashData(data))).ToString()
            : "no key";
}
