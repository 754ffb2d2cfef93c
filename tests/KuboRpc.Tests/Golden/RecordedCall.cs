using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ipld;

namespace KuboRpc.Tests.Golden;

/// <summary>What a call came to: a result as the records write it, an error, or both (items before an error).</summary>
public sealed record Verdict(JsonNode? Result, string? Error);

/// <summary>Runs the <c>call</c> of a record on a client and tells the verdict in the words of the records.</summary>
public static partial class RecordedCall
{
    /// <param name="client">The client.</param>
    /// <param name="call">The record's <c>call</c>.</param>
    /// <param name="blockCids">CIDs of the blocks as the original sent them, for hash functions that this test cannot compute.</param>
    /// <param name="time">The client's clock, in which the caller's patience ends and its blocks are made.</param>
    internal static async Task<Verdict> RunAsync(KuboClient client, JsonElement call, IReadOnlyList<string> blockCids, PlayedTime time)
    {
        using var cancel = call.TryGetProperty("Timeout", out var timeout)
            ? new CancellationTokenSource(TimeSpan.FromMilliseconds(timeout.GetInt32()), time)
            : new CancellationTokenSource();
        var partial = new JsonArray();
        try
        {
            return new Verdict(await RunAsync(client, call, blockCids, partial, time, cancel.Token), null);
        }
        catch (KuboException failure)
        {
            return new Verdict(partial.Count > 0 ? partial : null, failure.Message);
        }
        catch (OperationCanceledException)
        {
            return new Verdict(partial.Count > 0 ? partial : null, "context canceled");
        }
    }

    private static async Task<JsonNode?> RunAsync(
        KuboClient client, JsonElement call, IReadOnlyList<string> blockCids, JsonArray partial, PlayedTime time, CancellationToken cancellationToken)
    {
        var argument = call.TryGetProperty("Arg", out var text) ? text.GetString()! : "";
        var depth = call.TryGetProperty("Depth", out var number) ? number.GetInt32() : -1;
        switch (call.GetProperty("Op").GetString())
        {
            case "repostat":
                var stat = await client.RepoStatAsync(cancellationToken);
                return new JsonObject { ["RepoSize"] = Number(stat.RepoSize), ["StorageMax"] = Number(stat.StorageMax) };
            case "id":
                var id = await client.IdAsync(cancellationToken);
                return new JsonObject { ["id"] = id.Id.ToString(), ["addresses"] = Array(id.Addresses), ["error"] = "" };
            case "pinlscid":
                return PinStatus(await client.CheckPinAsync(Cid.Parse(argument), depth == 0, cancellationToken));
            case "pin":
                await client.PinAsync(Pin(call, argument, depth), null, cancellationToken);
                return "ok";
            case "unpin":
                await client.UnpinAsync(Cid.Parse(argument), cancellationToken);
                return "ok";
            case "pinls":
                // Of several types the original asks for the first only; so does this, since the record has one answer.
                await foreach (var pin in client.ListPinsAsync(call.GetProperty("Args")[0].GetString()!, cancellationToken))
                    partial.Add(new JsonObject { ["Cid"] = pin.Cid.ToString(), ["Type"] = pin.Kind.ToString().ToLowerInvariant() });
                return partial;
            case "repogc":
                await foreach (var item in client.RepoGcAsync(cancellationToken))
                {
                    var entry = new JsonObject { ["key"] = item.Key?.ToString() };
                    if (item.Error.Length > 0)
                        entry["error"] = item.Error;
                    partial.Add(entry);
                }
                return new JsonObject { ["peer"] = "", ["peername"] = "", ["keys"] = partial };
            case "resolve":
                return (await client.ResolveAsync(argument, cancellationToken)).Cid.ToString();
            case "swarmpeers":
                return Array((await client.SwarmPeersAsync(cancellationToken)).Select(peer => peer.ToString()));
            case "configkey":
                return JsonNode.Parse(await client.ConfigKeyAsync(argument, cancellationToken));
            case "blockget":
                var bytes = await client.GetBlockAsync(Cid.Parse(argument), cancellationToken);
                return new JsonObject { ["base64"] = Convert.ToBase64String(bytes), ["length"] = bytes.Length };
            case "blockstream":
                await foreach (var _ in client.PutBlocksAsync(Blocks(call, blockCids, time), cancellationToken))
                {
                }
                return "ok";
            case var other:
                throw new NotSupportedException($"the records have a call \"{other}\" that this test does not know");
        }
    }

