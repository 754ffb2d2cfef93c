using System.Globalization;

namespace Ipld;

/// <summary>Adds the blocks of a CAR as they are (spec/rest-api.md 9.5, CAR).</summary>
internal sealed class CarImport(IBlockSink blocks, IImportOutput output)
{
    public async ValueTask<Cid> AddAsync(string name, Stream content, CancellationToken cancellationToken)
    {
        using var car = await CarReader.OpenAsync(content, acceptVersion2: false, cancellationToken).ConfigureAwait(false);
        switch (car.Roots.Count)
        {
            case 0:
                throw new CarException("empty car, no roots");
            case > 1:
                throw new CarException("only CAR files with a single root are supported");
        }

        var root = car.Roots[0];
        ulong bytes = 0;
        ulong size = 0;
        var count = 0;
        while (await car.ReadBlockAsync(cancellationToken).ConfigureAwait(false) is var (cid, data))
        {
            count++;
            bytes += (ulong)data.Length;
            var cumulativeSize = Check(cid, data.Span, cid == root, ref size);
            await blocks.WriteAsync(new IpldBlock(cid, data, cumulativeSize), cancellationToken).ConfigureAwait(false);
        }

        if (count == 0)
        {
            // The original ends the whole process here (golden/kubo/README.md, faults, 1).
            throw new CarException("empty car, no blocks");
        }

        await output.WriteAsync(new ImportOutput(name, root, bytes, size), cancellationToken).ConfigureAwait(false);
        return root;
    }

    // Blocks must be what their codec says; the root's file size is told when it is UnixFS.
    private static ulong Check(Cid cid, ReadOnlySpan<byte> data, bool isRoot, ref ulong size)
    {
        switch (cid.Codec)
        {
            case Multicodec.DagPb:
                var node = DagPbNode.Decode(data);
                if (isRoot)
                {
                    size = FileSize(node);
                }

                return DagPbNode.CumulativeSize(data.Length, node.Links);
            case Multicodec.DagCbor:
                DagCbor.Links(data);
                return (ulong)data.Length;
            case Multicodec.Raw:
                return (ulong)data.Length;
            default:
                throw new IpldDecodeException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"could not choose a decoder: no decoder registered for multicodec code {cid.Codec} (0x{cid.Codec:x})"));
        }
    }

    private static ulong FileSize(DagPbNode node)
    {
        try
        {
            return UnixFsNode.Decode((node.Data ?? default).Span).ContentSize;
        }
        catch (IpldDecodeException)
        {
            // Plain dag-pb without UnixFS in it: has no file size.
            return 0;
        }
    }
}
