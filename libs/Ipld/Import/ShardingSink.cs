namespace Ipld;

/// <summary>A finished shard.</summary>
/// <param name="Index">0, 1, … in the order of the import.</param>
/// <param name="Root">The node that links to the shard's blocks.</param>
/// <param name="Size">Bytes of the data blocks in it.</param>
/// <param name="Previous">The shard before; undefined for the first.</param>
/// <param name="Depth">How deep a pin of the root must go to hold the data: 1, or 2 with more than 5984 blocks.</param>
public sealed record Shard(int Index, Cid Root, ulong Size, Cid Previous, int Depth);

/// <summary>Where shards go: who allocates them, stores their blocks and pins them.</summary>
public interface IShardStore
{
    /// <summary>Chooses where the next shard goes.</summary>
    ValueTask BeginShardAsync(int index, CancellationToken cancellationToken);

    /// <summary>Stores a block with the current shard. As <see cref="IBlockSink.WriteAsync"/>.</summary>
    ValueTask WriteAsync(IpldBlock block, CancellationToken cancellationToken);

    /// <summary>Waits for the shard's blocks, pins it, puts out its object.</summary>
    ValueTask EndShardAsync(Shard shard, CancellationToken cancellationToken);
}

/// <summary>The nodes that bind all shards together.</summary>
/// <param name="Root">The cluster DAG.</param>
/// <param name="Size">Bytes of all shards.</param>
/// <param name="Blocks">Root first; to be stored at the own peer.</param>
public sealed record ClusterDag(Cid Root, ulong Size, IReadOnlyList<IpldBlock> Blocks);

/// <summary>
/// Sorts the blocks of an import into shards of limited size (spec/behaviour.md 19.5). Remembers the CIDs of all blocks:
/// one that came before goes into no second shard.
/// </summary>
public sealed class ShardingSink(ulong shardSize, IShardStore store) : IBlockSink
{
    /// <summary>Links of a shard node; beyond it a level of nodes comes between.</summary>
    public const int MaxLinks = 5984;

    private readonly HashSet<Cid> _seen = [];
    private readonly List<Cid> _shards = [];
    private readonly List<Cid> _links = [];
    private ulong _size;
    private ulong _totalSize;
    private bool _open;

    /// <inheritdoc/>
    /// <exception cref="ImportException">The block is larger than a shard may be.</exception>
    public async ValueTask WriteAsync(IpldBlock block, CancellationToken cancellationToken)
    {
        if (!_seen.Add(block.Cid))
        {
            return;
        }

        var length = (ulong)block.Data.Length;
        for (; ; await EndShardAsync(cancellationToken).ConfigureAwait(false))
        {
            if (!_open)
            {
                await store.BeginShardAsync(_shards.Count, cancellationToken).ConfigureAwait(false);
                _open = true;
            }

            if (_size + length < shardSize)
            {
                _links.Add(block.Cid);
                _size += length;
                await store.WriteAsync(block, cancellationToken).ConfigureAwait(false);
                return;
            }

            if (_size == 0)
            {
                throw new ImportException("block doesn't fit in empty shard: shard size too small?");
            }
        }
    }

    /// <summary>Ends the last shard and makes the cluster DAG.</summary>
    /// <exception cref="ImportException">No block came.</exception>
    public async ValueTask<ClusterDag> FinishAsync(CancellationToken cancellationToken)
    {
        if (!_open)
        {
            throw new ImportException("cannot flush a nil shard");
        }

        await EndShardAsync(cancellationToken).ConfigureAwait(false);
        var blocks = Encode(_shards);
        return new ClusterDag(blocks[0].Cid, _totalSize, blocks);
    }

    private async ValueTask EndShardAsync(CancellationToken cancellationToken)
    {
        var nodes = Encode(_links);
        foreach (var node in nodes)
        {
            await store.WriteAsync(node, cancellationToken).ConfigureAwait(false);
        }

        var shard = new Shard(_shards.Count, nodes[0].Cid, _size, _shards.Count == 0 ? default : _shards[^1], nodes.Count == 1 ? 1 : 2);
        _totalSize += _size;
        _shards.Add(shard.Root);
        _links.Clear();
        _size = 0;
        _open = false;
        await store.EndShardAsync(shard, cancellationToken).ConfigureAwait(false);
    }

    // Root first, then its leaves if it has any. A multiple of the maximum gets an empty last leaf, as in the original.
    private static List<IpldBlock> Encode(List<Cid> links)
    {
        var all = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(links);
        if (all.Length <= MaxLinks)
        {
            return [Node(all)];
        }

        var leaves = new List<IpldBlock>();
        for (var i = 0; i <= all.Length / MaxLinks; i++)
        {
            leaves.Add(Node(all.Slice(i * MaxLinks, Math.Min(MaxLinks, all.Length - (i * MaxLinks)))));
        }

        return [Node(leaves.Select(leaf => leaf.Cid).ToArray()), .. leaves];
    }

    private static IpldBlock Node(ReadOnlySpan<Cid> links)
    {
        var block = DagCbor.EncodeIndexedLinks(links);
        return new IpldBlock(CidPrefix.V1.Sum(Multicodec.DagCbor, block), block, (ulong)block.Length);
    }
}
