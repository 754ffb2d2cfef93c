using System.Buffers;
using Cluster.Contracts.V1;
using Cluster.Model;
using Google.Protobuf.Collections;
using Alert = Cluster.Contracts.V1.Alert;
using IpfsId = Cluster.Contracts.V1.IpfsId;
using Metric = Cluster.Contracts.V1.Metric;
using PeerInfo = Cluster.Contracts.V1.PeerInfo;
using RepoGc = Cluster.Contracts.V1.RepoGc;

namespace Cluster.Gateway.Json;

/// <summary>What peers tell of themselves, as JSON (<c>spec/rest-api.md</c> sections 6.3 and 6.4).</summary>
public static class PeerJson
{
    private delegate void ValueWriter<in T>(ref GoJsonWriter json, T value);

    /// <summary>An ID object. Of a peer that could not be asked only the id and the error carry data.</summary>
    public static void Write(IBufferWriter<byte> output, PeerInfo peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        bool asked = peer.Version.Length > 0 || peer.Addresses.Count > 0;
        var json = new GoJsonWriter(output);
        json.Raw("{\"id\":"u8);
        json.PlainString(PeerText.Of(peer.Id));
        json.Raw(",\"addresses\":"u8);
        if (asked) Fields.Addresses(ref json, peer.Addresses);
        else json.Null();
        json.Raw(",\"cluster_peers\":"u8);
        if (asked) Fields.Peers(ref json, peer.ClusterPeers);
        else json.Null();
        json.Raw(",\"cluster_peers_addresses\":"u8);
        if (asked) Fields.Addresses(ref json, peer.ClusterPeersAddresses);
        else json.Null();
        json.Raw(",\"version\":"u8);
        json.String(peer.Version);
        json.Raw(",\"commit\":"u8);
        json.String(peer.Commit);
        json.Raw(",\"rpc_protocol_version\":"u8);
        json.String(peer.RpcProtocolVersion);
        json.Raw(",\"error\":"u8);
        json.String(peer.Error);
        json.Raw(",\"ipfs\":"u8);
        Daemon(ref json, peer.Ipfs ?? new IpfsId());
        json.Raw(",\"peername\":"u8);
        json.String(peer.PeerName);
        json.Raw((byte)'}');
        json.Flush();
    }

    /// <summary>An array of metrics.</summary>
    public static void Write(IBufferWriter<byte> output, RepeatedField<Metric> metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        var json = new GoJsonWriter(output);
        json.Raw((byte)'[');
        for (int i = 0; i < metrics.Count; i++)
        {
            json.Raw(i == 0 ? "{"u8 : ",{"u8);
            MetricFields(ref json, metrics[i]);
            json.Raw((byte)'}');
        }

        json.Raw((byte)']');
        json.Flush();
    }

    /// <summary>An array of alerts.</summary>
    public static void Write(IBufferWriter<byte> output, RepeatedField<Alert> alerts)
    {
        ArgumentNullException.ThrowIfNull(alerts);
        var json = new GoJsonWriter(output);
        json.Raw((byte)'[');
        for (int i = 0; i < alerts.Count; i++)
        {
            json.Raw(i == 0 ? "{"u8 : ",{"u8);
            MetricFields(ref json, alerts[i].Metric ?? new Metric());
            json.Raw(",\"triggered_at\":"u8);
            Fields.LocalTime(ref json, alerts[i].TriggeredAt);
            json.Raw((byte)'}');
        }

        json.Raw((byte)']');
        json.Flush();
    }

    /// <summary>An array of texts.</summary>
    public static void Write(IBufferWriter<byte> output, RepeatedField<string> texts)
    {
        var json = new GoJsonWriter(output);
        Fields.Strings(ref json, texts);
        json.Flush();
    }

    /// <summary>The outcome of a garbage collection on each peer.</summary>
    public static void Write(IBufferWriter<byte> output, RepeatedField<RepoGc> peers)
    {
        ArgumentNullException.ThrowIfNull(peers);
        var json = new GoJsonWriter(output);
        json.Raw("{\"peer_map\":{"u8);
        int[] order = new int[peers.Count];
        Fields.SortByPeer(order, i => peers[i].Peer);
        bool first = true;
        foreach (int i in order)
        {
            if (!first) json.Raw((byte)',');
            first = false;
            RepoGc peer = peers[i];
            byte[] id = PeerText.Of(peer.Peer);
            json.PlainString(id);
            json.Raw(":{\"peer\":"u8);
            json.PlainString(id);
            json.Raw(",\"peername\":"u8);
            json.String(peer.PeerName);
            json.Raw(",\"keys\":["u8);
            for (int k = 0; k < peer.Keys.Count; k++)
            {
                json.Raw(k == 0 ? "{\"key\":"u8 : ",{\"key\":"u8);
                CidText.Write(ref json, peer.Keys[k].Key.Span);
                OptionalError(ref json, peer.Keys[k].Error);
                json.Raw((byte)'}');
            }

            json.Raw((byte)']');
            OptionalError(ref json, peer.Error);
            json.Raw((byte)'}');
        }

        json.Raw("}}"u8);
        json.Flush();
    }

