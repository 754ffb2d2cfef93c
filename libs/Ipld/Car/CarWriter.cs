using System.Buffers;

namespace Ipld;

/// <summary>Writes a CARv1 to a stream.</summary>
public static class CarWriter
{
    /// <summary>Writes the header.</summary>
    public static async ValueTask WriteHeaderAsync(Stream destination, IReadOnlyList<Cid> roots, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(roots);
        var header = new ArrayBufferWriter<byte>();
        DagCbor.WriteMapHead(header, 2);
        DagCbor.WriteText(header, "roots");
        DagCbor.WriteListHead(header, roots.Count);
        foreach (var root in roots)
        {
            DagCbor.WriteLink(header, root);
        }

        DagCbor.WriteText(header, "version");
        DagCbor.WriteInteger(header, 1);
        await destination.WriteAsync(Varint.ToBytes((ulong)header.WrittenCount), cancellationToken).ConfigureAwait(false);
        await destination.WriteAsync(header.WrittenMemory, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes one block; it is not checked against its CID.</summary>
    public static async ValueTask WriteBlockAsync(Stream destination, Cid cid, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(destination);
        await destination.WriteAsync(Varint.ToBytes((ulong)(cid.Bytes.Length + data.Length)), cancellationToken).ConfigureAwait(false);
        await destination.WriteAsync(cid.Memory, cancellationToken).ConfigureAwait(false);
        await destination.WriteAsync(data, cancellationToken).ConfigureAwait(false);
    }
}
