using System.Security.Cryptography;
using Libp2p.Native;

namespace Libp2p.PrivateNetwork;

/// <summary>One direction of a private connection: an XSalsa20 keystream that goes on from byte to byte, whatever the writes were.</summary>
internal sealed class XSalsa20
{
    public const int NonceSize = 24;
    private const int Block = 64;

    private readonly byte[] subkey = new byte[32];
    private readonly byte[] nonce = new byte[8];
    private readonly byte[] keystream = new byte[Block];
    private ulong nextBlock;

    // Bytes of `keystream` that are used up; 64 = none left.
    private int used = Block;

    public XSalsa20(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce24)
    {
        Sodium.HSalsa20(key, nonce24[..16], subkey);
        nonce24[16..NonceSize].CopyTo(nonce);
    }

    /// <summary>XORs the next bytes of the keystream; input and output may be the same memory.</summary>
    public void Xor(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (used < Block)
        {
            int n = Math.Min(Block - used, input.Length);
            for (int i = 0; i < n; i++) output[i] = (byte)(input[i] ^ keystream[used + i]);
            used += n;
            input = input[n..];
            output = output[n..];
        }
        int whole = input.Length & ~(Block - 1);
        if (whole > 0)
        {
            Sodium.Salsa20Xor(subkey, nonce, nextBlock, input[..whole], output);
            nextBlock += (ulong)(whole / Block);
            input = input[whole..];
            output = output[whole..];
        }
        if (input.IsEmpty) return;
        CryptographicOperations.ZeroMemory(keystream);
        Sodium.Salsa20Xor(subkey, nonce, nextBlock++, keystream, keystream);
        for (int i = 0; i < input.Length; i++) output[i] = (byte)(input[i] ^ keystream[i]);
        used = input.Length;
    }
}
