using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;

namespace Cluster.Consensus.Rpc;

/// <summary>All methods that a peer has, with their policies (spec/peer-rpc.md 4).</summary>
public static class RpcTable
{
    /// <summary>Methods that are a peer's own: known by name, refused to everyone else.</summary>
    private static readonly (string Service, string[] Methods)[] Closed =
    [
        ("Cluster",
        [
            "Pin", "Unpin", "PinPath", "UnpinPath", "Pins", "PinGet", "PeersWithFilter", "ConnectGraph", "Join", "StatusAll", "StatusAllLocal", "Status",
            "StatusLocal", "RecoverAll", "Recover", "BlockAllocate", "RepoGC", "SendInformerMetrics", "SendInformersMetrics", "Alerts",
            "BandwidthByProtocol", "IPFSID",
        ]),
        ("PinTracker", ["RecoverAll", "Track", "Untrack", "PinQueueSize"]),
        ("IPFSConnector", ["Pin", "Unpin", "PinLsCid", "PinLs", "ConfigKey", "BlockGet", "Resolve"]),
        ("Consensus", ["Peers"]),
        ("PeerMonitor", ["LatestMetrics", "MetricNames"]),
    ];

    /// <summary>The table of a peer.</summary>
    public static IEnumerable<RpcMethod> MethodsOf(RpcParts parts) =>
        ClusterMethods.Of(parts)
            .Concat(TrackerMethods.Of(parts))
            .Concat(ConnectorMethods.Of(parts))
            .Concat(ConsensusMethods.Of(parts))
            .Concat(Closed.SelectMany(service => service.Methods.Select(method => new ClosedMethod(new ServiceId(service.Service, method)))));

    /// <summary>Reads an argument that says nothing.</summary>
    internal static bool Nothing(ref MsgpackReader reader)
    {
        var fields = reader.Struct([]);
        while (fields.Next(ref reader, out _))
            reader.Skip();
        return true;
    }

    /// <summary>Writes a reply that says nothing.</summary>
    internal static void Empty(MsgpackWriter output) => output.MapHeader(0);
}