    /// <summary>The CIDs of the parts of a recorded request body, or of the part of it that the record holds.</summary>
    public static IReadOnlyList<string> BlockCidsOf(JsonElement request)
    {
        if (!request.TryGetProperty("body", out var body))
            return [];
        var text = body.TryGetProperty("text", out var plain) ? plain.GetString()!
            : body.TryGetProperty("base64", out var base64) ? Encoding.Latin1.GetString(base64.GetBytesFromBase64())
            : Encoding.Latin1.GetString(body.GetProperty("head_base64").GetBytesFromBase64());
        return [.. FileName().Matches(text).Select(match => match.Groups[1].Value)];
    }

    [GeneratedRegex("filename=\"([^\"]+)\"")]
    private static partial Regex FileName();

    private static DaemonPinRequest Pin(JsonElement call, string cid, int depth) => new()
    {
        Cid = Cid.Parse(cid),
        MaxDepth = depth,
        Origins = call.TryGetProperty("Origins", out var origins) ? [.. origins.EnumerateArray().Select(origin => origin.GetString()!)] : [],
        UpdateFrom = call.TryGetProperty("Update", out var from) ? Cid.Parse(from.GetString()!) : null,
    };

    private static async IAsyncEnumerable<DaemonBlock> Blocks(JsonElement call, IReadOnlyList<string> cids, PlayedTime time)
    {
        var index = 0;
        foreach (var block in call.TryGetProperty("Blocks", out var blocks) && blocks.ValueKind == JsonValueKind.Array ? [.. blocks.EnumerateArray()] : Enumerable.Empty<JsonElement>())
        {
            if (block.TryGetProperty("Delay", out var delay))
            {
                await Task.Yield();
                time.Advance(TimeSpan.FromMilliseconds(delay.GetInt32()));
            }
            var data = block.TryGetProperty("Data", out var base64) ? base64.GetBytesFromBase64() : new byte[block.GetProperty("Len").GetInt32()];
            yield return new DaemonBlock(index < cids.Count ? Cid.Parse(cids[index]) : Hash(block, data), data);
            index++;
        }
    }

    private static Cid Hash(JsonElement block, byte[] data)
    {
        var code = block.GetProperty("Mh").GetUInt64();
        byte[] digest = code switch
        {
            MultihashCode.Sha1 => SHA1.HashData(data),
            MultihashCode.Sha2_256 => SHA256.HashData(data),
            MultihashCode.Sha2_512 => SHA512.HashData(data),
            MultihashCode.Md5 => MD5.HashData(data),
            MultihashCode.Identity => data,
            // Its digest does not matter where no daemon answered with it.
            _ => SHA256.HashData(data),
        };
        return Cid.CreateV1(block.GetProperty("Codec").GetUInt64(), Multihash.Create(code, digest));
    }

    private static JsonObject PinStatus(DaemonPinKind kind) => kind switch
    {
        DaemonPinKind.Direct => new() { ["name"] = "direct", ["status"] = 2 },
        DaemonPinKind.Recursive => new() { ["name"] = "recursive", ["status"] = 3 },
        DaemonPinKind.Indirect => new() { ["name"] = "indirect", ["status"] = 4 },
        DaemonPinKind.Unpinned => new() { ["name"] = "", ["status"] = 5 },
        _ => new() { ["name"] = "", ["status"] = 0 },
    };

    // The records keep numbers that JavaScript cannot hold as text.
    private static JsonNode Number(ulong value) => value > 1UL << 53 ? value.ToString(CultureInfo.InvariantCulture) : value;

    private static JsonArray Array(IEnumerable<string> items) => [.. items.Select(item => (JsonNode)item)];
}
