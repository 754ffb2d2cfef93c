using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Ipld;
using Libp2p.Wire;

namespace Libp2p.Bitswap;

/// <summary>What is wanted of a block.</summary>
public enum WantType
{
    /// <summary>Its bytes.</summary>
    Block = 0,

    /// <summary>To know whether it is there.</summary>
    Have = 1,
}

/// <summary>One wish, or its withdrawal.</summary>
/// <param name="Cid">The block.</param>
/// <param name="Priority">Higher first.</param>
/// <param name="Cancel">It is wanted no more.</param>
/// <param name="Type">What is wanted.</param>
/// <param name="SendDontHave">An answer is wanted even if the block is missing.</param>
public readonly record struct WantlistEntry(Cid Cid, int Priority, bool Cancel = false, WantType Type = WantType.Block, bool SendDontHave = false);

/// <summary>Whether a block is there.</summary>
public readonly record struct BlockPresence(Cid Cid, bool Have);

/// <summary>A message of bitswap (spec crdt §13).</summary>
public sealed class BitswapMessage
{
    /// <summary>Entries of any list, at most; a message with more is malformed to us.</summary>
    public const int MaxEntries = 100_000;

    /// <summary>Wants and their cancels.</summary>
    public List<WantlistEntry> Wantlist { get; } = [];

    /// <summary>The wantlist replaces all that was wanted before.</summary>
    public bool Full { get; set; }

    /// <summary>Blocks. The CID of a received one was computed from its bytes and so is true.</summary>
    public List<Block> Blocks { get; } = [];

    /// <summary>Blocks without a CID, as peers of version 1.0.0 send them.</summary>
    public List<ReadOnlyMemory<byte>> LegacyBlocks { get; } = [];

    /// <summary>Presences of blocks.</summary>
    public List<BlockPresence> Presences { get; } = [];

    /// <summary>Bytes that wait to be sent to the receiver.</summary>
    public int PendingBytes { get; set; }

    /// <summary>Blocks of a received message whose hash function cannot be computed; they were passed over.</summary>
    public int UnknownHashes { get; private set; }

    /// <summary>Whether nothing is in it.</summary>
    public bool IsEmpty => Wantlist.Count + Blocks.Count + LegacyBlocks.Count + Presences.Count == 0 && !Full;

