using System.Text;
using Ipld;

namespace Cluster.Consensus.Peering;

/// <summary>The topics of a cluster (spec/crdt.md 2, spec/peer-rpc.md 5).</summary>
internal static class ClusterTopics
{
    /// <summary>Metrics, the same in every cluster.</summary>
    internal const string Metrics = "monitor.metrics";

    /// <summary>Heads of the pinset: the base58 of the MD5 multihash of the cluster's name.</summary>
    internal static string Heads(string clusterName) =>
        Base58.Encode(MultihashSum.Compute(MultihashCode.Md5, Encoding.UTF8.GetBytes(clusterName)).Bytes);
}
