using System.Text;
using System.Text.Json;
using Ipld;
using Libp2p;

namespace Cluster.Model;

/// <summary>
/// Reads what <see cref="ModelJson"/> writes, as leniently as the original does: unknown keys are ignored, keys match without case,
/// <c>null</c> counts as absent. All of these throw <see cref="FormatException"/> with the original's text.
/// </summary>
public static partial class ModelJsonReader
{
    public static Pin ReadPin(ReadOnlyMemory<byte> json)
    {
        using var document = GoJsonSyntax.Parse(json);
        return ReadPin(document.RootElement);
    }

    public static Pin ReadPin(JsonElement json)
    {
        var fields = new GoJsonFields("Pin");
        var pin = new Pin();
        var options = PinOptions.Default;
        foreach (var (name, value) in Members(json, "api.Pin"))
        {
            switch (name)
            {
                case "cid": pin = pin with { Cid = CidOf(fields, value, name, pin.Cid) }; break;
                case "type": pin = pin with { Type = value.ValueKind == JsonValueKind.Null ? pin.Type : TypeOf(fields, value, name, pin.Type) }; break;
                case "allocations": pin = pin with { Allocations = PeersOf(fields, value, name) }; break;
                case "max_depth": pin = pin with { MaxDepth = Depth(fields.Integer(value, name, current: pin.MaxDepth)) }; break;
                case "reference": pin = pin with { Reference = CidOf(fields, value, name, pin.Reference) }; break;
                case "timestamp": pin = pin with { Timestamp = GoJsonFields.Time(value, pin.Timestamp) }; break;
                default: options = OptionsField(fields, options, name, value); break;
            }
        }

        fields.ThrowIfWrong();
        return pin with { Options = options };
    }

    public static GlobalPinInfo ReadGlobalPinInfo(JsonElement json)
    {
        var fields = new GoJsonFields("GlobalPinInfo");
        var info = new GlobalPinInfo();
        foreach (var (name, value) in Members(json, "api.GlobalPinInfo"))
        {
            switch (name)
            {
                case "cid": info = info with { Cid = CidOf(fields, value, name, info.Cid) }; break;
                case "name": info = info with { Name = fields.Text(value, name) }; break;
                case "allocations": info = info with { Allocations = PeersOf(fields, value, name) }; break;
                case "origins": info = info with { Origins = AddressesOf(fields, value, name) }; break;
                case "created": info = info with { Created = GoJsonFields.Time(value) }; break;
                case "metadata": info = info with { Metadata = MetadataOf(fields, value, name) }; break;
                case "peer_map":
                    info = info with
                    {
                        PeerMap = fields.Map(value, name, "map[string]api.PinInfoShort", ReadPinInfoShort)
                            ?.Select(entry => KeyValuePair.Create(PeerOf(entry.Key), entry.Value)).ToArray(),
                    };
                    break;
            }
        }

        fields.ThrowIfWrong();
        return info;
    }

    public static PinInfoShort ReadPinInfoShort(JsonElement json)
    {
        var fields = new GoJsonFields("PinInfoShort");
        var info = new PinInfoShort();
        foreach (var (name, value) in Members(json, "api.PinInfoShort"))
        {
            switch (name)
            {
                case "peername": info = info with { PeerName = fields.Text(value, name) }; break;
                case "ipfs_peer_id": info = info with { IpfsPeerId = fields.Text(value, name) }; break;
                case "ipfs_peer_addresses": info = info with { IpfsPeerAddresses = TextsOf(fields, value, name) }; break;
                case "status": info = info with { Status = TrackerStatuses.Parse(fields.Text(value, name)) }; break;
                case "timestamp": info = info with { Timestamp = GoJsonFields.Time(value) }; break;
                case "error": info = info with { Error = fields.Text(value, name) }; break;
                case "attempt_count": info = info with { AttemptCount = (int)fields.Integer(value, name) }; break;
                case "priority_pin": info = info with { PriorityPin = fields.Boolean(value, name) }; break;
            }
        }

        fields.ThrowIfWrong();
        return info;
    }

