using System.Buffers.Binary;
using Ipld;

namespace Cluster.EndToEnd.Tests;

/// <summary>Distinct CIDs with inline data (identity multihash): they pin on any daemon without a network.</summary>
internal static class InlineCids
{
    public static string Create(int family, int number)
    {
        Span<byte> cid = stackalloc byte[4 + 16];
        (cid[0], cid[1], cid[2], cid[3]) = (1, 0x55, 0, 16);
        "e2e test"u8.CopyTo(cid[4..]);
        BinaryPrimitives.WriteInt32BigEndian(cid[12..], family);
        BinaryPrimitives.WriteInt32BigEndian(cid[16..], number);
        return Cid.FromBytes(cid).ToString();
    }
}
