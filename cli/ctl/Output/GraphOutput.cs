using System.Text;
using Cluster.Model;

namespace Cluster.Ctl.Output;

/// <summary>The connectivity graph in DOT (spec/ctl.md 7).</summary>
internal static class GraphOutput
{
    private const string Style = " style=\"filled\" colorscheme=\"x11\" fontcolor=\"black\" fontname=\"Arial\"";

    /// <param name="graph">What the peer answered.</param>
    /// <param name="allIpfsPeers">Whether daemons outside of the cluster get nodes too.</param>
    public static string Write(ConnectGraph graph, bool allIpfsPeers)
    {
        var links = graph.ClusterLinks ?? new Dictionary<string, IReadOnlyList<string>>();
        var daemonLinks = graph.IpfsLinks ?? new Dictionary<string, IReadOnlyList<string>>();
        var daemonOf = graph.ClusterToIpfs ?? new Dictionary<string, string>();
        var self = graph.ClusterId.ToString();
        string[] peers = [.. links.Keys.Order(StringComparer.Ordinal)];
        string[] daemons =
        [
            .. (allIpfsPeers ? daemonLinks.Keys.Concat(daemonLinks.Values.SelectMany(list => list)).Distinct() : daemonLinks.Keys).Order(StringComparer.Ordinal),
        ];
        string[] errored = [.. peers.Where(peer => !daemonOf.ContainsKey(peer))];
        var peerNodes = peers.Select((peer, i) => (peer, Node: (IsTrustedOther(peer) ? "T" : "C") + i)).ToDictionary(n => n.peer, n => n.Node);
        var daemonNodes = daemons.Select((daemon, i) => (daemon, Node: "I" + i)).ToDictionary(n => n.daemon, n => n.Node);
        var erroredNodes = errored.Select((peer, i) => (peer, Node: "I" + (daemons.Length + i))).ToDictionary(n => n.peer, n => n.Node);

        var dot = new StringBuilder();
        dot.Append("digraph cluster {\n/* The nodes of the connectivity graph */\n/* The cluster-service peers */\nsubgraph  {\nrank=\"min\"\n");
        foreach (var peer in peers)
        {
            var name = graph.IdToPeerName?.GetValueOrDefault(peer) ?? string.Empty;
            var color = peer == self || IsTrustedOther(peer) ? "orange" : "darkorange3";
            Node(dot, peerNodes[peer], name, Short(peer), peer, color, "box3d", peer == self ? " peripheries=\"2\"" : string.Empty);
        }

        dot.Append("}\n\n/* The ipfs peers */\nsubgraph  {\nrank=\"max\"\n");
        foreach (var daemon in daemons)
            Node(dot, daemonNodes[daemon], "IPFS", Short(daemon), daemon, "turquoise3", "cylinder", string.Empty);
        foreach (var peer in errored)
            Node(dot, erroredNodes[peer], "IPFS", "Errored", peer, "firebrick1", "cylinder", string.Empty);

        dot.Append("}\n\n/* Edges representing active connections in the cluster */\n/* The connections among cluster-service peers */\n");
        foreach (var peer in peers)
        {
            foreach (var other in links[peer])
            {
                if (peerNodes.TryGetValue(other, out var node))
                    dot.Append(peerNodes[peer]).Append(" -> ").Append(node).Append('\n');
            }
        }

        dot.Append("\n/* The connections between cluster peers and their ipfs daemons */\n");
        foreach (var peer in peers)
        {
            if (erroredNodes.TryGetValue(peer, out var node))
                dot.Append(peerNodes[peer]).Append(" -> ").Append(node).Append(" [ style=\"dotted\" ]\n");
            else if (daemonNodes.TryGetValue(daemonOf[peer], out node))
                dot.Append(peerNodes[peer]).Append(" -> ").Append(node).Append('\n');
        }

        dot.Append("\n/* The swarm peer connections among ipfs daemons in the cluster */\n");
        foreach (var daemon in daemonLinks.Keys.Order(StringComparer.Ordinal))
        {
            foreach (var other in daemonLinks[daemon])
            {
                if (daemonNodes.TryGetValue(other, out var node))
                    dot.Append(daemonNodes[daemon]).Append(" -> ").Append(node).Append('\n');
            }
        }

        return dot.Append('}').ToString();

        bool IsTrustedOther(string peer) => peer != self && graph.ClusterTrustLinks?.GetValueOrDefault(peer) == true;
    }

    private static void Node(StringBuilder dot, string node, string first, string second, string group, string color, string shape, string more) =>
        dot.Append(node).Append(" [label=< <B> ").Append(first).Append(" </B> <BR/> <B> ").Append(second).Append(" </B> > group=\"").Append(group)
            .Append("\" color=\"").Append(color).Append('"').Append(Style).Append(" shape=\"").Append(shape).Append('"').Append(more).Append(" ]\n");

    private static string Short(string id) => id.Length <= 8 ? id : id[..2] + "*" + id[^6..];
}
