using System.Globalization;
using Ipld;
using KuboRpc.Json;

namespace KuboRpc.Blocks;

/// <summary>
/// What a <c>block/put</c> request says of its blocks. One request holds blocks of one hash function; their codecs may differ, because
/// daemons store by multihash (golden kubo/rpc/block-put.json, "mixed codecs").
/// </summary>
internal readonly record struct BlockFormat(string Codec, string Hash, int HashLength)
{
    public static BlockFormat Of(Cid cid)
    {
        var hash = cid.Multihash;
        return new BlockFormat(Multicodec.NameOf(cid.Codec), hash.Name, hash.Digest.Length);
    }

    // The length of an identity hash is that of its block.
    public bool SharesRequestWith(BlockFormat other) => Hash == other.Hash && HashLength == other.HashLength;

    /// <summary>The form of the original: any number of parts.</summary>
    public string StreamTarget => string.Create(
        CultureInfo.InvariantCulture,
        $"block/put?allow-big-block=true&cid-codec={JsonFields.Escape(Codec)}&mhlen={HashLength}&mhtype={JsonFields.Escape(Hash)}&pin=false");

    /// <summary>The form that plain JS-IPFS understands: one part (spec/local-ipfs.md 3).</summary>
    public string SingleTarget => string.Create(
        CultureInfo.InvariantCulture,
        $"block/put?format={JsonFields.Escape(Codec)}&version=1&mhtype={JsonFields.Escape(Hash)}&mhlen={HashLength}&pin=false");
}
