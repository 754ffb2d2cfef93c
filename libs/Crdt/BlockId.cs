using System.Security.Cryptography;
using Ipld;

namespace Crdt;

/// <summary>
/// Names a node of the DAG by the SHA-256 digest of its bytes. All nodes are CIDv1, dag-pb, sha2-256 (crdt §5), so the digest alone
/// tells them apart. Ordered by digest, which is the order of the CIDs' bytes.
/// </summary>
public readonly struct BlockId : IEquatable<BlockId>, IComparable<BlockId>
{
    /// <summary>Bytes of the digest.</summary>
    public const int DigestLength = 32;

    /// <summary>Bytes of the CID: version 1, codec 0x70, multihash 0x12 with 32 bytes.</summary>
    public const int CidLength = 4 + DigestLength;

    private static ReadOnlySpan<byte> CidPrefix => [0x01, 0x70, 0x12, 0x20];

    // Four words in big-endian order: comparison is that of the bytes, and no array hangs on the value.
    private readonly ulong a, b, c, d;

    private BlockId(ReadOnlySpan<byte> digest)
    {
        a = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(digest);
        b = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(digest[8..]);
        c = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(digest[16..]);
        d = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(digest[24..]);
    }

    /// <summary>The name of a node with these bytes.</summary>
    public static BlockId Of(ReadOnlySpan<byte> block)
    {
        Span<byte> digest = stackalloc byte[DigestLength];
        SHA256.HashData(block, digest);
        return new BlockId(digest);
    }

    /// <summary>Reads a digest of <see cref="DigestLength"/> bytes.</summary>
    public static BlockId FromDigest(ReadOnlySpan<byte> digest) => digest.Length == DigestLength
        ? new BlockId(digest)
        : throw new CrdtFormatException($"a digest has {DigestLength} bytes, not {digest.Length}");

    /// <summary>Reads a binary CID; only CIDv1 dag-pb sha2-256 names a node.</summary>
    /// <exception cref="CrdtFormatException">Another kind of CID.</exception>
    public static BlockId FromCid(ReadOnlySpan<byte> cid) =>
        cid.Length == CidLength && cid.StartsWith(CidPrefix)
            ? new BlockId(cid[4..])
            : throw new CrdtFormatException("the CID of a node must be version 1, dag-pb, sha2-256");

    /// <summary>The CID of the node.</summary>
    public Cid ToCid()
    {
        Span<byte> cid = stackalloc byte[CidLength];
        WriteCid(cid);
        return Cid.FromBytes(cid);
    }

    /// <summary>Writes the <see cref="CidLength"/> bytes of the CID.</summary>
    public void WriteCid(Span<byte> destination)
    {
        CidPrefix.CopyTo(destination);
        WriteDigest(destination[4..]);
    }

    /// <summary>Writes the <see cref="DigestLength"/> bytes of the digest.</summary>
    public void WriteDigest(Span<byte> destination)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(destination, a);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(destination[8..], b);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(destination[16..], c);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(destination[24..], d);
    }

    /// <summary>The id of an addition that this node carries: a slash and the multihash in upper-case base32 (crdt §6).</summary>
    public string ToElementId()
    {
        Span<byte> multihash = stackalloc byte[2 + DigestLength];
        multihash[0] = 0x12;
        multihash[1] = DigestLength;
        WriteDigest(multihash[2..]);
        return "/" + Base32.EncodeUpper(multihash);
    }

    /// <summary>Reads the id of an addition, with its slash or without.</summary>
    /// <returns>False when it does not name a node; such a tombstone can never meet its addition.</returns>
    public static bool TryFromElementId(string id, out BlockId block)
    {
        block = default;
        Span<byte> multihash = stackalloc byte[2 + DigestLength];
        if (!Base32.TryDecode(id.AsSpan().TrimStart('/'), multihash, out var written)) return false;
        if (written != multihash.Length || multihash[0] != 0x12 || multihash[1] != DigestLength) return false;
        block = new BlockId(multihash[2..]);
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(BlockId other) => a == other.a && b == other.b && c == other.c && d == other.d;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BlockId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => a.GetHashCode();

    /// <inheritdoc/>
    public int CompareTo(BlockId other)
    {
        if (a != other.a) return a.CompareTo(other.a);
        if (b != other.b) return b.CompareTo(other.b);
        return c != other.c ? c.CompareTo(other.c) : d.CompareTo(other.d);
    }

    /// <inheritdoc/>
    public override string ToString() => ToCid().ToString();

    /// <summary>Equality by digest.</summary>
    public static bool operator ==(BlockId left, BlockId right) => left.Equals(right);

    /// <summary>Inequality by digest.</summary>
    public static bool operator !=(BlockId left, BlockId right) => !left.Equals(right);

    /// <summary>Order of the digests' bytes.</summary>
    public static bool operator <(BlockId left, BlockId right) => left.CompareTo(right) < 0;

    /// <summary>Order of the digests' bytes.</summary>
    public static bool operator >(BlockId left, BlockId right) => left.CompareTo(right) > 0;

    /// <summary>Order of the digests' bytes.</summary>
    public static bool operator <=(BlockId left, BlockId right) => left.CompareTo(right) <= 0;

    /// <summary>Order of the digests' bytes.</summary>
    public static bool operator >=(BlockId left, BlockId right) => left.CompareTo(right) >= 0;
}
