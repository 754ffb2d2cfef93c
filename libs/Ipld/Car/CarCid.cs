using System.Globalization;

namespace Ipld;

/// <summary>Reads the CID in front of a CAR section as go-cid's stream reader does: its error texts differ from those of a buffer.</summary>
internal static class CarCid
{
    private const int MaxDigest = 32 << 20;

    /// <exception cref="CidFormatException">The section does not start with a CID.</exception>
    public static int Read(ReadOnlySpan<byte> section, out Cid cid)
    {
        var at = 0;
        var version = ReadVarint(section, ref at);
        if (version == MultihashCode.Sha2_256)
        {
            if (section.Length < 34)
            {
                throw Invalid(section.Length == 1 ? "EOF" : "unexpected EOF");
            }

            if (!Multihash.TryFromBytes(section[..34], out _, out var multihashError))
            {
                throw Invalid(multihashError);
            }

            cid = Cid.FromBytes(section[..34]);
            return 34;
        }

        if (version != 1)
        {
            throw Invalid(string.Create(CultureInfo.InvariantCulture, $"expected 1 as the cid version number, got: {version}"));
        }

        ReadVarint(section, ref at);
        ReadVarint(section, ref at);
        var digest = ReadVarint(section, ref at);
        if (digest > MaxDigest)
        {
            throw Invalid(string.Create(CultureInfo.InvariantCulture, $"refusing to allocate {digest} bytes for a digest"));
        }

        if ((int)digest > section.Length - at)
        {
            throw Invalid(section.Length == at ? "EOF" : "unexpected EOF");
        }

        return Cid.TryRead(section, out cid, out var length, out var error) ? length : throw new CidFormatException(error);
    }

    private static ulong ReadVarint(ReadOnlySpan<byte> section, ref int at)
    {
        if (Varint.TryRead(section[at..], out var value, out var length, out var error))
        {
            at += length;
            return value;
        }

        throw Invalid(error != Varint.Underflow ? error : at == section.Length ? "EOF" : "unexpected EOF");
    }

    private static CidFormatException Invalid(string what) => new("invalid cid: " + what);
}
