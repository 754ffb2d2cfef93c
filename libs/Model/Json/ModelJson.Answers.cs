using System.Buffers;
using System.Text;
using Libp2p;

namespace Cluster.Model;

/// <summary>Answers about peers, metrics, garbage collection and added files.</summary>
public static partial class ModelJson
{
    public static void Write(IBufferWriter<byte> output, PeerInfo peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        var json = new GoJsonWriter(output);
        json.Raw("{\"id\":"u8);
        json.PeerId(peer.Id);
        json.Raw(",\"addresses\":"u8);
        json.Multiaddrs(peer.Addresses);
        json.Raw(",\"cluster_peers\":"u8);
        json.PeerIds(peer.ClusterPeers);
        json.Raw(",\"cluster_peers_addresses\":"u8);
        json.Multiaddrs(peer.ClusterPeersAddresses);
        json.Raw(",\"version\":"u8);
        json.String(peer.Version);
        json.Raw(",\"commit\":"u8);
        json.String(peer.Commit);
        json.Raw(",\"rpc_protocol_version\":"u8);
        json.String(peer.RpcProtocolVersion);
        json.Raw(",\"error\":"u8);
        json.String(peer.Error);
        json.Raw(",\"ipfs\":"u8);
        Daemon(ref json, peer.Ipfs);
        json.Raw(",\"peername\":"u8);
        json.String(peer.PeerName);
        json.Raw((byte)'}');
        json.Flush();
    }

    public static void Write(IBufferWriter<byte> output, IpfsId daemon)
    {
        ArgumentNullException.ThrowIfNull(daemon);
        var json = new GoJsonWriter(output);
        Daemon(ref json, daemon);
        json.Flush();
    }

    public static void Write(IBufferWriter<byte> output, Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        var json = new GoJsonWriter(output);
        json.Raw((byte)'{');
        MetricFields(ref json, metric);
        json.Raw((byte)'}');
        json.Flush();
    }

    public static void Write(IBufferWriter<byte> output, Alert alert)
    {
        ArgumentNullException.ThrowIfNull(alert);
        var json = new GoJsonWriter(output);
        json.Raw((byte)'{');
        MetricFields(ref json, alert.Metric);
        json.Raw(",\"triggered_at\":"u8);
        json.Time(alert.TriggeredAt);
        json.Raw((byte)'}');
        json.Flush();
    }

    public static void Write(IBufferWriter<byte> output, RepoGc collected)
    {
        ArgumentNullException.ThrowIfNull(collected);
        var json = new GoJsonWriter(output);
        Collected(ref json, collected);
        json.Flush();
    }

    public static void Write(IBufferWriter<byte> output, GlobalRepoGc collected)
    {
        ArgumentNullException.ThrowIfNull(collected);
        var json = new GoJsonWriter(output);
        json.Raw("{\"peer_map\":"u8);
        if (collected.PeerMap is null)
        {
            json.Null();
        }
        else
        {
            json.Raw((byte)'{');
            var peers = PeerOrder.Sorted(collected.PeerMap);
            for (var i = 0; i < peers.Count; i++)
            {
                if (i > 0)
                    json.Raw((byte)',');
                json.PeerId(peers[i].Key);
                json.Raw((byte)':');
                Collected(ref json, peers[i].Value);
            }

            json.Raw((byte)'}');
        }

        json.Raw((byte)'}');
        json.Flush();
    }

    public static void Write(IBufferWriter<byte> output, ConnectGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var json = new GoJsonWriter(output);
        json.Raw("{\"cluster_id\":"u8);
        json.PeerId(graph.ClusterId);
        json.Raw(",\"id_to_peername\":"u8);
        SortedMap(ref json, graph.IdToPeerName, static (ref GoJsonWriter j, string v) => j.String(v));
        json.Raw(",\"ipfs_links\":"u8);
        SortedMap(ref json, graph.IpfsLinks, static (ref GoJsonWriter j, IReadOnlyList<string> v) => j.Strings(v));
        json.Raw(",\"cluster_links\":"u8);
        SortedMap(ref json, graph.ClusterLinks, static (ref GoJsonWriter j, IReadOnlyList<string> v) => j.Strings(v));
        json.Raw(",\"cluster_trust_links\":"u8);
        SortedMap(ref json, graph.ClusterTrustLinks, static (ref GoJsonWriter j, bool v) => j.Boolean(v));
        json.Raw(",\"cluster_to_ipfs\":"u8);
        SortedMap(ref json, graph.ClusterToIpfs, static (ref GoJsonWriter j, string v) => j.String(v));
        json.Raw((byte)'}');
        json.Flush();
    }

