using System.Text;
using System.Text.Json.Nodes;
using Ipld;
using Libp2p;

namespace Cluster.Model.Tests;

[Trait("Category", "Golden")]
public class PinGoldenTests
{
    private const string File = "bytes/pin.json";

    [Fact]
    public void A_pin_is_printed_stored_and_asked_for_as_recorded() => Golden.All(Golden.Cases(File, "pins"), Name, golden =>
    {
        var pin = ModelJsonReader.ReadPin(Utf8(Golden.Of(golden, "json")!));
        // JSON keeps type 0 and bad-type apart as little as the original does, so the stored form is taken from the printed one.
        var stored = PinProtobuf.Parse(Convert.FromHexString(Golden.Of(golden, "proto_hex")!));
        return Golden.Compare(Golden.Of(golden, "json"), Print(pin), "json")
            ?? Golden.Compare(Golden.Of(golden, "proto_hex"), Convert.ToHexStringLower(PinProtobuf.ToBytes(pin)), "proto_hex")
            ?? Golden.Compare(Golden.Of(golden, "stored_json"), Print(stored with { Cid = pin.Cid }), "stored_json")
            ?? Golden.Compare(Golden.Of(golden, "to_query"), PinOptionsQuery.ToQuery(pin.Options), "to_query")
            ?? Golden.Compare(Golden.Of(golden, "ds_key"), pin.Cid.IsDefined ? pin.Cid.ToDatastoreKey() : Golden.Of(golden, "ds_key"), "ds_key")
            ?? Expiry(golden, pin);
    });

    [Fact]
    public void A_stored_pin_equals_the_original_where_recorded() => Golden.All(Golden.Cases(File, "pins"), Name, golden =>
    {
        var pin = ModelJsonReader.ReadPin(Utf8(Golden.Of(golden, "json")!));
        if (golden["stored_equals_original"] is not { } expected || pin.Type == PinType.Bad)
            return null; // JSON does not tell type 0 from bad-type, the comparison does
        var stored = PinProtobuf.Parse(Convert.FromHexString(Golden.Of(golden, "proto_hex")!)) with { Cid = pin.Cid };
        return stored.IsEquivalentTo(pin) == expected.GetValue<bool>() ? null : $"expected {expected}";
    });

    [Fact]
    public void Stored_bytes_are_read_as_recorded() => Golden.All(Golden.Cases(File, "proto_decode"), Name, golden =>
    {
        var read = PinProtobuf.TryParse(Convert.FromHexString(Golden.Of(golden, "proto_hex")!), out var pin, out var error);
        if (Golden.Of(golden, "error") is { } expected)
            return Golden.Compare(expected, error);
        return read
            ? Golden.Compare(Golden.Of(golden, "json"), Print(pin!))
                ?? Golden.Compare(Golden.Of(golden, "remarshal_hex"), Convert.ToHexStringLower(PinProtobuf.ToBytes(pin!)))
            : error;
    });

    [Fact]
    public void Json_is_read_as_recorded() => Golden.All(Golden.Cases(File, "json_decode"), Name, golden =>
    {
        Pin pin;
        try
        {
            pin = ModelJsonReader.ReadPin(Utf8(Golden.Of(golden, "in")!));
        }
        catch (FormatException e)
        {
            return Golden.Compare(Golden.Of(golden, "error"), e.Message);
        }

        return Golden.Compare(Golden.Of(golden, "error"), null) ?? Golden.Compare(Golden.Of(golden, "json"), Print(pin))
            ?? Golden.Compare(Golden.Of(golden, "proto_hex"), Convert.ToHexStringLower(PinProtobuf.ToBytes(pin)));
    });

    [Fact]
    public void Queries_are_read_as_recorded() => Golden.All(Golden.Cases(File, "from_query"), Name, golden =>
    {
        var query = GoQuery.Parse(Golden.Of(golden, "query")!);
        var complaint = Golden.Compare(Golden.Of(golden, "query_parse_error"), query.Complaint, "query_parse_error");
        var parsed = PinOptionsQuery.TryParse(query, GoTime.FromUnix(1_700_000_000), out var options, out var error);
        if (Golden.Of(golden, "error") is { } expected)
            return Golden.Compare(expected, error);
        if (!parsed)
            return error;
        if (golden["note"] is null)
        {
            return complaint ?? Golden.Compare(Golden.Of(golden, "json"), ModelJson.ToText(options, ModelJson.Write))
                ?? Golden.Compare(Golden.Of(golden, "to_query"), PinOptionsQuery.ToQuery(options));
        }

        // Relative times were recorded with the clock of that moment.
        return options.ExpireAt > GoTime.FromUnix(1_700_000_000) ? null : "no expiry";
    });

