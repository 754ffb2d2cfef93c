using System.Text;

namespace Crdt;

/// <summary>Names of what the core stores. Our own layout: only blocks are shared with other replicas (crdt §12).</summary>
internal static class CrdtKeys
{
    public static ReadOnlySpan<byte> Heads => "h"u8;

    public static ReadOnlySpan<byte> Roots => "w"u8;

    public static ReadOnlySpan<byte> Missing => "q"u8;

    public static ReadOnlySpan<byte> KeyRecords => "k"u8;

    public static ReadOnlySpan<byte> Dirty => "d"u8;

    /// <summary>A current head; value: its height.</summary>
    public static byte[] Head(BlockId id) => WithDigest((byte)'h', id);

    /// <summary>The raw bytes of a block.</summary>
    public static byte[] Block(BlockId id) => WithDigest((byte)'r', id);

    /// <summary>Present: the block is merged.</summary>
    public static byte[] Processed(BlockId id) => WithDigest((byte)'b', id);

    /// <summary>A root whose walk has not ended; value: height and whether another root covers it.</summary>
    public static byte[] Root(BlockId id) => WithDigest((byte)'w', id);

    /// <summary>A block that a walk waits for; value: digest of the walk's root.</summary>
    public static byte[] MissingBlock(BlockId id) => WithDigest((byte)'q', id);

    public static byte[] KeyRecord(string key)
    {
        var bytes = new byte[1 + Encoding.UTF8.GetByteCount(key)];
        bytes[0] = (byte)'k';
        Encoding.UTF8.GetBytes(key, bytes.AsSpan(1));
        return bytes;
    }

    public static BlockId Id(byte[] key) => BlockId.FromDigest(key.AsSpan(1));

    private static byte[] WithDigest(byte kind, BlockId id)
    {
        var key = new byte[1 + BlockId.DigestLength];
        key[0] = kind;
        id.WriteDigest(key.AsSpan(1));
        return key;
    }
}
