using System.Buffers.Binary;
using System.Numerics;

namespace Ipld.Hashing;

/// <summary>BLAKE2b and BLAKE2s without a key (RFC 7693).</summary>
internal static class Blake2
{
    private static readonly ulong[] InitB =
    [
        0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
        0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
    ];

    private static readonly uint[] InitS =
        [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

    private static readonly byte[][] Sigma =
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ];

    /// <summary>BLAKE2b; the output's length (1…64) is part of the function.</summary>
    public static void HashB(ReadOnlySpan<byte> data, Span<byte> output)
    {
        Span<ulong> h = stackalloc ulong[8];
        InitB.CopyTo(h);
        h[0] ^= 0x01010000 ^ (ulong)output.Length;
        ulong total = 0;
        while (data.Length > 128)
        {
            total += 128;
            CompressB(h, data[..128], total, last: false);
            data = data[128..];
        }

        Span<byte> block = stackalloc byte[128];
        block.Clear();
        data.CopyTo(block);
        CompressB(h, block, total + (ulong)data.Length, last: true);
        Span<byte> digest = stackalloc byte[64];
        for (var i = 0; i < 8; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(digest[(8 * i)..], h[i]);
        }

        digest[..output.Length].CopyTo(output);
    }

    /// <summary>BLAKE2s; the output's length (1…32) is part of the function.</summary>
    public static void HashS(ReadOnlySpan<byte> data, Span<byte> output)
    {
        Span<uint> h = stackalloc uint[8];
        InitS.CopyTo(h);
        h[0] ^= 0x01010000 ^ (uint)output.Length;
        ulong total = 0;
        while (data.Length > 64)
        {
            total += 64;
            CompressS(h, data[..64], total, last: false);
            data = data[64..];
        }

        Span<byte> block = stackalloc byte[64];
        block.Clear();
        data.CopyTo(block);
        CompressS(h, block, total + (ulong)data.Length, last: true);
        Span<byte> digest = stackalloc byte[32];
        for (var i = 0; i < 8; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(digest[(4 * i)..], h[i]);
        }

        digest[..output.Length].CopyTo(output);
    }

    private static void CompressB(Span<ulong> h, ReadOnlySpan<byte> block, ulong total, bool last)
    {
        Span<ulong> m = stackalloc ulong[16];
        for (var i = 0; i < 16; i++)
        {
            m[i] = BinaryPrimitives.ReadUInt64LittleEndian(block[(8 * i)..]);
        }

        Span<ulong> v = stackalloc ulong[16];
        h.CopyTo(v);
        InitB.CopyTo(v[8..]);
        v[12] ^= total;
        if (last)
        {
            v[14] = ~v[14];
        }

        for (var round = 0; round < 12; round++)
        {
            var s = Sigma[round % 10];
            MixB(ref v[0], ref v[4], ref v[8], ref v[12], m[s[0]], m[s[1]]);
            MixB(ref v[1], ref v[5], ref v[9], ref v[13], m[s[2]], m[s[3]]);
            MixB(ref v[2], ref v[6], ref v[10], ref v[14], m[s[4]], m[s[5]]);
            MixB(ref v[3], ref v[7], ref v[11], ref v[15], m[s[6]], m[s[7]]);
            MixB(ref v[0], ref v[5], ref v[10], ref v[15], m[s[8]], m[s[9]]);
            MixB(ref v[1], ref v[6], ref v[11], ref v[12], m[s[10]], m[s[11]]);
            MixB(ref v[2], ref v[7], ref v[8], ref v[13], m[s[12]], m[s[13]]);
            MixB(ref v[3], ref v[4], ref v[9], ref v[14], m[s[14]], m[s[15]]);
        }

        for (var i = 0; i < 8; i++)
        {
            h[i] ^= v[i] ^ v[i + 8];
        }
    }

    private static void CompressS(Span<uint> h, ReadOnlySpan<byte> block, ulong total, bool last)
    {
        Span<uint> m = stackalloc uint[16];
        for (var i = 0; i < 16; i++)
        {
            m[i] = BinaryPrimitives.ReadUInt32LittleEndian(block[(4 * i)..]);
        }

        Span<uint> v = stackalloc uint[16];
        h.CopyTo(v);
        InitS.CopyTo(v[8..]);
        v[12] ^= (uint)total;
        v[13] ^= (uint)(total >> 32);
        if (last)
        {
            v[14] = ~v[14];
        }

        foreach (var s in Sigma)
        {
            MixS(ref v[0], ref v[4], ref v[8], ref v[12], m[s[0]], m[s[1]]);
            MixS(ref v[1], ref v[5], ref v[9], ref v[13], m[s[2]], m[s[3]]);
            MixS(ref v[2], ref v[6], ref v[10], ref v[14], m[s[4]], m[s[5]]);
            MixS(ref v[3], ref v[7], ref v[11], ref v[15], m[s[6]], m[s[7]]);
            MixS(ref v[0], ref v[5], ref v[10], ref v[15], m[s[8]], m[s[9]]);
            MixS(ref v[1], ref v[6], ref v[11], ref v[12], m[s[10]], m[s[11]]);
            MixS(ref v[2], ref v[7], ref v[8], ref v[13], m[s[12]], m[s[13]]);
            MixS(ref v[3], ref v[4], ref v[9], ref v[14], m[s[14]], m[s[15]]);
        }

        for (var i = 0; i < 8; i++)
        {
            h[i] ^= v[i] ^ v[i + 8];
        }
    }

    private static void MixB(ref ulong a, ref ulong b, ref ulong c, ref ulong d, ulong x, ulong y)
    {
        a += b + x;
        d = BitOperations.RotateRight(d ^ a, 32);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 24);
        a += b + y;
        d = BitOperations.RotateRight(d ^ a, 16);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 63);
    }

    private static void MixS(ref uint a, ref uint b, ref uint c, ref uint d, uint x, uint y)
    {
        a += b + x;
        d = BitOperations.RotateRight(d ^ a, 16);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 12);
        a += b + y;
        d = BitOperations.RotateRight(d ^ a, 8);
        c += d;
        b = BitOperations.RotateRight(b ^ c, 7);
    }
}
