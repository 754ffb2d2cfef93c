using Cluster.Model;
using Cluster.PeerRpc.Msgpack;
using Ipld;
using Libp2p;

namespace Cluster.PeerRpc.Values;

/// <summary>PinInfo and GlobalPinInfo (peer-rpc §3). A daemon's id is binary on the wire; one that is no peer id is left out.</summary>
public static class StatusCodec
{
    private static readonly string[] PinInfoFields =
        ["c", "m", "p", "o", "g", "t", "md", "pn", "i", "ia", "st", "ts", "e", "a", "y"];

    private static readonly string[] ShortFields = ["pn", "i", "ia", "st", "ts", "e", "a", "y"];
    private static readonly string[] GlobalFields = ["c", "n", "a", "g", "t", "m", "pm"];

    /// <summary>Writes the status of one CID on one peer.</summary>
    public static void Write(MsgpackWriter output, PinInfo info)
    {
        var map = new MapWriter();
        map.Field("c").Cid(info.Cid);
        map.Text("m", info.Name);
        map.Peer("p", info.Peer);
        map.List("o", info.Allocations, static (writer, peer) => writer.Peer(peer));
        map.List("g", info.Origins, static (writer, address) => writer.Address(address));
        map.Time("t", info.Created);
        map.Map("md", info.Metadata, static (writer, value) => writer.Text(value));
        WriteShort(map, info.Info);
        map.Flush(output);
    }

    /// <summary>Writes the status of one CID on several peers.</summary>
    public static void Write(MsgpackWriter output, GlobalPinInfo info)
    {
        var map = new MapWriter();
        map.Field("c").Cid(info.Cid);
        map.Field("n").Text(info.Name);
        map.List("a", info.Allocations, static (writer, peer) => writer.Peer(peer));
        map.List("g", info.Origins, static (writer, address) => writer.Address(address));
        map.Time("t", info.Created);
        map.Map("m", info.Metadata, static (writer, value) => writer.Text(value));
        map.Map("pm", info.PeerMap?.Select(entry => new KeyValuePair<string, PinInfoShort>(entry.Key.ToString(), entry.Value)).ToArray(),
            static (writer, value) =>
            {
                var inner = new MapWriter();
                WriteShort(inner, value);
                inner.Flush(writer);
            });
        map.Flush(output);
    }

    /// <summary>Reads the status of one CID on one peer.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static PinInfo ReadPinInfo(ref MsgpackReader reader)
    {
        var info = new PinInfo();
        var status = new PinInfoShort();
        var fields = reader.Struct(PinInfoFields);
        while (fields.Next(ref reader, out var field))
        {
            switch (field)
            {
                case 0: info = info with { Cid = reader.Cid() }; break;
                case 1: info = info with { Name = reader.Text() }; break;
                case 2: info = info with { Peer = reader.Peer() }; break;
                case 3: info = info with { Allocations = Lists.Peers(ref reader) }; break;
                case 4: info = info with { Origins = Lists.Addresses(ref reader) }; break;
                case 5: info = info with { Created = reader.Time() }; break;
                case 6: info = info with { Metadata = Lists.Texts(ref reader) }; break;
                default: status = ReadShort(ref reader, status, field < 0 ? -1 : field - 7); break;
            }
        }
        return info with { Info = status };
    }

    /// <summary>Reads the status of one CID on several peers.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static GlobalPinInfo ReadGlobalPinInfo(ref MsgpackReader reader)
    {
        var info = new GlobalPinInfo();
        var fields = reader.Struct(GlobalFields);
        while (fields.Next(ref reader, out var field))
        {
            switch (field)
            {
                case 0: info = info with { Cid = reader.Cid() }; break;
                case 1: info = info with { Name = reader.Text() }; break;
                case 2: info = info with { Allocations = Lists.Peers(ref reader) }; break;
                case 3: info = info with { Origins = Lists.Addresses(ref reader) }; break;
                case 4: info = info with { Created = reader.Time() }; break;
                case 5: info = info with { Metadata = Lists.Texts(ref reader) }; break;
                case 6: info = info with { PeerMap = ReadPeerMap(ref reader) }; break;
                default: reader.Skip(); break;
            }
        }
        return info;
    }

    private static List<KeyValuePair<PeerId, PinInfoShort>>? ReadPeerMap(ref MsgpackReader reader)
    {
        var count = reader.MapHeader();
        if (count < 0) return null;
        var peers = new List<KeyValuePair<PeerId, PinInfoShort>>(count);
        for (var i = 0; i < count; i++)
        {
            var key = reader.Raw();
            // Keys are base58 text; the original keeps whatever stands there, and prints it.
            var peer = PeerId.TryParse(System.Text.Encoding.UTF8.GetString(key), out var parsed, out _) ? parsed
                : PeerId.TryFromBytes(key, out var binary, out _) ? binary
                : throw new MsgpackException("a key of the peer map is no peer id");
            var status = new PinInfoShort();
            var fields = reader.Struct(ShortFields);
            while (fields.Next(ref reader, out var field)) status = ReadShort(ref reader, status, field);
            peers.Add(new(peer, status));
        }
        return peers;
    }

    private static void WriteShort(MapWriter map, PinInfoShort info)
    {
        map.Text("pn", info.PeerName);
        if (PeerId.TryParse(info.IpfsPeerId, out var daemon, out _)) map.Peer("i", daemon);
        map.List("ia", Addresses.FromTexts(info.IpfsPeerAddresses), static (writer, address) => writer.Address(address));
        map.Signed("st", (long)info.Status);
        map.Time("ts", info.Timestamp);
        map.Text("e", info.Error);
        map.Signed("a", info.AttemptCount);
        map.Bool("y", info.PriorityPin);
    }

    private static PinInfoShort ReadShort(ref MsgpackReader reader, PinInfoShort info, int field)
    {
        switch (field)
        {
            case 0: return info with { PeerName = reader.Text() };
            case 1: return info with { IpfsPeerId = reader.Peer().ToString() };
            case 2: return info with { IpfsPeerAddresses = Addresses.ToTexts(Lists.Addresses(ref reader)) };
            case 3: return info with { Status = (TrackerStatus)reader.Int32() };
            case 4: return info with { Timestamp = reader.Time() };
            case 5: return info with { Error = reader.Text() };
            case 6: return info with { AttemptCount = reader.Int32() };
            case 7: return info with { PriorityPin = reader.Bool() };
            default:
                reader.Skip();
                return info;
        }
    }
}
