using System.Buffers.Binary;

namespace Crdt;

/// <summary>A root whose walk has not ended: some of its ancestors are still to be fetched.</summary>
internal sealed class RootRecord
{
    /// <summary>Height of the root, under which it is recorded as a head.</summary>
    public required ulong Height { get; init; }

    /// <summary>Another merged node links to this root, so it must not become a head.</summary>
    public bool Covered { get; set; }

    /// <summary>Blocks that the walk waits for.</summary>
    public HashSet<BlockId> Missing { get; } = [];

    public byte[] Encode()
    {
        var bytes = new byte[9];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Height);
        bytes[8] = Covered ? (byte)1 : (byte)0;
        return bytes;
    }

    public static RootRecord Parse(ReadOnlySpan<byte> bytes) => bytes.Length == 9
        ? new RootRecord { Height = BinaryPrimitives.ReadUInt64LittleEndian(bytes), Covered = bytes[8] != 0 }
        : throw new CrdtFormatException("a stored root has an unknown format");
}
