using Ipld;

namespace Cluster.Gateway.Json;

/// <summary>CIDs from their binary form straight to their text: version 0 in base58, version 1 in lower-case base32.</summary>
public static class CidText
{
    // The longest CID that is written without an allocation; longer ones hold inline data.
    private const int LongestOnStack = 128;

    /// <summary>Writes a CID as a JSON string, or <c>null</c> for an empty one.</summary>
    public static void Write(ref Model.GoJsonWriter json, ReadOnlySpan<byte> cid)
    {
        if (cid.IsEmpty)
        {
            json.Null();
            return;
        }

        if (cid is [0x12, 0x20, ..] && cid.Length == 34)
        {
            json.String(Base58.Encode(cid));
            return;
        }

        int length = 1 + (cid.Length * 8 + 4) / 5;
        Span<byte> text = cid.Length <= LongestOnStack ? stackalloc byte[length] : new byte[length];
        text[0] = (byte)'b';
        ReadOnlySpan<byte> digits = "abcdefghijklmnopqrstuvwxyz234567"u8;
        int at = 1;
        while (cid.Length >= 5)
        {
            ulong group = (ulong)cid[0] << 32 | (ulong)cid[1] << 24 | (ulong)cid[2] << 16 | (ulong)cid[3] << 8 | cid[4];
            for (int shift = 35; shift >= 0; shift -= 5) text[at++] = digits[(int)(group >> shift) & 31];
            cid = cid[5..];
        }

        int rest = 0, bits = 0;
        foreach (byte b in cid)
        {
            rest = rest << 8 | b;
            bits += 8;
            for (; bits >= 5; bits -= 5) text[at++] = digits[rest >> (bits - 5) & 31];
        }

        if (bits > 0) text[at++] = digits[rest << (5 - bits) & 31];
        json.PlainString(text[..at]);
    }
}
