using System.Buffers.Binary;
using System.Numerics;

namespace Ipld.Hashing;

/// <summary>The first half of murmur3 x64-128 with seed 0: it spreads names over the slots of HAMT directories.</summary>
internal static class Murmur3
{
    private const ulong C1 = 0x87c37b91114253d5;
    private const ulong C2 = 0x4cf5ad432745937f;

    public static ulong Hash(ReadOnlySpan<byte> data)
    {
        ulong h1 = 0;
        ulong h2 = 0;
        var length = (ulong)data.Length;
        while (data.Length >= 16)
        {
            h1 ^= Mix1(BinaryPrimitives.ReadUInt64LittleEndian(data));
            h1 = ((BitOperations.RotateLeft(h1, 27) + h2) * 5) + 0x52dce729;
            h2 ^= Mix2(BinaryPrimitives.ReadUInt64LittleEndian(data[8..]));
            h2 = ((BitOperations.RotateLeft(h2, 31) + h1) * 5) + 0x38495ab5;
            data = data[16..];
        }

        ulong k1 = 0;
        ulong k2 = 0;
        for (var i = data.Length - 1; i >= 8; i--)
        {
            k2 = (k2 << 8) | data[i];
        }

        for (var i = Math.Min(data.Length, 8) - 1; i >= 0; i--)
        {
            k1 = (k1 << 8) | data[i];
        }

        h2 ^= Mix2(k2);
        h1 ^= Mix1(k1);
        h1 ^= length;
        h2 ^= length;
        h1 += h2;
        h2 += h1;
        h1 = Finish(h1);
        h2 = Finish(h2);
        return h1 + h2;
    }

    private static ulong Mix1(ulong k) => BitOperations.RotateLeft(k * C1, 31) * C2;

    private static ulong Mix2(ulong k) => BitOperations.RotateLeft(k * C2, 33) * C1;

    private static ulong Finish(ulong k)
    {
        k = (k ^ (k >> 33)) * 0xff51afd7ed558ccd;
        k = (k ^ (k >> 33)) * 0xc4ceb9fe1a85ec53;
        return k ^ (k >> 33);
    }
}