    /// <summary>Who is connected to whom.</summary>
    public static void Write(IBufferWriter<byte> output, ConnectGraphResponse graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var json = new GoJsonWriter(output);
        json.Raw("{\"cluster_id\":"u8);
        json.PlainString(PeerText.Of(graph.ClusterId));
        json.Raw(",\"id_to_peername\":"u8);
        Map(ref json, graph.IdToPeerName, static (ref GoJsonWriter j, string name) => j.String(name));
        json.Raw(",\"ipfs_links\":"u8);
        Map(ref json, graph.IpfsLinks, static (ref GoJsonWriter j, ConnectGraphResponse.Types.Links links) => Fields.Strings(ref j, links.To));
        json.Raw(",\"cluster_links\":"u8);
        Map(ref json, graph.ClusterLinks, static (ref GoJsonWriter j, ConnectGraphResponse.Types.Links links) => Fields.Strings(ref j, links.To));
        json.Raw(",\"cluster_trust_links\":"u8);
        Map(ref json, graph.ClusterTrustLinks, static (ref GoJsonWriter j, bool trusted) => j.Boolean(trusted));
        json.Raw(",\"cluster_to_ipfs\":"u8);
        Map(ref json, graph.ClusterToIpfs, static (ref GoJsonWriter j, string id) => j.String(id));
        json.Raw((byte)'}');
        json.Flush();
    }

    /// <summary>Traffic by protocol; <c>null</c> when nobody measures.</summary>
    public static void Write(IBufferWriter<byte> output, BandwidthResponse bandwidth)
    {
        ArgumentNullException.ThrowIfNull(bandwidth);
        var json = new GoJsonWriter(output);
        if (!bandwidth.Measured) json.Null();
        else
        {
            Map(ref json, bandwidth.Protocols, static (ref GoJsonWriter j, BandwidthResponse.Types.Protocol traffic) =>
            {
                j.Raw("{\"total_in\":"u8);
                j.Number(traffic.TotalIn);
                j.Raw(",\"total_out\":"u8);
                j.Number(traffic.TotalOut);
                j.Raw(",\"rate_in\":"u8);
                j.Number(Finite(traffic.RateIn));
                j.Raw(",\"rate_out\":"u8);
                j.Number(Finite(traffic.RateOut));
                j.Raw((byte)'}');
            });
        }

        json.Flush();
    }

    /// <summary><c>{"version":"…"}</c>.</summary>
    public static void WriteVersion(IBufferWriter<byte> output, string version) => WriteOne(output, "{\"version\":"u8, version);

    /// <summary><c>{"token":"…"}</c>.</summary>
    public static void WriteToken(IBufferWriter<byte> output, string token) => WriteOne(output, "{\"token\":"u8, token);

    private static void WriteOne(IBufferWriter<byte> output, ReadOnlySpan<byte> head, string value)
    {
        var json = new GoJsonWriter(output);
        json.Raw(head);
        json.String(value);
        json.Raw((byte)'}');
        json.Flush();
    }

    private static double Finite(double value) => double.IsFinite(value) ? value : 0;

    private static void OptionalError(ref GoJsonWriter json, string error)
    {
        if (error.Length == 0) return;
        json.Raw(",\"error\":"u8);
        json.String(error);
    }

    private static void Daemon(ref GoJsonWriter json, IpfsId daemon)
    {
        json.Raw((byte)'{');
        if (daemon.Id.Length > 0)
        {
            json.Raw("\"id\":"u8);
            json.String(daemon.Id);
            json.Raw((byte)',');
        }

        json.Raw("\"addresses\":"u8);
        if (daemon.Id.Length > 0 || daemon.Addresses.Count > 0) Fields.Strings(ref json, daemon.Addresses);
        else json.Null();
        json.Raw(",\"error\":"u8);
        json.String(daemon.Error);
        json.Raw((byte)'}');
    }

    private static void MetricFields(ref GoJsonWriter json, Metric metric)
    {
        json.Raw("\"name\":"u8);
        json.String(metric.Name);
        json.Raw(",\"peer\":"u8);
        json.PlainString(PeerText.Of(metric.Peer));
        json.Raw(",\"value\":"u8);
        json.String(metric.Value);
        json.Raw(",\"expire\":"u8);
        json.Number(metric.Expire);
        json.Raw(",\"valid\":"u8);
        json.Boolean(metric.Valid);
        json.Raw(",\"weight\":"u8);
        json.Number(metric.Weight);
        json.Raw(",\"partitionable\":"u8);
        json.Boolean(metric.Partitionable);
        json.Raw(",\"received_at\":"u8);
        json.Number(metric.ReceivedAt);
    }

    private static void Map<T>(ref GoJsonWriter json, MapField<string, T> map, ValueWriter<T> write)
    {
        json.Raw((byte)'{');
        bool first = true;
        foreach (string key in Fields.SortedKeys(map))
        {
            if (!first) json.Raw((byte)',');
            first = false;
            json.String(key);
            json.Raw((byte)':');
            write(ref json, map[key]);
        }

        json.Raw((byte)'}');
    }
}
