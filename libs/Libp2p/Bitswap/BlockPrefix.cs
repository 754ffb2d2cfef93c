using Ipld;

namespace Libp2p.Bitswap;

/// <summary>A CID without its digest: version, codec, hash function, digest length. With the block's bytes it makes the CID.</summary>
internal static class BlockPrefix
{
    /// <summary>What came of naming a block.</summary>
    public enum Result
    {
        Named,
        UnknownHash,
        Malformed,
    }

    // Longer than any digest that can be computed here.
    private const ulong MaxDigest = 128;

    /// <summary>The prefix of a CID.</summary>
    public static byte[] Of(Cid cid)
    {
        var hash = cid.Multihash;
        Span<byte> prefix = stackalloc byte[4 * Varint.MaxLength];
        int n = Varint.Write(prefix, (ulong)cid.Version);
        n += Varint.Write(prefix[n..], cid.Codec);
        n += Varint.Write(prefix[n..], hash.Code);
        n += Varint.Write(prefix[n..], (ulong)hash.Digest.Length);
        return prefix[..n].ToArray();
    }

    /// <summary>Hashes a block as its prefix says.</summary>
    public static Result Name(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> data, out Cid cid)
    {
        cid = default;
        if (!Take(ref prefix, out ulong version) || !Take(ref prefix, out ulong codec) || !Take(ref prefix, out ulong code)
            || !Take(ref prefix, out ulong length) || version > 1)
        {
            return Result.Malformed;
        }
        // An identity hash names any bytes: such a block proves nothing, and nobody asks for it.
        if (code == MultihashCode.Identity || length > MaxDigest) return Result.UnknownHash;
        try
        {
            var made = new CidPrefix((int)version, code, (int)length);
            cid = made.Sum(codec, data);
            return Result.Named;
        }
        catch (CidFormatException)
        {
            return Result.UnknownHash;
        }
    }

    private static bool Take(ref ReadOnlySpan<byte> rest, out ulong value)
    {
        if (!Varint.TryRead(rest, out value, out int length, out _)) return false;
        rest = rest[length..];
        return true;
    }
}
