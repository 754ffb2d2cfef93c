namespace Ipld.Tests.Import;

/// <summary>Keeps what an import puts out, and of the blocks their links and lengths (short ones whole).</summary>
internal sealed class Collector : IBlockSink, IImportOutput
{
    private const int Short = 4096;

    public List<ImportOutput> Outputs { get; } = [];

    public Dictionary<Cid, (int Length, byte[]? Data, IReadOnlyList<DagPbLink> Links)> Blocks { get; } = [];

    public ValueTask WriteAsync(IpldBlock block, CancellationToken cancellationToken)
    {
        if (!Blocks.ContainsKey(block.Cid))
        {
            Assert.Equal(block.Cid, CidPrefix.Of(block.Cid).Sum(block.Cid.Codec, block.Data.Span));
            var links = block.Cid.Codec == Multicodec.DagPb ? DagPbNode.Decode(block.Data.Span).Links : [];
            Blocks.Add(block.Cid, (block.Data.Length, block.Data.Length <= Short ? block.Data.ToArray() : null, links));
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask WriteAsync(ImportOutput output, CancellationToken cancellationToken)
    {
        Outputs.Add(output);
        return ValueTask.CompletedTask;
    }

    /// <summary>The distinct blocks below a root; identity CIDs carry their block in themselves and do not count.</summary>
    public (int Blocks, long Bytes) Measure(Cid root)
    {
        var seen = new HashSet<Cid>();
        var open = new Stack<Cid>([root]);
        var bytes = 0L;
        while (open.TryPop(out var cid))
        {
            if (seen.Add(cid))
            {
                bytes += Blocks[cid].Length;
                foreach (var link in Blocks[cid].Links)
                {
                    open.Push(link.Cid);
                }
            }
        }

        return (seen.Count, bytes);
    }
}
