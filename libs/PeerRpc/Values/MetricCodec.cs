using Cluster.Model;
using Cluster.PeerRpc.Msgpack;

namespace Cluster.PeerRpc.Values;

/// <summary>Metric and Alert (peer-rpc §3, §5).</summary>
public static class MetricCodec
{
    private static readonly string[] Fields = ["n", "p", "v", "e", "d", "w", "o", "t", "r"];

    // Peers up to 0.13.3 put a multicodec header before the map (peer-rpc §5).
    private static ReadOnlySpan<byte> LegacyPrefix => "\x09/msgpack\n"u8;

    /// <summary>Writes a metric.</summary>
    public static void Write(MsgpackWriter output, Metric metric)
    {
        var map = new MapWriter();
        WriteFields(map, metric);
        map.Flush(output);
    }

    /// <summary>Writes an alert.</summary>
    public static void Write(MsgpackWriter output, Alert alert)
    {
        var map = new MapWriter();
        WriteFields(map, alert.Metric);
        map.Time("r", alert.TriggeredAt);
        map.Flush(output);
    }

    /// <summary>Reads a metric.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static Metric ReadMetric(ref MsgpackReader reader) => ReadAlert(ref reader).Metric;

    /// <summary>Reads an alert.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static Alert ReadAlert(ref MsgpackReader reader)
    {
        var metric = new Metric();
        var triggered = GoTime.Zero;
        var fields = reader.Struct(Fields);
        while (fields.Next(ref reader, out var field))
        {
            switch (field)
            {
                case 0: metric = metric with { Name = reader.Text() }; break;
                case 1: metric = metric with { Peer = reader.Peer() }; break;
                case 2: metric = metric with { Value = reader.Text() }; break;
                case 3: metric = metric with { Expire = reader.Signed() }; break;
                case 4: metric = metric with { Valid = reader.Bool() }; break;
                case 5: metric = metric with { Weight = reader.Signed() }; break;
                case 6: metric = metric with { Partitionable = reader.Bool() }; break;
                case 7: metric = metric with { ReceivedAt = reader.Signed() }; break;
                case 8: triggered = reader.Time(); break;
                default: reader.Skip(); break;
            }
        }
        return new Alert(metric, triggered);
    }

    /// <summary>Reads the data of a gossip message, with the header of very old peers or without.</summary>
    /// <exception cref="MsgpackException">No metric.</exception>
    public static Metric ReadGossip(ReadOnlySpan<byte> data)
    {
        var reader = new MsgpackReader(data.StartsWith(LegacyPrefix) ? data[LegacyPrefix.Length..] : data);
        return ReadMetric(ref reader);
    }

    private static void WriteFields(MapWriter map, Metric metric)
    {
        map.Text("n", metric.Name);
        map.Peer("p", metric.Peer);
        map.Text("v", metric.Value);
        map.Signed("e", metric.Expire);
        map.Bool("d", metric.Valid);
        map.Signed("w", metric.Weight);
        map.Bool("o", metric.Partitionable);
        map.Signed("t", metric.ReceivedAt);
    }
}
