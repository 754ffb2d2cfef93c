using System.Globalization;
using Cluster.Model;
using Cluster.PeerRpc.Msgpack;
using Libp2p;

namespace Cluster.PeerRpc.Values;

/// <summary>ConnectGraph and BandwidthByProtocol (peer-rpc §3). Map keys are base58 text, ids in lists are binary.</summary>
public static class GraphCodec
{
    private static readonly string[] GraphFields = ["id", "ip", "il", "cl", "ctl", "ci"];
    private static readonly string[] BandwidthFields = ["i", "o", "ri", "ro"];

    /// <summary>Writes a graph.</summary>
    public static void Write(MsgpackWriter output, ConnectGraph graph)
    {
        var map = new MapWriter();
        map.Field("id").Raw(graph.ClusterId.Bytes); // of a graph without an id the original writes an empty raw
        map.Map("ip", graph.IdToPeerName, static (writer, name) => writer.Text(name));
        map.Map("il", graph.IpfsLinks, WriteLinks);
        map.Map("cl", graph.ClusterLinks, WriteLinks);
        map.Map("ctl", graph.ClusterTrustLinks, static (writer, trusts) => writer.Bool(trusts));
        map.Map("ci", graph.ClusterToIpfs, static (writer, id) => writer.Peer(PeerId.TryParse(id, out var peer, out _) ? peer : default));
        map.Flush(output);
    }

    /// <summary>Reads a graph.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static ConnectGraph ReadGraph(ref MsgpackReader reader)
    {
        var graph = new ConnectGraph();
        var fields = reader.Struct(GraphFields);
        while (fields.Next(ref reader, out var field))
        {
            switch (field)
            {
                case 0: graph = graph with { ClusterId = reader.Peer() }; break;
                case 1: graph = graph with { IdToPeerName = ReadMap(ref reader, static (ref MsgpackReader r) => r.Text()) }; break;
                case 2: graph = graph with { IpfsLinks = ReadMap(ref reader, ReadLinks) }; break;
                case 3: graph = graph with { ClusterLinks = ReadMap(ref reader, ReadLinks) }; break;
                case 4: graph = graph with { ClusterTrustLinks = ReadMap(ref reader, static (ref MsgpackReader r) => r.Bool()) }; break;
                case 5: graph = graph with { ClusterToIpfs = ReadMap(ref reader, static (ref MsgpackReader r) => r.Peer().ToString()) }; break;
                default: reader.Skip(); break;
            }
        }
        return graph;
    }

    /// <summary>Writes traffic by protocol.</summary>
    public static void Write(MsgpackWriter output, IReadOnlyDictionary<string, BandwidthStats>? bandwidth)
    {
        if (bandwidth is null)
        {
            output.Nil();
            return;
        }
        output.MapHeader(bandwidth.Count);
        foreach (var (protocol, stats) in bandwidth)
        {
            output.Text(protocol);
            var map = new MapWriter();
            map.Signed("i", stats.TotalIn);
            map.Signed("o", stats.TotalOut);
            if (stats.RateIn != 0) map.Field("ri").Double(stats.RateIn);
            if (stats.RateOut != 0) map.Field("ro").Double(stats.RateOut);
            map.Flush(output);
        }
    }

    /// <summary>Reads traffic by protocol.</summary>
    /// <exception cref="MsgpackException">Not such.</exception>
    public static IReadOnlyDictionary<string, BandwidthStats>? ReadBandwidth(ref MsgpackReader reader) => ReadMap(ref reader, ReadStats);

    private delegate T ReadValue<out T>(ref MsgpackReader reader);

    private static BandwidthStats ReadStats(ref MsgpackReader reader)
    {
        var stats = default(BandwidthStats);
        var fields = reader.Struct(BandwidthFields);
        while (fields.Next(ref reader, out var field))
        {
            switch (field)
            {
                case 0: stats = stats with { TotalIn = reader.Signed() }; break;
                case 1: stats = stats with { TotalOut = reader.Signed() }; break;
                case 2: stats = stats with { RateIn = reader.Double() }; break;
                case 3: stats = stats with { RateOut = reader.Double() }; break;
                default: reader.Skip(); break;
            }
        }
        return stats;
    }

    private static SortedDictionary<string, T>? ReadMap<T>(ref MsgpackReader reader, ReadValue<T> read)
    {
        var count = reader.MapHeader();
        if (count < 0) return null;
        var map = new SortedDictionary<string, T>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            var key = reader.Text();
            map[key] = read(ref reader);
        }
        return map;
    }

    private static void WriteLinks(MsgpackWriter writer, IReadOnlyList<string> links) =>
        writer.List(links, static (inner, id) => inner.Peer(PeerId.TryParse(id, out var peer, out var error)
            ? peer
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"{id} is no peer id: {error}"))));

    private static IReadOnlyList<string> ReadLinks(ref MsgpackReader reader) =>
        Lists.Peers(ref reader)?.Select(peer => peer.ToString()).ToArray()!;
}
