using System.Buffers.Binary;
using System.Numerics;

namespace Ipld.Hashing;

/// <summary>The Keccak sponge (FIPS 202): SHA-3, SHAKE and the Keccak of before the standard, by their padding byte.</summary>
/// <remarks>.NET has SHA-3 only where the system's OpenSSL does, and neither SHA3-224 nor the older padding.</remarks>
internal static class Keccak
{
    public const byte OriginalPadding = 0x01;
    public const byte Sha3Padding = 0x06;
    public const byte ShakePadding = 0x1f;

    private static readonly ulong[] RoundConstants =
    [
        0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
        0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
        0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
        0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
    ];

    private static readonly int[] Rotations = [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];
    private static readonly int[] Lanes = [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];

    /// <summary>Hashes with a capacity of twice <paramref name="security"/> bytes; output of any length.</summary>
    public static void Hash(ReadOnlySpan<byte> data, int security, byte padding, Span<byte> output)
    {
        var rate = 200 - (2 * security);
        Span<ulong> state = stackalloc ulong[25];
        state.Clear();
        while (data.Length >= rate)
        {
            Absorb(state, data[..rate]);
            Permute(state);
            data = data[rate..];
        }

        Span<byte> last = stackalloc byte[rate];
        last.Clear();
        data.CopyTo(last);
        last[data.Length] = padding;
        last[rate - 1] |= 0x80;
        Absorb(state, last);
        Permute(state);

        Span<byte> block = stackalloc byte[200];
        while (true)
        {
            for (var i = 0; i < 25; i++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(block[(8 * i)..], state[i]);
            }

            var take = Math.Min(rate, output.Length);
            block[..take].CopyTo(output);
            output = output[take..];
            if (output.IsEmpty)
            {
                return;
            }

            Permute(state);
        }
    }

    private static void Absorb(Span<ulong> state, ReadOnlySpan<byte> block)
    {
        for (var i = 0; i < block.Length / 8; i++)
        {
            state[i] ^= BinaryPrimitives.ReadUInt64LittleEndian(block[(8 * i)..]);
        }
    }

    private static void Permute(Span<ulong> s)
    {
        foreach (var constant in RoundConstants)
        {
            var c0 = s[0] ^ s[5] ^ s[10] ^ s[15] ^ s[20];
            var c1 = s[1] ^ s[6] ^ s[11] ^ s[16] ^ s[21];
            var c2 = s[2] ^ s[7] ^ s[12] ^ s[17] ^ s[22];
            var c3 = s[3] ^ s[8] ^ s[13] ^ s[18] ^ s[23];
            var c4 = s[4] ^ s[9] ^ s[14] ^ s[19] ^ s[24];
            var d0 = c4 ^ BitOperations.RotateLeft(c1, 1);
            var d1 = c0 ^ BitOperations.RotateLeft(c2, 1);
            var d2 = c1 ^ BitOperations.RotateLeft(c3, 1);
            var d3 = c2 ^ BitOperations.RotateLeft(c4, 1);
            var d4 = c3 ^ BitOperations.RotateLeft(c0, 1);
            for (var y = 0; y < 25; y += 5)
            {
                var row = s.Slice(y, 5);
                row[0] ^= d0;
                row[1] ^= d1;
                row[2] ^= d2;
                row[3] ^= d3;
                row[4] ^= d4;
            }

            var moving = s[1];
            for (var i = 0; i < 24; i++)
            {
                var lane = Lanes[i];
                (s[lane], moving) = (BitOperations.RotateLeft(moving, Rotations[i]), s[lane]);
            }

            for (var y = 0; y < 25; y += 5)
            {
                var row = s.Slice(y, 5);
                var (a0, a1, a2, a3, a4) = (row[0], row[1], row[2], row[3], row[4]);
                row[0] = a0 ^ (~a1 & a2);
                row[1] = a1 ^ (~a2 & a3);
                row[2] = a2 ^ (~a3 & a4);
                row[3] = a3 ^ (~a4 & a0);
                row[4] = a4 ^ (~a0 & a1);
            }

            s[0] ^= constant;
        }
    }
}
