using System.Buffers;
using System.Buffers.Binary;

namespace Crdt;

/// <summary>
/// All that is known of one key: its surviving value with priority, its additions that nobody removed, and removals whose additions have
/// not been seen yet. An addition that was both seen and removed leaves no trace (its block is never merged again), so a key that is
/// pinned and unpinned for years does not grow; the original keeps both markers for good.
/// </summary>
internal sealed class KeyRecord
{
    private const byte Format = 1;

    /// <summary>Nodes whose addition of this key stands.</summary>
    public List<BlockId> Additions { get; } = [];

    /// <summary>Nodes whose addition of this key is removed, but which have not been merged yet.</summary>
    public HashSet<BlockId> EarlyTombstones { get; } = [];

    public byte[]? Value { get; set; }

    /// <summary>Priority of the value; 0 without one.</summary>
    public ulong Priority { get; set; }

    public bool IsEmpty => Value is null && Additions.Count == 0 && EarlyTombstones.Count == 0;

    public static KeyRecord Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 14 || bytes[0] != Format) throw new CrdtFormatException("a stored key has an unknown format");
        var record = new KeyRecord { Priority = BinaryPrimitives.ReadUInt64LittleEndian(bytes[2..]) };
        var additions = BinaryPrimitives.ReadInt32LittleEndian(bytes[10..]);
        var rest = bytes[14..];
        for (var i = 0; i < additions; i++, rest = rest[BlockId.DigestLength..])
            record.Additions.Add(BlockId.FromDigest(rest[..BlockId.DigestLength]));
        var tombstones = BinaryPrimitives.ReadInt32LittleEndian(rest);
        rest = rest[4..];
        for (var i = 0; i < tombstones; i++, rest = rest[BlockId.DigestLength..])
            record.EarlyTombstones.Add(BlockId.FromDigest(rest[..BlockId.DigestLength]));
        if (bytes[1] != 0) record.Value = rest.ToArray();
        return record;
    }

    public byte[] Encode()
    {
        var size = 18 + (Additions.Count + EarlyTombstones.Count) * BlockId.DigestLength + (Value?.Length ?? 0);
        var bytes = new byte[size];
        bytes[0] = Format;
        bytes[1] = Value is null ? (byte)0 : (byte)1;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(2), Priority);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(10), Additions.Count);
        var at = 14;
        foreach (var id in Additions) at = Write(bytes, at, id);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), EarlyTombstones.Count);
        at += 4;
        foreach (var id in EarlyTombstones) at = Write(bytes, at, id);
        Value?.CopyTo(bytes, at);
        return bytes;
    }

    private static int Write(byte[] bytes, int at, BlockId id)
    {
        id.WriteDigest(bytes.AsSpan(at));
        return at + BlockId.DigestLength;
    }
}
