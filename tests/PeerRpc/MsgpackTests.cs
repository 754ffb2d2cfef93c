using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cluster.Model;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Values;
using FsCheck;
using FsCheck.Fluent;
using Ipld;
using Libp2p;

namespace Cluster.PeerRpc.Tests;

/// <summary>Every recorded msgpack value, written and read as the original does.</summary>
[Trait("Category", "Golden")]
public sealed class MsgpackTests
{
    private static readonly JsonNode File = Vectors.File("msgpack.json");

    // Values that no method of ours carries as such: raft's log entries and the REST API's own types stay with their owners.
    private static readonly string[] Elsewhere = ["LogOp", "AddedOutput", "Error", "any"];

    // Written otherwise for a good reason; by "type name".
    private static readonly Dictionary<string, string> OtherwiseWritten = new()
    {
        ["peer.ID empty"] = "an empty raw breaks the original's own decoder; nil is what it reads as no id (peer-rpc 7.6)",
        ["Metric received"] = "the original sometimes writes an empty text that it sometimes leaves out; both read alike (peer-rpc 2)",
        ["Pin zero"] = "JSON has one name, bad-type, for the bit 1 and for no bit at all",
        ["Pin only-cid"] = "JSON has one name, bad-type, for the bit 1 and for no bit at all",
    };

    public static TheoryData<int, string> Encoded => Rows("encode");

    public static TheoryData<int, string> Decoded => Rows("decode");

    [Theory, MemberData(nameof(Encoded))]
    public void A_value_is_written_as_the_original_writes_it(int index, string name)
    {
        var row = File["encode"]![index]!;
        var output = new ArrayBufferWriter<byte>();
        var type = row["type"]!.GetValue<string>();
        // Of a pin status, JSON has names for some numbers only; the row is called by the number.
        Encode(type, (type == "IPFSPinStatus" ? row["name"] : row["json"])!.GetValue<string>(), new MsgpackWriter(output));
        var actual = Convert.ToHexStringLower(output.WrittenSpan);
        if (OtherwiseWritten.ContainsKey(name))
        {
            Assert.NotEqual(row["hex"]!.GetValue<string>(), actual);
            return;
        }
        if (row["map_order_any"] is null) Assert.Equal(row["hex"]!.GetValue<string>(), actual);
        else Assert.Equal(Sorted(row["hex"]!.GetValue<string>()), Sorted(actual));
    }

    [Theory, MemberData(nameof(Encoded))]
    public void A_written_value_reads_back(int index, string name)
    {
        _ = name;
        var row = File["encode"]![index]!;
        var bytes = Convert.FromHexString(row["hex"]!.GetValue<string>());
        var type = row["type"]!.GetValue<string>();
        if (row["decode_error"] is not null)
        {
            Assert.Throws<MsgpackException>(() => Decode(type, bytes, out _));
            return;
        }
        var expected = (type == "IPFSPinStatus" ? row["name"] : row["decoded_json"] ?? row["json"])!.GetValue<string>();
        Assert.Equal(Comparable(type, expected), Decode(type, bytes, out var read));
        Assert.Equal(bytes.Length, read);
    }

    [Theory, MemberData(nameof(Decoded))]
    public void Odd_forms_are_read_or_refused_as_by_the_original(int index, string name)
    {
        _ = name;
        var row = File["decode"]![index]!;
        var bytes = Convert.FromHexString(row["hex"]!.GetValue<string>());
        var type = row["type"]!.GetValue<string>();
        if (row["error"] is not null)
        {
            Assert.Throws<MsgpackException>(() => Decode(type, bytes, out _));
            return;
        }
        if (row["name"]!.GetValue<string>() is "base58-text" or "allocations-base58-text" or "origins-nil-element" or "pm-binary-key")
        {
            // The original takes the text for bytes, keeps an address without content, or a key that is no id, and prints nonsense;
            // ours must not fail either, but reads what was meant.
            Decode(type, bytes, out _);
            return;
        }
        Assert.Equal(Comparable(type, row["json"]!.GetValue<string>()), Decode(type, bytes, out var read));
        Assert.Equal(bytes.Length - (row["unread_bytes"]?.GetValue<int>() ?? 0), read);
    }