    [Fact]
    public void Cids_are_read_as_recorded() => Golden.All(Golden.Cases(File, "cids"), golden => Golden.Of(golden, "in")!, golden =>
    {
        var read = Cid.TryParse(Golden.Of(golden, "in"), out var cid, out var error);
        return Golden.Of(golden, "error") is { } expected
            ? Golden.Compare(expected, error)
            : !read ? error : Golden.Compare(Golden.Of(golden, "ds_key"), cid.ToDatastoreKey());
    });

    [Fact]
    public void Names_of_statuses_and_types_are_as_recorded()
    {
        if (!Golden.Has(File))
            return;
        var misc = Golden.Read(File)["misc"]!.AsObject();
        Golden.All(misc["pin_type_from_string"]!.AsObject(), e => e.Key, e => Same(e.Value!.GetValue<int>(), (int)PinTypes.Parse(e.Key)));
        Golden.All(misc["tracker_status_from_string"]!.AsObject(), e => e.Key, e => Same(e.Value!.GetValue<int>(), (int)TrackerStatuses.Parse(e.Key)));
        Golden.All(misc["tracker_status_to_string"]!.AsObject(), e => e.Key, e =>
            Golden.Compare(e.Value!.GetValue<string>(), ((TrackerStatus)int.Parse(e.Key)).ToText()));
        Golden.All(misc["tracker_status_match"]!.AsArray(), e => e!.ToJsonString(), e => Same(
            e!["Match"]!.GetValue<bool>(), ((TrackerStatus)e["S"]!.GetValue<int>()).Matches((TrackerStatus)e["F"]!.GetValue<int>())));

        static string? Same<T>(T expected, T actual) => Equals(expected, actual) ? null : $"expected {expected}, not {actual}";
    }

    [Fact]
    public void Exported_states_are_printed_again_as_they_were()
    {
        var lines = new[] { "files/state-export.crdt.jsonl", "files/state-export.raft.jsonl" }.Where(Golden.Has)
            .SelectMany(file => Golden.Text(file).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Golden.All(lines, line => line, line =>
        {
            var pin = ModelJsonReader.ReadPin(Utf8(line));
            return Golden.Compare(line, Print(pin)) ?? Golden.Compare(line, Print(PinProtobuf.Parse(PinProtobuf.ToBytes(pin))));
        });
    }

    [Fact]
    public void An_imported_state_is_exported_as_recorded()
    {
        if (!Golden.Has("files/state-import.jsonl") || !Golden.Has("files/state-export.crdt.jsonl"))
            return;
        // Later lines of one CID win; the store sorts by key.
        var state = new SortedDictionary<string, Pin>(StringComparer.Ordinal);
        foreach (var line in Golden.Text("files/state-import.jsonl").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var pin = ModelJsonReader.ReadPin(Utf8(line));
            state[pin.Cid.ToDatastoreKey()] = PinProtobuf.Parse(PinProtobuf.ToBytes(pin));
        }

        Assert.Equal(Golden.Text("files/state-export.crdt.jsonl"), string.Concat(state.Values.Select(pin => Print(pin) + "\n")));
    }

    private static string? Expiry(JsonObject golden, Pin pin)
    {
        foreach (var (second, expired) in golden["expired_at_unix"]?.AsObject() ?? [])
        {
            if (pin.IsExpired(GoTime.FromUnix(long.Parse(second))) != expired!.GetValue<bool>())
                return $"expired at {second}: not {expired}";
        }

        return null;
    }

    private static string Name(JsonObject golden) => Golden.Of(golden, "name")!;

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static string Print(Pin pin) => ModelJson.ToText(pin, ModelJson.Write);
}
