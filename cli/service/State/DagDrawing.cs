using System.Globalization;
using Crdt;

namespace Cluster.Service.State;

/// <summary>
/// The DAG in DOT, as the original draws it: from each head downwards, every node once, with its height and the number of keys it adds
/// and removes. Nodes that were not fetched yet are drawn as links only.
/// </summary>
internal static class DagDrawing
{
    public static async Task WriteAsync(ICrdtTransaction store, TextWriter output, CancellationToken cancellationToken)
    {
        var heads = MerkleCrdt.Open(store).Heads.Keys.ToArray();
        await output.WriteAsync("digraph CRDTDAG {\nsubgraph heads {\n");
        foreach (var head in heads)
            await output.WriteAsync(head.ToCid() + "\n");
        await output.WriteAsync("}\n");

        var seen = new HashSet<BlockId>();
        var waiting = new Stack<BlockId>(heads.Reverse());
        while (waiting.TryPop(out var id))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!seen.Add(id) || !MerkleCrdt.TryGetBlock(store, id, out var block))
                continue;
            var node = DagNode.Parse(block);
            await output.WriteAsync(Draw(id, node));
            foreach (var link in node.Links.Reverse())
                waiting.Push(link);
        }

        await output.WriteAsync("}\n");
    }

    private static string Draw(BlockId id, DagNode node)
    {
        var cid = id.ToCid().ToString();
        var links = node.Links.Select(static link => link.ToCid().ToString()).ToArray();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{cid} [label=\"{node.Delta.Priority} | {cid[^4..]}: +{node.Delta.Elements.Count} -{node.Delta.Tombstones.Count}\"]\n")
            + $"{cid} -> {{{string.Concat(links.Select(static link => link + " "))}}}\n"
            + $"subgraph sg_{cid} {{\n{string.Concat(links.Select(static link => link + "\n"))}}}\n";
    }
}
