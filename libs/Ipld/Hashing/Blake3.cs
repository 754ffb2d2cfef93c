using System.Buffers.Binary;
using System.Numerics;

namespace Ipld.Hashing;

/// <summary>BLAKE3 without a key: chunks of 1024 bytes in a binary tree, output of any length.</summary>
internal static class Blake3
{
    private const int ChunkLength = 1024;
    private const int BlockLength = 64;
    private const uint ChunkStart = 1;
    private const uint ChunkEnd = 2;
    private const uint Parent = 4;
    private const uint Root = 8;

    private static readonly uint[] Init =
        [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

    private static readonly byte[] Permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

    public static void Hash(ReadOnlySpan<byte> data, Span<byte> output)
    {
        Span<uint> chaining = stackalloc uint[8];
        Span<uint> block = stackalloc uint[16];
        // The chaining values of finished subtrees, largest first: at most one a bit of the chunk count.
        Span<uint> stack = stackalloc uint[64 * 8];
        var depth = 0;
        ulong chunk = 0;
        while (data.Length > ChunkLength)
        {
            Chunk(data[..ChunkLength], chunk, chaining, block, out var length, out var flags);
            Compress(chaining, block, chunk, length, flags, chaining);
            chunk++;
            for (var count = chunk; (count & 1) == 0; count >>= 1)
            {
                depth--;
                stack.Slice(8 * depth, 8).CopyTo(block);
                chaining.CopyTo(block[8..]);
                Compress(Init, block, 0, BlockLength, Parent, chaining);
            }

            chaining.CopyTo(stack[(8 * depth)..]);
            depth++;
            data = data[ChunkLength..];
        }

        Chunk(data, chunk, chaining, block, out var lastLength, out var lastFlags);
        var counter = chunk;
        while (depth > 0)
        {
            Compress(chaining, block, counter, lastLength, lastFlags, chaining);
            depth--;
            chaining.CopyTo(block[8..]);
            stack.Slice(8 * depth, 8).CopyTo(block);
            Init.CopyTo(chaining);
            counter = 0;
            lastLength = BlockLength;
            lastFlags = Parent;
        }

        Span<uint> words = stackalloc uint[16];
        Span<byte> bytes = stackalloc byte[64];
        for (ulong i = 0; !output.IsEmpty; i++)
        {
            Compress(chaining, block, i, lastLength, lastFlags | Root, words);
            for (var w = 0; w < 16; w++)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(bytes[(4 * w)..], words[w]);
            }

            var take = Math.Min(64, output.Length);
            bytes[..take].CopyTo(output);
            output = output[take..];
        }
    }

    // Compresses all but the last block of a chunk and leaves that one for the caller, who knows whether it is the root.
    private static void Chunk(ReadOnlySpan<byte> data, ulong index, Span<uint> chaining, Span<uint> block, out uint length, out uint flags)
    {
        Init.CopyTo(chaining);
        flags = ChunkStart;
        while (data.Length > BlockLength)
        {
            Load(data[..BlockLength], block);
            Compress(chaining, block, index, BlockLength, flags, chaining);
            flags = 0;
            data = data[BlockLength..];
        }

        Span<byte> last = stackalloc byte[BlockLength];
        last.Clear();
        data.CopyTo(last);
        Load(last, block);
        length = (uint)data.Length;
        flags |= ChunkEnd;
    }

    private static void Load(ReadOnlySpan<byte> bytes, Span<uint> block)
    {
        for (var i = 0; i < 16; i++)
        {
            block[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 * i)..]);
        }
    }

    // Writes 8 words (a chaining value) or 16 (output of the root), as the destination asks.
    private static void Compress(ReadOnlySpan<uint> chaining, ReadOnlySpan<uint> block, ulong counter, uint length, uint flags, Span<uint> destination)
    {
        Span<uint> v = stackalloc uint[16];
        Span<uint> input = stackalloc uint[8];
        chaining[..8].CopyTo(input);
        input.CopyTo(v);
        Init.AsSpan(0, 4).CopyTo(v[8..]);
        v[12] = (uint)counter;
        v[13] = (uint)(counter >> 32);
        v[14] = length;
        v[15] = flags;
        Span<uint> m = stackalloc uint[16];
        Span<uint> next = stackalloc uint[16];
        block.CopyTo(m);
        for (var round = 0; ; round++)
        {
            Mix(ref v[0], ref v[4], ref v[8], ref v[12], m[0], m[1]);
            Mix(ref v[1], ref v[5], ref v[9], ref v[13], m[2], m[3]);
            Mix(ref v[2], ref v[6], ref v[10], ref v[14], m[4], m[5]);
            Mix(ref v[3], ref v[7], ref v[11], ref v[15], m[6], m[7]);
            Mix(ref v[0], ref v[5], ref v[10], ref v[15], m[8], m[9]);
            Mix(ref v[1], ref v[6], ref v[11], ref v[12], m[10], m[11]);
            Mix(ref v[2], ref v[7], ref v[8], ref v[13], m[12], m[13]);
            Mix(ref v[3], ref v[4], ref v[9], ref v[14], m[14], m[15]);
            if (round == 6)
            {
                break;
            }

            for (var i = 0; i < 16; i++)
            {
                next[i] = m[Permutation[i]];
            }

            next.CopyTo(m);
        }

        for (var i = 0; i < 8; i++)
        {
            destination[i] = v[i] ^ v[i + 8];
            if (destination.Length == 16)
            {
                destination[i + 8] = v[i + 8] ^ input[i];
            }
        }
    }

    private static void Mix(ref uint a, ref uint b, ref uint c, ref uint d, uint x, uint y)
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
