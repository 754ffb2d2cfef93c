using System.Text;
using System.Text.Json;
using Ipld;
using Libp2p;

namespace Cluster.Model;

/// <summary>Answers about peers, metrics, garbage collection and added files.</summary>
public static partial class ModelJsonReader
{
    public static PeerInfo ReadPeerInfo(JsonElement json)
    {
        var fields = new GoJsonFields("ID");
        var peer = new PeerInfo();
        foreach (var (name, value) in Members(json, "api.ID"))
        {
            switch (name)
            {
                case "id": peer = peer with { Id = PeerOf(fields.Text(value, name)) }; break;
                case "addresses": peer = peer with { Addresses = AddressesOf(fields, value, name) }; break;
                case "cluster_peers": peer = peer with { ClusterPeers = PeersOf(fields, value, name) }; break;
                case "cluster_peers_addresses": peer = peer with { ClusterPeersAddresses = AddressesOf(fields, value, name) }; break;
                case "version": peer = peer with { Version = fields.Text(value, name) }; break;
                case "commit": peer = peer with { Commit = fields.Text(value, name) }; break;
                case "rpc_protocol_version": peer = peer with { RpcProtocolVersion = fields.Text(value, name) }; break;
                case "error": peer = peer with { Error = fields.Text(value, name) }; break;
                case "ipfs": peer = peer with { Ipfs = value.ValueKind == JsonValueKind.Null ? peer.Ipfs : ReadIpfsId(value) }; break;
                case "peername": peer = peer with { PeerName = fields.Text(value, name) }; break;
            }
        }

        fields.ThrowIfWrong();
        return peer;
    }

    public static IpfsId ReadIpfsId(JsonElement json)
    {
        var fields = new GoJsonFields("IPFSID");
        var daemon = new IpfsId();
        foreach (var (name, value) in Members(json, "api.IPFSID"))
        {
            switch (name)
            {
                case "id": daemon = daemon with { Id = fields.Text(value, name) }; break;
                case "addresses": daemon = daemon with { Addresses = TextsOf(fields, value, name) }; break;
                case "error": daemon = daemon with { Error = fields.Text(value, name) }; break;
            }
        }

        fields.ThrowIfWrong();
        return daemon;
    }

    public static Metric ReadMetric(JsonElement json) => MetricAndTrigger(json, "Metric").Metric;

    public static Alert ReadAlert(JsonElement json) => MetricAndTrigger(json, "Alert");

    public static RepoGc ReadRepoGc(JsonElement json)
    {
        var fields = new GoJsonFields("RepoGC");
        var collected = new RepoGc();
        foreach (var (name, value) in Members(json, "api.RepoGC"))
        {
            switch (name)
            {
                case "peer": collected = collected with { Peer = PeerOf(fields.Text(value, name)) }; break;
                case "peername": collected = collected with { PeerName = fields.Text(value, name) }; break;
                case "keys": collected = collected with { Keys = fields.List(value, name, "[]api.IPFSRepoGC", ReadRepoGcKey) }; break;
                case "error": collected = collected with { Error = fields.Text(value, name) }; break;
            }
        }

        fields.ThrowIfWrong();
        return collected;
    }

    public static GlobalRepoGc ReadGlobalRepoGc(JsonElement json)
    {
        var fields = new GoJsonFields("GlobalRepoGC");
        var collected = new GlobalRepoGc(null);
        foreach (var (name, value) in Members(json, "api.GlobalRepoGC"))
        {
            if (name == "peer_map")
            {
                collected = new(fields.Map(value, name, "map[string]api.RepoGC", ReadRepoGc)
                    ?.Select(entry => KeyValuePair.Create(PeerOf(entry.Key), entry.Value)).ToArray());
            }
        }

        fields.ThrowIfWrong();
        return collected;
    }

    public static ConnectGraph ReadConnectGraph(JsonElement json)
    {
        var fields = new GoJsonFields("ConnectGraph");
        var graph = new ConnectGraph();
        foreach (var (name, value) in Members(json, "api.ConnectGraph"))
        {
            switch (name)
            {
                case "cluster_id": graph = graph with { ClusterId = PeerOf(fields.Text(value, name)) }; break;
                case "id_to_peername": graph = graph with { IdToPeerName = TextMap(value, name) }; break;
                case "ipfs_links": graph = graph with { IpfsLinks = ListMap(value, name) }; break;
                case "cluster_links": graph = graph with { ClusterLinks = ListMap(value, name) }; break;
                case "cluster_trust_links":
                    graph = graph with
                    {
                        ClusterTrustLinks = ToMap(fields.Map(value, name, "map[string]bool", item => fields.Boolean(item, name))),
                    };
                    break;
                case "cluster_to_ipfs": graph = graph with { ClusterToIpfs = TextMap(value, name) }; break;
            }
        }

        fields.ThrowIfWrong();
        return graph;

        Dictionary<string, string>? TextMap(JsonElement value, string name) =>
            ToMap(fields.Map(value, name, "map[string]string", item => fields.Text(item, name)));

        Dictionary<string, IReadOnlyList<string>>? ListMap(JsonElement value, string name) =>
            ToMap(fields.Map(value, name, "map[string][]peer.ID", item => (IReadOnlyList<string>)(TextsOf(fields, item, name) ?? [])));
    }

