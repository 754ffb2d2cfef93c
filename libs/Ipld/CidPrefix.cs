namespace Ipld;

/// <summary>How CIDs of new blocks are made: version, hash function, digest length.</summary>
/// <param name="Version">0 or 1; blocks other than dag-pb always get version 1.</param>
/// <param name="HashCode">The hash function (<see cref="MultihashCode"/>).</param>
/// <param name="DigestLength">Digest bytes to keep; -1 = all.</param>
public readonly record struct CidPrefix(int Version, ulong HashCode, int DigestLength = -1)
{
    /// <summary>The default of IPFS: version 0, SHA-2 256.</summary>
    public static CidPrefix V0 { get; } = new(0, MultihashCode.Sha2_256);

    /// <summary>Version 1 with SHA-2 256.</summary>
    public static CidPrefix V1 { get; } = new(1, MultihashCode.Sha2_256);

    /// <summary>The prefix of an existing CID.</summary>
    public static CidPrefix Of(Cid cid)
    {
        var multihash = cid.Multihash;
        return new CidPrefix(cid.Version, multihash.Code, multihash.Code == MultihashCode.Identity ? -1 : multihash.Digest.Length);
    }

    /// <summary>The CID of a block.</summary>
    /// <exception cref="CidFormatException">Version 0 with another function than SHA-2 256, or a function that cannot be computed.</exception>
    public Cid Sum(ulong codec, ReadOnlySpan<byte> data)
    {
        var version = codec == Multicodec.DagPb ? Version : 1;
        if (version == 0 && (HashCode != MultihashCode.Sha2_256 || DigestLength is not (32 or -1)))
        {
            throw new CidFormatException("invalid cid: invalid v0 prefix");
        }

        Multihash multihash;
        try
        {
            multihash = MultihashSum.Compute(HashCode, data, DigestLength);
        }
        catch (MultihashException e)
        {
            throw new CidFormatException("invalid cid: " + e.Message, e);
        }

        return version == 0 ? Cid.CreateV0(multihash) : Cid.CreateV1(codec, multihash);
    }
}
