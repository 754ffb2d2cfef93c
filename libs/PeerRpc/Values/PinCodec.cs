using Cluster.Model;
using Cluster.PeerRpc.Msgpack;
using Libp2p;

namespace Cluster.PeerRpc.Values;

/// <summary>Pin and PinPath (peer-rpc §3): the options' fields first, then the pin's.</summary>
public static class PinCodec
{
    private static readonly string[] PinFields = ["rn", "rx", "n", "o", "s", "ua", "e", "m", "pu", "g", "c", "t", "a", "d", "r", "i"];
    private static readonly string[] PathFields = ["rn", "rx", "n", "o", "s", "ua", "e", "m", "pu", "g", "path"];

    /// <summary>Writes a pin.</summary>
    public static void Write(MsgpackWriter output, Pin pin)
    {
        var map = new MapWriter();
        WriteOptions(map, pin.Options);
        map.Field("c").Cid(pin.Cid);
        map.Unsigned("t", (ulong)pin.Type);
        map.List("a", pin.Allocations, static (writer, peer) => writer.Peer(peer));
        map.Signed("d", pin.MaxDepth);
        map.Cid("r", pin.Reference);
        map.Time("i", pin.Timestamp);
        map.Flush(output);
    }

    /// <summary>Writes a path with options.</summary>
    public static void WritePath(MsgpackWriter output, PinOptions options, string path)
    {
        var map = new MapWriter();
        WriteOptions(map, options);
        map.Field("path").Text(path);
        map.Flush(output);
    }

    /// <summary>Reads a pin.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static Pin Read(ref MsgpackReader reader)
    {
        var options = new OptionsBuilder();
        var pin = new Pin();
        var fields = reader.Struct(PinFields);
        while (fields.Next(ref reader, out var field))
        {
            switch (field)
            {
                case 10: pin = pin with { Cid = reader.Cid() }; break;
                case 11: pin = pin with { Type = (PinType)reader.Unsigned() }; break;
                case 12: pin = pin with { Allocations = Lists.Peers(ref reader) }; break;
                case 13: pin = pin with { MaxDepth = reader.Int32() }; break;
                case 14: pin = pin with { Reference = reader.Cid() }; break;
                case 15: pin = pin with { Timestamp = reader.Time() }; break;
                default: options.Read(ref reader, field); break;
            }
        }
        return pin with { Options = options.Options };
    }

    /// <summary>Reads a path with options.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static (PinOptions Options, string Path) ReadPath(ref MsgpackReader reader)
    {
        var options = new OptionsBuilder();
        var path = "";
        var fields = reader.Struct(PathFields);
        while (fields.Next(ref reader, out var field))
        {
            if (field == 10) path = reader.Text();
            else options.Read(ref reader, field);
        }
        return (options.Options, path);
    }

    private static void WriteOptions(MapWriter map, PinOptions options)
    {
        map.Signed("rn", options.Replication.Minimum);
        map.Signed("rx", options.Replication.Maximum);
        map.Text("n", options.Name);
        map.Signed("o", (long)options.Mode);
        map.Unsigned("s", options.ShardSize);
        map.List("ua", options.UserAllocations, static (writer, peer) => writer.Peer(peer));
        map.Time("e", options.ExpireAt);
        map.Map("m", options.Metadata, static (writer, value) => writer.Text(value));
        map.Cid("pu", options.PinUpdate);
        map.List("g", options.Origins, static (writer, address) => writer.Address(address));
    }

    private struct OptionsBuilder
    {
        private int minimum, maximum;

        public OptionsBuilder() => Options = PinOptions.Default;

        public PinOptions Options { get; private set; }

        public void Read(ref MsgpackReader reader, int field)
        {
            switch (field)
            {
                case 0: minimum = reader.Int32(); break;
                case 1: maximum = reader.Int32(); break;
                case 2: Options = Options with { Name = reader.Text() }; break;
                case 3: Options = Options with { Mode = (PinMode)reader.Int32() }; break;
                case 4: Options = Options with { ShardSize = reader.Unsigned() }; break;
                case 5: Options = Options with { UserAllocations = Lists.Peers(ref reader) }; break;
                case 6: Options = Options with { ExpireAt = reader.Time() }; break;
                case 7: Options = Options with { Metadata = Lists.Texts(ref reader) }; break;
                case 8: Options = Options with { PinUpdate = reader.Cid() }; break;
                case 9: Options = Options with { Origins = Lists.Addresses(ref reader) }; break;
                default: reader.Skip(); break;
            }
            if (field is 0 or 1) Options = Options with { Replication = new ReplicationFactors(minimum, maximum) };
        }
    }
}