    public static IReadOnlyDictionary<string, BandwidthStats>? ReadBandwidth(JsonElement json)
    {
        var fields = new GoJsonFields("BandwidthByProtocol");
        var bandwidth = ToMap(fields.Map(json, string.Empty, "api.BandwidthByProtocol", item =>
        {
            var stats = default(BandwidthStats);
            foreach (var (name, value) in Members(item, "api.Bandwidth"))
            {
                stats = name switch
                {
                    "total_in" => stats with { TotalIn = fields.Integer(value, name, "int64") },
                    "total_out" => stats with { TotalOut = fields.Integer(value, name, "int64") },
                    "rate_in" => stats with { RateIn = fields.Float(value, name) },
                    "rate_out" => stats with { RateOut = fields.Float(value, name) },
                    _ => stats,
                };
            }

            return stats;
        }));
        fields.ThrowIfWrong();
        return bandwidth;
    }

    public static AddedOutput ReadAddedOutput(JsonElement json)
    {
        var fields = new GoJsonFields("AddedOutput");
        var added = new AddedOutput();
        foreach (var (name, value) in Members(json, "api.AddedOutput"))
        {
            switch (name)
            {
                case "name": added = added with { Name = fields.Text(value, name) }; break;
                case "cid": added = added with { Cid = CidOf(fields, value, name, added.Cid) }; break;
                case "bytes": added = added with { Bytes = fields.Unsigned(value, name) }; break;
                case "size": added = added with { Size = fields.Unsigned(value, name) }; break;
                case "allocations": added = added with { Allocations = PeersOf(fields, value, name) }; break;
            }
        }

        fields.ThrowIfWrong();
        return added;
    }

    public static ApiError ReadApiError(JsonElement json)
    {
        var fields = new GoJsonFields("Error");
        var error = new ApiError(0, string.Empty);
        foreach (var (name, value) in Members(json, "api.Error"))
        {
            switch (name)
            {
                case "code": error = error with { Code = (int)fields.Integer(value, name) }; break;
                case "message": error = error with { Message = fields.Text(value, name) }; break;
            }
        }

        fields.ThrowIfWrong();
        return error;
    }

    private static Alert MetricAndTrigger(JsonElement json, string goType)
    {
        var fields = new GoJsonFields(goType);
        var (metric, triggered) = (new Metric(), GoTime.Zero);
        foreach (var (name, value) in Members(json, "api." + goType))
        {
            switch (name)
            {
                case "name": metric = metric with { Name = fields.Text(value, name) }; break;
                case "peer": metric = metric with { Peer = PeerOf(fields.Text(value, name)) }; break;
                case "value": metric = metric with { Value = fields.Text(value, name) }; break;
                case "expire": metric = metric with { Expire = fields.Integer(value, name, "int64") }; break;
                case "valid": metric = metric with { Valid = fields.Boolean(value, name) }; break;
                case "weight": metric = metric with { Weight = fields.Integer(value, name, "int64") }; break;
                case "partitionable": metric = metric with { Partitionable = fields.Boolean(value, name) }; break;
                case "received_at": metric = metric with { ReceivedAt = fields.Integer(value, name, "int64") }; break;
                case "triggered_at": triggered = GoJsonFields.Time(value); break;
            }
        }

        fields.ThrowIfWrong();
        return new(metric, triggered);
    }

    private static RepoGcKey ReadRepoGcKey(JsonElement json)
    {
        var fields = new GoJsonFields("IPFSRepoGC");
        var key = new RepoGcKey(default);
        foreach (var (name, value) in Members(json, "api.IPFSRepoGC"))
        {
            switch (name)
            {
                case "key": key = key with { Key = CidOf(fields, value, name, key.Key) }; break;
                case "error": key = key with { Error = fields.Text(value, name) }; break;
            }
        }

        fields.ThrowIfWrong();
        return key;
    }

    private static Dictionary<string, T>? ToMap<T>(List<KeyValuePair<string, T>>? entries)
    {
        if (entries is null)
            return null;
        var map = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var (key, value) in entries)
            map[key] = value;
        return map;
    }
}