    [Fact]
    public void Arbitrary_bytes_are_read_or_refused_but_never_crash()
    {
        string[] types = ["Pin", "PinInfo", "GlobalPinInfo", "ID", "Metric", "RepoGC", "ConnectGraph", "Response", "NodeWithMeta"];
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll<byte[], byte>((bytes, which) =>
        {
            try
            {
                Decode(types[which % types.Length], bytes, out _);
            }
            catch (MsgpackException)
            {
                return true;
            }
            return true;
        }));
    }

    [Fact]
    public void Mutated_values_are_read_or_refused_but_never_crash()
    {
        var random = new Random(7);
        foreach (var row in File["encode"]!.AsArray())
        {
            var type = row!["type"]!.GetValue<string>();
            if (Elsewhere.Contains(type)) continue;
            var bytes = Convert.FromHexString(row["hex"]!.GetValue<string>());
            for (var round = 0; round < 50 && bytes.Length > 0; round++)
            {
                var mutated = bytes[..random.Next(1, bytes.Length + 1)];
                mutated[random.Next(mutated.Length)] ^= (byte)(1 << random.Next(8));
                try
                {
                    Decode(type, mutated, out _);
                }
                catch (MsgpackException refused)
                {
                    Assert.NotEmpty(refused.Message);
                }
            }
        }
    }

    private static TheoryData<int, string> Rows(string part)
    {
        var data = new TheoryData<int, string>();
        var rows = File[part]!.AsArray();
        for (var i = 0; i < rows.Count; i++)
            if (!Elsewhere.Contains(rows[i]!["type"]!.GetValue<string>())) data.Add(i, $"{rows[i]!["type"]} {rows[i]!["name"]}");
        return data;
    }

    private static void Encode(string type, string json, MsgpackWriter writer)
    {
        using var document = JsonDocument.Parse(json);
        var value = document.RootElement;
        switch (type)
        {
            case "empty": writer.MapHeader(0); break;
            case "int64" or "TrackerStatus" or "IPFSPinStatus": writer.Signed(value.GetInt64()); break;
            case "uint64": writer.Unsigned(value.GetUInt64()); break;
            case "string": writer.Text(value.GetString()!); break;
            case "bytes":
                if (value.ValueKind == JsonValueKind.Null) writer.Nil();
                else writer.Raw(value.GetBytesFromBase64());
                break;
            case "bool": writer.Bool(value.GetBoolean()); break;
            case "time": writer.Time(ParseTime(value.GetString()!)); break;
            case "peer.ID": writer.Peer(Peer(value.GetString()!)); break;
            case "[]peer.ID": writer.List(Items(value, item => Peer(item.GetString()!)), static (w, peer) => w.Peer(peer)); break;
            case "Cid": writer.Cid(OptionalCid(value)); break;
            case "Multiaddr": writer.Address(Multiaddr.Parse(value.GetString()!)); break;
            case "[]string": writer.List(Items(value, item => item.GetString()!), static (w, text) => w.Text(text)); break;
            case "ServiceID": new ServiceId(Text(value, "Name"), Text(value, "Method")).Write(writer); break;
            case "Response":
                new ResponseHeader(new(Text(value.GetProperty("Service"), "Name"), Text(value.GetProperty("Service"), "Method")),
                    Text(value, "Error"), (CallErrorKind)value.GetProperty("ErrType").GetInt32()).Write(writer);
                break;
            case "Pin": PinCodec.Write(writer, ModelJsonReader.ReadPin(value)); break;
            case "PinPath": PinCodec.WritePath(writer, ModelJsonReader.ReadPin(value).Options, Text(value, "path")); break;
            case "PinInfo": StatusCodec.Write(writer, ReadPinInfo(value)); break;
            case "GlobalPinInfo": StatusCodec.Write(writer, ModelJsonReader.ReadGlobalPinInfo(value)); break;
            case "ID": PeerCodec.Write(writer, ModelJsonReader.ReadPeerInfo(value)); break;
            case "IPFSID": PeerCodec.WriteIpfs(writer, ModelJsonReader.ReadIpfsId(value)); break;
            case "Version": PeerCodec.WriteVersion(writer, Text(value, "version")); break;
            case "Metric": MetricCodec.Write(writer, ModelJsonReader.ReadMetric(value)); break;
            case "[]Metric": writer.List(Items(value, ModelJsonReader.ReadMetric), MetricCodec.Write); break;
            case "Alert": MetricCodec.Write(writer, ModelJsonReader.ReadAlert(value)); break;
            case "[]Alert": writer.List(Items(value, ModelJsonReader.ReadAlert), MetricCodec.Write); break;
            case "NodeWithMeta":
                DaemonCodec.Write(writer, new BlockValue(
                    OptionalCid(value.GetProperty("Cid")),
                    value.GetProperty("Data").ValueKind == JsonValueKind.Null ? (ReadOnlyMemory<byte>?)null : value.GetProperty("Data").GetBytesFromBase64(),
                    value.GetProperty("CumSize").GetUInt64()));
                break;
            case "IPFSRepoStat":
                DaemonCodec.Write(writer, new RepoStatValue(value.GetProperty("RepoSize").GetUInt64(), value.GetProperty("StorageMax").GetUInt64()));
                break;
            case "IPFSRepoGC":
                DaemonCodec.Write(writer, new RepoGcKey(
                    OptionalCid(value.GetProperty("key")), Text(value, "error")));
                break;
            case "RepoGC": DaemonCodec.Write(writer, ModelJsonReader.ReadRepoGc(value)); break;
            case "GlobalRepoGC": DaemonCodec.Write(writer, ModelJsonReader.ReadGlobalRepoGc(value)); break;
            case "IPFSPinInfo":
                DaemonCodec.Write(writer, new DaemonPinValue(OptionalCid(value.GetProperty("Cid")), Text(value, "Type") == "recursive" ? 3 : 0));
                break;
            case "ConnectGraph": GraphCodec.Write(writer, ModelJsonReader.ReadConnectGraph(value)); break;
            case "BandwidthByProtocol": GraphCodec.Write(writer, ModelJsonReader.ReadBandwidth(value)); break;
            default: Assert.Fail($"no codec for {type}"); break;
        }
    }

    /// <summary>Decodes a value and prints it in the model's JSON, or as plain text where the model has none.</summary>
    private static string Decode(string type, byte[] bytes, out int read)
    {
        var reader = new MsgpackReader(bytes);
        var text = DecodeText(type, ref reader);
        read = reader.Position;
        return text;
    }

    private static string DecodeText(string type, ref MsgpackReader reader)
    {
        switch (type)
        {
            case "empty" or "struct{}":
                var fields = reader.Struct([]);
                while (fields.Next(ref reader, out _)) reader.Skip();
                return "{}";
            case "int64" or "TrackerStatus" or "IPFSPinStatus": return $"{reader.Signed()}";
            case "uint64": return $"{reader.Unsigned()}";
            case "string": return reader.Text();
            case "bytes": return reader.TryNil() ? "null" : Convert.ToBase64String(reader.Raw());
            case "bool": return reader.Bool() ? "true" : "false";
            case "time":
                var time = reader.Time();
                return $"{time.UnixSeconds} {time.Nanosecond}";
            case "peer.ID": return reader.Peer().ToString();
            case "[]peer.ID": return Lists.Peers(ref reader) is { } peers ? string.Join(',', peers) : "null";
            case "Cid": return reader.Cid() is { IsDefined: true } cid ? cid.ToString() : "null";
            case "Multiaddr": return reader.Address()?.ToString() ?? "null";
            case "[]string": return Lists.Strings(ref reader) is { } texts ? string.Join(',', texts) : "null";
            case "ServiceID": return ServiceId.Read(ref reader).ToString();
            case "Response":
                var header = ResponseHeader.Read(ref reader);
                return $"{header.Service} {header.Error} {(int)header.Kind}";
            case "Pin": return ModelJson.ToText(PinCodec.Read(ref reader), ModelJson.Write);
            case "PinPath":
                var (options, path) = PinCodec.ReadPath(ref reader);
                return ModelJson.ToText(options, ModelJson.Write) + path;
            case "PinInfo": return ModelJson.ToText(StatusCodec.ReadPinInfo(ref reader), ModelJson.Write);
            case "GlobalPinInfo": return ModelJson.ToText(StatusCodec.ReadGlobalPinInfo(ref reader), ModelJson.Write);
            case "ID": return ModelJson.ToText(PeerCodec.ReadPeer(ref reader), ModelJson.Write);
            case "IPFSID": return ModelJson.ToText(PeerCodec.ReadIpfs(ref reader), ModelJson.Write);
            case "Version": return PeerCodec.ReadVersion(ref reader);
            case "Metric": return ModelJson.ToText(MetricCodec.ReadMetric(ref reader), ModelJson.Write);
            case "Alert": return ModelJson.ToText(MetricCodec.ReadAlert(ref reader), ModelJson.Write);
            case "[]Metric" or "[]Alert":
                List<string> items = [];
                for (var left = reader.ArrayHeader(); left > 0; left--) items.Add(DecodeText(type[2..], ref reader));
                return string.Join(',', items);
            case "NodeWithMeta":
                var block = DaemonCodec.ReadBlock(ref reader);
                return $"{block.Cid} {(block.Data is { } data ? Convert.ToBase64String(data.Span) : "null")} {block.CumulativeSize}";
            case "IPFSRepoStat": return DaemonCodec.ReadRepoStat(ref reader).ToString();
            case "IPFSRepoGC":
                var key = DaemonCodec.ReadGcKey(ref reader);
                return $"{key.Key} {key.Error}";
            case "RepoGC": return ModelJson.ToText(DaemonCodec.ReadGc(ref reader), ModelJson.Write);
            case "GlobalRepoGC": return ModelJson.ToText(DaemonCodec.ReadGlobalGc(ref reader), ModelJson.Write);
            case "IPFSPinInfo": return DaemonCodec.ReadPin(ref reader).ToString();
            case "ConnectGraph": return ModelJson.ToText(GraphCodec.ReadGraph(ref reader), ModelJson.Write);
            case "BandwidthByProtocol":
                return GraphCodec.ReadBandwidth(ref reader) is { } bandwidth ? ModelJson.ToText(bandwidth, ModelJson.Write) : "null";
            default:
                Assert.Fail($"no codec for {type}");
                return "";
        }
    }

    /// <summary>What was recorded, in the form of <see cref="Decode"/>: written by our codec and read back.</summary>
    private static string Comparable(string type, string recorded)
    {
        switch (type)
        {
            case "Pin" or "PinInfo" or "GlobalPinInfo" or "ID" or "IPFSID" or "Metric" or "Alert" or "RepoGC" or "GlobalRepoGC" or "ConnectGraph":
                return recorded;
            case "IPFSPinStatus":
                return recorded;
            case "struct{}":
                return "{}";
            default:
                var output = new ArrayBufferWriter<byte>();
                Encode(type, recorded, new MsgpackWriter(output));
                return Decode(type, output.WrittenSpan.ToArray(), out _);
        }
    }

    /// <summary>Maps without order: the bytes of the value, sorted, stand for it.</summary>
    private static string Sorted(string hex) => string.Concat(hex.Chunk(2).Select(pair => new string(pair)).Order());

    private static PinInfo ReadPinInfo(JsonElement value)
    {
        var global = JsonNode.Parse(value.GetRawText())!.AsObject();
        var info = ModelJsonReader.ReadPinInfoShort(value);
        return new PinInfo
        {
            Cid = OptionalCid(value.GetProperty("cid")),
            Name = global["name"]!.GetValue<string>(),
            Peer = Peer(global["peer"]!.GetValue<string>()),
            Allocations = global["allocations"]?.AsArray().Select(peer => Peer(peer!.GetValue<string>())).ToArray(),
            Origins = global["origins"]?.AsArray().Select(address => Multiaddr.Parse(address!.GetValue<string>())).ToArray(),
            Created = ParseTime(global["created"]!.GetValue<string>()),
            Metadata = global["metadata"] is { } metadata
                ? Metadata.From(metadata.AsObject().Select(entry => new KeyValuePair<string, string>(entry.Key, entry.Value!.GetValue<string>())))
                : null,
            Info = info,
        };
    }

    private static Cid OptionalCid(JsonElement value) => value.ValueKind == JsonValueKind.Null ? default : Cid.Parse(value.GetString()!);

    private static PeerId Peer(string text) => text.Length == 0 ? default : PeerId.Parse(text);

    private static GoTime ParseTime(string text) => GoTime.TryParse(text, out var time, out var error) ? time : throw new FormatException(error);

    private static string Text(JsonElement value, string name) => value.TryGetProperty(name, out var text) ? text.GetString() ?? "" : "";

    private static T[]? Items<T>(JsonElement value, Func<JsonElement, T> read) =>
        value.ValueKind == JsonValueKind.Null ? null : [.. value.EnumerateArray().Select(read)];
}