    /// <summary>Names in lower case with their values; <c>null</c> has no members, other kinds are refused.</summary>
    private static IEnumerable<(string Name, JsonElement Value)> Members(JsonElement json, string goType)
    {
        if (json.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null))
            throw new FormatException($"json: cannot unmarshal {GoJsonFields.KindOf(json)} into Go value of type {goType}");
        if (json.ValueKind == JsonValueKind.Null)
            yield break;
        foreach (var member in json.EnumerateObject())
        {
            var name = GoJsonText.NameOf(member);
            yield return (name.ToLowerInvariant(), member.Value);
        }
    }

    private static PinOptions OptionsField(GoJsonFields fields, PinOptions options, string name, JsonElement value)
    {
        var path = "PinOptions." + name;
        switch (name)
        {
            case "replication_factor_min":
                var minimum = fields.Integer(value, path, current: options.Replication.Minimum);
                return options with { Replication = options.Replication with { Minimum = Depth(minimum) } };
            case "replication_factor_max":
                var maximum = fields.Integer(value, path, current: options.Replication.Maximum);
                return options with { Replication = options.Replication with { Maximum = Depth(maximum) } };
            case "name": return options with { Name = fields.Text(value, path, options.Name) };
            case "mode":
                return value.ValueKind == JsonValueKind.Null ? options : options with { Mode = PinModes.Parse(fields.Text(value, path)) };
            case "shard_size": return options with { ShardSize = fields.Unsigned(value, path, options.ShardSize) };
            case "user_allocations": return options with { UserAllocations = PeersOf(fields, value, path) };
            case "expire_at": return options with { ExpireAt = GoJsonFields.Time(value, options.ExpireAt) };
            case "metadata": return options with { Metadata = MetadataOf(fields, value, path) };
            case "pin_update": return options with { PinUpdate = CidOf(fields, value, path, options.PinUpdate) };
            case "origins": return options with { Origins = AddressesOf(fields, value, path) };
            default: return options;
        }
    }

    private static Cid CidOf(GoJsonFields fields, JsonElement value, string field, Cid current)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return default;
            case JsonValueKind.String:
                return Cid.TryParse(GoJsonText.Of(value), out var cid, out var error) ? cid : throw new FormatException(error);
            default:
                fields.Wrong(GoJsonFields.KindOf(value), field, "string");
                fields.ThrowIfWrong();
                return current;
        }
    }

    private static PinType TypeOf(GoJsonFields fields, JsonElement value, string field, PinType current)
    {
        if (value.ValueKind == JsonValueKind.String)
            return PinTypes.Parse(GoJsonText.Of(value));
        fields.Wrong(GoJsonFields.KindOf(value), field, "string");
        fields.ThrowIfWrong();
        return current;
    }

    private static PeerId PeerOf(string text)
    {
        if (text.Length == 0)
            return default;
        return GoAddresses.TryParsePeerId(text, out var peer, out var error) ? peer : throw new FormatException(error);
    }

    private static List<PeerId>? PeersOf(GoJsonFields fields, JsonElement value, string field) =>
        fields.List(value, field, "[]peer.ID", item =>
        {
            var text = fields.Text(item, field);
            return GoAddresses.TryParsePeerId(text, out var peer, out var error) ? peer : throw new FormatException(error);
        });

    private static List<Multiaddr>? AddressesOf(GoJsonFields fields, JsonElement value, string field) =>
        fields.List(value, field, "[]api.Multiaddr", item =>
        {
            var text = fields.Text(item, field);
            return GoAddresses.TryParseMultiaddr(text, out var address, out var error) ? address : throw new FormatException(error);
        });

    private static List<string>? TextsOf(GoJsonFields fields, JsonElement value, string field) =>
        fields.List(value, field, "[]string", item => fields.Text(item, field));

    private static Metadata? MetadataOf(GoJsonFields fields, JsonElement value, string field)
    {
        var entries = fields.Map(value, field, "map[string]string", item =>
        {
            if (item.ValueKind is not (JsonValueKind.String or JsonValueKind.Null))
                fields.Wrong(GoJsonFields.KindOf(item), field, "string");
            return item.ValueKind == JsonValueKind.String ? GoJsonText.Of(item) : string.Empty;
        });
        return entries is null ? null : Metadata.From(entries);
    }

    private static int Depth(long value) => (int)Math.Clamp(value, int.MinValue, int.MaxValue);
}