    /// <summary>The protobuf, without its length.</summary>
    public byte[] Encode()
    {
        var output = new ArrayBufferWriter<byte>(256 + Wantlist.Count * 64 + Blocks.Sum(block => block.Data.Length + 32));
        var part = new ArrayBufferWriter<byte>(64);
        var writer = new ProtoWriter(output);
        writer.Bytes(1, EncodeWantlist(part)); // written even when empty, as the original does
        foreach (var data in LegacyBlocks) writer.Bytes(2, data.Span);
        foreach (var block in Blocks)
        {
            part.ResetWrittenCount();
            var inner = new ProtoWriter(part);
            inner.Bytes(1, BlockPrefix.Of(block.Cid));
            inner.Bytes(2, block.Data.Span);
            writer.Bytes(3, part.WrittenSpan);
        }
        foreach (var presence in Presences)
        {
            part.ResetWrittenCount();
            var inner = new ProtoWriter(part);
            inner.Bytes(1, presence.Cid.Bytes);
            if (!presence.Have) inner.Varint(2, 1);
            writer.Bytes(4, part.WrittenSpan);
        }
        if (PendingBytes != 0) writer.Varint(5, (ulong)PendingBytes);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads the protobuf.</summary>
    /// <param name="bytes">Without the length.</param>
    /// <param name="message">The result. Its blocks share no memory with <paramref name="bytes"/>.</param>
    /// <param name="reason">Why it is none.</param>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out BitswapMessage? message, out string reason)
    {
        message = null;
        reason = "the message is no protobuf";
        var read = new BitswapMessage();
        var reader = new ProtoReader(bytes);
        int entries = 0;
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1:
                    if (!read.ParseWantlist(reader.Bytes(), ref reason)) return false;
                    break;
                case 2: read.LegacyBlocks.Add(reader.Bytes().ToArray()); break;
                case 3:
                    if (!read.ParseBlock(reader.Bytes(), ref reason)) return false;
                    break;
                case 4:
                    if (!read.ParsePresence(reader.Bytes(), ref reason)) return false;
                    break;
                case 5: read.PendingBytes = (int)reader.Varint(); break;
                default: reader.Skip(); break;
            }
            if (++entries + read.Wantlist.Count > MaxEntries)
            {
                reason = $"the message has more than {MaxEntries} entries";
                return false;
            }
        }
        if (reader.Malformed) return false;
        message = read;
        reason = "";
        return true;
    }

    private ReadOnlySpan<byte> EncodeWantlist(ArrayBufferWriter<byte> part)
    {
        if (Wantlist.Count == 0 && !Full) return default;
        var list = new ArrayBufferWriter<byte>(Wantlist.Count * 64 + 2);
        var writer = new ProtoWriter(list);
        foreach (var entry in Wantlist)
        {
            part.ResetWrittenCount();
            var inner = new ProtoWriter(part);
            inner.Bytes(1, entry.Cid.Bytes);
            if (entry.Priority != 0) inner.Varint(2, (ulong)entry.Priority);
            if (entry.Cancel) inner.Bool(3, true);
            if (entry.Type != WantType.Block) inner.Varint(4, (ulong)entry.Type);
            if (entry.SendDontHave) inner.Bool(5, true);
            writer.Bytes(1, part.WrittenSpan);
        }
        if (Full) writer.Bool(2, true);
        return list.WrittenSpan;
    }

    private bool ParseWantlist(ReadOnlySpan<byte> bytes, ref string reason)
    {
        var reader = new ProtoReader(bytes);
        while (reader.Next(out int field))
        {
            if (field == 1)
            {
                if (!ParseEntry(reader.Bytes(), ref reason)) return false;
            }
            else if (field == 2)
            {
                Full = reader.Varint() != 0;
            }
            else
            {
                reader.Skip();
            }
            if (Wantlist.Count > MaxEntries) return false;
        }
        return !reader.Malformed;
    }

    private bool ParseEntry(ReadOnlySpan<byte> bytes, ref string reason)
    {
        ReadOnlySpan<byte> name = default;
        int priority = 0;
        bool cancel = false, sendDontHave = false;
        ulong type = 0;
        var reader = new ProtoReader(bytes);
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: name = reader.Bytes(); break;
                case 2: priority = (int)reader.Varint(); break;
                case 3: cancel = reader.Varint() != 0; break;
                case 4: type = reader.Varint(); break;
                case 5: sendDontHave = reader.Varint() != 0; break;
                default: reader.Skip(); break;
            }
        }
        if (reader.Malformed) return false;
        if (!TryReadCid(name, out var cid, ref reason)) return false;
        Wantlist.Add(new WantlistEntry(cid, priority, cancel, type == 1 ? WantType.Have : WantType.Block, sendDontHave));
        return true;
    }

    private bool ParseBlock(ReadOnlySpan<byte> bytes, ref string reason)
    {
        ReadOnlySpan<byte> prefix = default, data = default;
        var reader = new ProtoReader(bytes);
        while (reader.Next(out int field))
        {
            if (field == 1) prefix = reader.Bytes();
            else if (field == 2) data = reader.Bytes();
            else reader.Skip();
        }
        if (reader.Malformed) return false;
        switch (BlockPrefix.Name(prefix, data, out var cid))
        {
            case BlockPrefix.Result.Malformed:
                reason = "the prefix of a block is no CID prefix";
                return false;
            case BlockPrefix.Result.UnknownHash:
                UnknownHashes++;
                return true;
            default:
                Blocks.Add(new Block(cid, data.ToArray()));
                return true;
        }
    }

    private bool ParsePresence(ReadOnlySpan<byte> bytes, ref string reason)
    {
        ReadOnlySpan<byte> name = default;
        ulong type = 0;
        var reader = new ProtoReader(bytes);
        while (reader.Next(out int field))
        {
            if (field == 1) name = reader.Bytes();
            else if (field == 2) type = reader.Varint();
            else reader.Skip();
        }
        if (reader.Malformed || !TryReadCid(name, out var cid, ref reason)) return false;
        if (type <= 1) Presences.Add(new BlockPresence(cid, Have: type == 0));
        return true;
    }

    private static bool TryReadCid(ReadOnlySpan<byte> bytes, out Cid cid, ref string reason)
    {
        if (Cid.TryFromBytes(bytes, out cid, out string error)) return true;
        reason = $"an entry has no valid CID ({error})";
        return false;
    }
}
