using Cluster.Model;
using Ipld;

namespace Cluster.CrdtState;

/// <summary>A pin as an entry of the replicated set (spec/crdt.md 6, 7).</summary>
public static class PinKey
{
    private const int MaxCidBytes = 512;

    /// <summary>The key of a CID.</summary>
    public static string Of(Cid cid) => cid.ToDatastoreKey();

    /// <summary>The CID of a key.</summary>
    /// <returns>False when the key is not that of a pin.</returns>
    public static bool TryParse(string key, out Cid cid)
    {
        cid = default;
        if (key.Length < 2 || key[0] != '/' || key.Length > MaxCidBytes)
            return false;
        Span<byte> bytes = stackalloc byte[MaxCidBytes];
        return Base32.TryDecode(key.AsSpan(1), bytes, out var written) && Cid.TryFromBytes(bytes[..written], out cid, out _);
    }

    /// <summary>Reads an entry; the CID of the key wins over that in the value.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="value">Its value.</param>
    /// <param name="cid">The CID of the key; undefined when it is none.</param>
    /// <param name="pin">The pin; null on failure.</param>
    /// <param name="error">What is wrong; empty on success.</param>
    public static bool TryRead(string key, ReadOnlySpan<byte> value, out Cid cid, out Pin? pin, out string error)
    {
        pin = null;
        if (!TryParse(key, out cid))
        {
            error = "the key is not that of a CID";
            return false;
        }

        if (!PinProtobuf.TryParse(value, out pin, out error))
            return false;
        if (pin!.Cid != cid)
            pin = pin with { Cid = cid };
        return true;
    }
}
