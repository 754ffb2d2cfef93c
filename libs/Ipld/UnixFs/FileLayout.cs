using System.Buffers;

namespace Ipld;

/// <summary>The root of a finished DAG as its parent links to it.</summary>
/// <param name="Cid">The root.</param>
/// <param name="CumulativeSize">Bytes of all blocks.</param>
/// <param name="FileSize">Bytes of content.</param>
internal readonly record struct DagRoot(Cid Cid, ulong CumulativeSize, ulong FileSize);

/// <summary>Builds the DAG of one file while its content is read: balanced or trickle, 174 links a node.</summary>
/// <remarks>Memory: one piece, and the links of one node per level.</remarks>
internal sealed class FileLayout(CidPrefix prefix, bool rawLeaves, Chunker chunker, IBlockSink blocks)
{
    /// <summary>Links of a node (spec/behaviour.md 19.1): 8 KiB at 47 bytes a link.</summary>
    private const int MaxLinks = 174;

    /// <summary>Subtrees of equal depth in a row in the trickle layout.</summary>
    private const int TrickleRepeat = 4;

    private readonly CidPrefix _nodePrefix = MultihashSum.DigestLength(prefix.HashCode) >= 0 ? prefix : CidPrefix.V0;
    private bool _hasPiece;

    public async ValueTask<DagRoot> BuildBalancedAsync(CancellationToken cancellationToken)
    {
        if (await IsDoneAsync(cancellationToken).ConfigureAwait(false))
        {
            return await WriteLeafAsync(default, UnixFsType.File, cancellationToken).ConfigureAwait(false);
        }

        var root = await NextLeafAsync(UnixFsType.File, cancellationToken).ConfigureAwait(false);
        for (var depth = 1; !await IsDoneAsync(cancellationToken).ConfigureAwait(false); depth++)
        {
            var node = new InnerNode();
            node.Add(root);
            root = await FillBalancedAsync(node, depth, cancellationToken).ConfigureAwait(false);
        }

        return root;
    }

    public ValueTask<DagRoot> BuildTrickleAsync(CancellationToken cancellationToken) => FillTrickleAsync(-1, cancellationToken);

    private async ValueTask<DagRoot> FillBalancedAsync(InnerNode node, int depth, CancellationToken cancellationToken)
    {
        while (node.Count < MaxLinks && !await IsDoneAsync(cancellationToken).ConfigureAwait(false))
        {
            node.Add(depth == 1
                ? await NextLeafAsync(UnixFsType.File, cancellationToken).ConfigureAwait(false)
                : await FillBalancedAsync(new InnerNode(), depth - 1, cancellationToken).ConfigureAwait(false));
        }

        return await WriteNodeAsync(node, cancellationToken).ConfigureAwait(false);
    }

    // Leaves first, then subtrees of depth 1, four times, of depth 2, four times, and so on; the root (-1) without end.
    private async ValueTask<DagRoot> FillTrickleAsync(int maxDepth, CancellationToken cancellationToken)
    {
        var node = new InnerNode();
        while (node.Count < MaxLinks && !await IsDoneAsync(cancellationToken).ConfigureAwait(false))
        {
            node.Add(await NextLeafAsync(UnixFsType.Raw, cancellationToken).ConfigureAwait(false));
        }

        for (var depth = 1; maxDepth == -1 || depth < maxDepth; depth++)
        {
            if (await IsDoneAsync(cancellationToken).ConfigureAwait(false))
            {
                break;
            }

            for (var i = 0; i < TrickleRepeat && !await IsDoneAsync(cancellationToken).ConfigureAwait(false); i++)
            {
                node.Add(await FillTrickleAsync(depth, cancellationToken).ConfigureAwait(false));
            }
        }

        return await WriteNodeAsync(node, cancellationToken).ConfigureAwait(false);
    }

    // At the end of the content the chunker is asked again each time, as in the original, whose progress objects show it.
    private async ValueTask<bool> IsDoneAsync(CancellationToken cancellationToken)
    {
        if (!_hasPiece)
        {
            _hasPiece = await chunker.MoveNextAsync(cancellationToken).ConfigureAwait(false);
        }

        return !_hasPiece;
    }

    private ValueTask<DagRoot> NextLeafAsync(UnixFsType type, CancellationToken cancellationToken)
    {
        _hasPiece = false;
        return WriteLeafAsync(chunker.Current, type, cancellationToken);
    }

    private async ValueTask<DagRoot> WriteLeafAsync(ReadOnlyMemory<byte> content, UnixFsType type, CancellationToken cancellationToken)
    {
        var size = (ulong)content.Length;
        if (rawLeaves)
        {
            var raw = prefix.Sum(Multicodec.Raw, content.Span);
            await blocks.WriteAsync(new IpldBlock(raw, content, size), cancellationToken).ConfigureAwait(false);
            return new DagRoot(raw, size, size);
        }

        var dataSize = ProtobufWriter.VarintSize((ulong)type) + (content.IsEmpty ? 0 : ProtobufWriter.BytesSize(content.Length)) + ProtobufWriter.VarintSize(size);
        var blockSize = ProtobufWriter.BytesSize(dataSize);
        var buffer = ArrayPool<byte>.Shared.Rent(blockSize);
        try
        {
            EncodeLeaf(buffer, dataSize, content.Span, type);
            var block = buffer.AsMemory(0, blockSize);
            var cid = _nodePrefix.Sum(Multicodec.DagPb, block.Span);
            await blocks.WriteAsync(new IpldBlock(cid, block, (ulong)blockSize), cancellationToken).ConfigureAwait(false);
            return new DagRoot(cid, (ulong)blockSize, size);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void EncodeLeaf(Span<byte> block, int dataSize, ReadOnlySpan<byte> content, UnixFsType type)
    {
        var writer = new ProtobufWriter(block);
        writer.WriteBytesHeader(1, dataSize);
        writer.WriteVarint(1, (ulong)type);
        if (!content.IsEmpty)
        {
            writer.WriteBytes(2, content);
        }

        writer.WriteVarint(3, (ulong)content.Length);
    }

    private async ValueTask<DagRoot> WriteNodeAsync(InnerNode node, CancellationToken cancellationToken)
    {
        var data = new UnixFsNode { Type = UnixFsType.File, FileSize = node.FileSize, BlockSizes = node.BlockSizes }.Encode();
        var block = DagPbNode.Encode(node.Links, data);
        var cid = _nodePrefix.Sum(Multicodec.DagPb, block);
        var cumulativeSize = DagPbNode.CumulativeSize(block.Length, node.Links);
        await blocks.WriteAsync(new IpldBlock(cid, block, cumulativeSize), cancellationToken).ConfigureAwait(false);
        return new DagRoot(cid, cumulativeSize, node.FileSize);
    }

    private sealed class InnerNode
    {
        public List<DagPbLink> Links { get; } = [];

        public List<ulong> BlockSizes { get; } = [];

        public ulong FileSize { get; private set; }

        public int Count => Links.Count;

        public void Add(DagRoot child)
        {
            Links.Add(new DagPbLink(child.Cid, ReadOnlyMemory<byte>.Empty, child.CumulativeSize));
            BlockSizes.Add(child.FileSize);
            FileSize += child.FileSize;
        }
    }
}
