using System.Buffers.Binary;
using Ipld;

namespace Cluster.Load;

/// <summary>
/// Distinct CIDs whose data is inline (identity multihash, 16 bytes): any daemon pins them at once and without a network, so what is
/// measured is the cluster.
/// </summary>
internal static class SyntheticCids
{
    public static string Create(ulong seed, ulong number)
    {
        Span<byte> cid = stackalloc byte[4 + 16];
        cid[0] = 1; // CIDv1
        cid[1] = 0x55; // raw
        cid[2] = 0; // identity
        cid[3] = 16;
        BinaryPrimitives.WriteUInt64BigEndian(cid[4..], seed);
        BinaryPrimitives.WriteUInt64BigEndian(cid[12..], number);
        return Cid.FromBytes(cid).ToString();
    }
}