    /// <summary>Traffic by protocol; null (no reporter) is printed as <c>null</c>.</summary>
    public static void Write(IBufferWriter<byte> output, IReadOnlyDictionary<string, BandwidthStats>? bandwidth)
    {
        var json = new GoJsonWriter(output);
        SortedMap(ref json, bandwidth, static (ref GoJsonWriter j, BandwidthStats v) =>
        {
            j.Raw("{\"total_in\":"u8);
            j.Number(v.TotalIn);
            j.Raw(",\"total_out\":"u8);
            j.Number(v.TotalOut);
            j.Raw(",\"rate_in\":"u8);
            j.Number(v.RateIn);
            j.Raw(",\"rate_out\":"u8);
            j.Number(v.RateOut);
            j.Raw((byte)'}');
        });
        json.Flush();
    }

    public static void Write(IBufferWriter<byte> output, AddedOutput added)
    {
        ArgumentNullException.ThrowIfNull(added);
        var json = new GoJsonWriter(output);
        json.Raw("{\"name\":"u8);
        json.String(added.Name);
        json.Raw(",\"cid\":"u8);
        json.Cid(added.Cid);
        if (added.Bytes != 0)
        {
            json.Raw(",\"bytes\":"u8);
            json.Number(added.Bytes);
        }

        if (added.Size != 0)
        {
            json.Raw(",\"size\":"u8);
            json.Number(added.Size);
        }

        if (added.Allocations is { Count: > 0 })
        {
            json.Raw(",\"allocations\":"u8);
            json.PeerIds(added.Allocations);
        }

        json.Raw((byte)'}');
        json.Flush();
    }

    public static void Write(IBufferWriter<byte> output, ApiError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        var json = new GoJsonWriter(output);
        json.Raw("{\"code\":"u8);
        json.Number(error.Code);
        json.Raw(",\"message\":"u8);
        json.String(error.Message);
        json.Raw((byte)'}');
        json.Flush();
    }

    private delegate void ValueWriter<in T>(ref GoJsonWriter json, T value);

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
        json.Strings(daemon.Addresses);
        json.Raw(",\"error\":"u8);
        json.String(daemon.Error);
        json.Raw((byte)'}');
    }

    private static void MetricFields(ref GoJsonWriter json, Metric metric)
    {
        json.Raw("\"name\":"u8);
        json.String(metric.Name);
        json.Raw(",\"peer\":"u8);
        json.PeerId(metric.Peer);
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

    private static void Collected(ref GoJsonWriter json, RepoGc collected)
    {
        json.Raw("{\"peer\":"u8);
        json.PeerId(collected.Peer);
        json.Raw(",\"peername\":"u8);
        json.String(collected.PeerName);
        json.Raw(",\"keys\":"u8);
        if (collected.Keys is null)
        {
            json.Null();
        }
        else
        {
            json.Raw((byte)'[');
            for (var i = 0; i < collected.Keys.Count; i++)
            {
                if (i > 0)
                    json.Raw((byte)',');
                json.Raw("{\"key\":"u8);
                json.Cid(collected.Keys[i].Key);
                if (collected.Keys[i].Error is { Length: > 0 } error)
                {
                    json.Raw(",\"error\":"u8);
                    json.String(error);
                }

                json.Raw((byte)'}');
            }

            json.Raw((byte)']');
        }

        if (collected.Error.Length > 0)
        {
            json.Raw(",\"error\":"u8);
            json.String(collected.Error);
        }

        json.Raw((byte)'}');
    }

    private static void SortedMap<T>(ref GoJsonWriter json, IReadOnlyDictionary<string, T>? map, ValueWriter<T> write)
    {
        if (map is null)
        {
            json.Null();
            return;
        }

        json.Raw((byte)'{');
        var entries = map.ToArray();
        Array.Sort(entries, static (a, b) => Utf8Order.Compare(a.Key, b.Key));
        for (var i = 0; i < entries.Length; i++)
        {
            if (i > 0)
                json.Raw((byte)',');
            json.String(entries[i].Key);
            json.Raw((byte)':');
            write(ref json, entries[i].Value);
        }

        json.Raw((byte)'}');
    }
}
