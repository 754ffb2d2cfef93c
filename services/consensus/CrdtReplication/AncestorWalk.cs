using Crdt;
using Libp2p.Bitswap;

namespace Cluster.Consensus.CrdtReplication;

/// <summary>
/// Gives nodes of a DAG and their ancestors, the highest first: each after all that link to it, and once. What is held back for that is
/// bounded; links for which there is no room are left out, as are those to nodes that are not in the store. One caller.
/// </summary>
internal sealed class AncestorWalk(IBlockStore store)
{
    /// <summary>Nodes that may wait for their turn: as many as one node may have links.</summary>
    internal const int MaxWaiting = DagNode.MaxLinks;

    /// <summary>Bytes of nodes that may wait.</summary>
    private const int MaxWaitingBytes = 8 << 20;

    private readonly PriorityQueue<Node, ulong> _waiting = new(Comparer<ulong>.Create(static (a, b) => b.CompareTo(a)));
    private readonly HashSet<BlockId> _isWaiting = [];
    private long _waitingBytes;

    /// <summary>Begins with a node; several calls begin with several nodes.</summary>
    internal ValueTask BeginAsync(BlockId block, CancellationToken cancellationToken) => AddAsync(block, ulong.MaxValue, cancellationToken);

    /// <summary>The bytes of the next node; null at the end.</summary>
    internal async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancellationToken)
    {
        if (!_waiting.TryDequeue(out var node, out var height))
            return null;
        _isWaiting.Remove(node.Block);
        _waitingBytes -= node.Bytes.Length;
        foreach (var link in node.Links)
            await AddAsync(link, height, cancellationToken);
        return node.Bytes;
    }

    /// <summary>
    /// A link that is no lower than its node is left out: what comes is ever lower for that, so that what went by need not be remembered.
    /// </summary>
    private async ValueTask AddAsync(BlockId block, ulong below, CancellationToken cancellationToken)
    {
        if (_waiting.Count == MaxWaiting || _waitingBytes > MaxWaitingBytes || _isWaiting.Contains(block)
            || await store.GetAsync(block.ToCid(), cancellationToken) is not { } bytes)
        {
            return;
        }

        var (links, height) = DagNode.ParsePlace(bytes.Span);
        if (height >= below)
            return;
        _waiting.Enqueue(new Node(block, bytes, links), height);
        _isWaiting.Add(block);
        _waitingBytes += bytes.Length;
    }

    private readonly record struct Node(BlockId Block, ReadOnlyMemory<byte> Bytes, IReadOnlyList<BlockId> Links);
}
