using System.Buffers.Binary;

namespace Cluster.PinState.Keys;

/// <summary>
/// Keys of the pinset in the database. The first byte is 0x0F for what describes the state, 0x10 or 0x11 for the two generations
/// that a replacement of the whole state switches between; the second byte is one of the kinds below. 0x20 and 0x21 are for what
/// a generation follows from (the CRDT's DAG) and goes with it. Other parts of a peer (a Raft log) use first bytes from 0x30.
/// </summary>
internal static class StateKeys
{
    internal const byte Generation0 = 0x10;

    /// <summary>First byte of what belongs to generation 0 and is written by others.</summary>
    internal const byte Companion0 = 0x20;

    /// <summary>cid → sequence (8 bytes, little-endian), record.</summary>
    internal const byte Pins = (byte)'p';

    /// <summary>sequence → cid of the pin that was put then and has not changed since.</summary>
    internal const byte Puts = (byte)'u';

    /// <summary>sequence → record of the pin that was removed then.</summary>
    internal const byte Removals = (byte)'r';

    /// <summary>name, end mark, cid → nothing.</summary>
    internal const byte ByName = (byte)'n';

    /// <summary>expiry, cid → nothing.</summary>
    internal const byte ByExpiry = (byte)'e';

    /// <summary>length of a peer id, peer id, cid → nothing.</summary>
    internal const byte ByAllocation = (byte)'a';

    /// <summary>type, cid → nothing; data pins are the rule and have no entry.</summary>
    internal const byte ByType = (byte)'t';

    /// <summary>timestamp, cid → nothing.</summary>
    internal const byte ByCreation = (byte)'c';

    /// <summary>Bytes of a name that are part of a key; the record decides about longer ones.</summary>
    internal const int MaxNameBytes = 256;

    /// <summary>The totals, see <see cref="StateTotals"/>.</summary>
    internal static ReadOnlySpan<byte> Totals => [0x0F, (byte)'m'];
}

/// <summary>Builds keys in a buffer that is used again and again. One instance per writer or reader.</summary>
internal sealed class KeyBuilder
{
    private byte[] _buffer = new byte[512];
    private int _length;

    internal ReadOnlySpan<byte> Span => _buffer.AsSpan(0, _length);

    internal KeyBuilder Begin(byte generation, byte kind)
    {
        _buffer[0] = (byte)(StateKeys.Generation0 + generation);
        _buffer[1] = kind;
        _length = 2;
        return this;
    }

    internal KeyBuilder Add(ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > _buffer.Length)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + bytes.Length));
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
        return this;
    }

    internal KeyBuilder Add(byte octet) => Add([octet]);

    internal KeyBuilder AddNumber(ulong number)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        return Add(bytes);
    }

    /// <summary>Unix seconds, with the sign turned so that they sort.</summary>
    internal KeyBuilder AddTime(long seconds) => AddNumber(unchecked((ulong)seconds) ^ (1UL << 63));

    /// <summary>A name with its end mark: no name is a prefix of another one's key, whatever bytes it has.</summary>
    internal KeyBuilder AddName(ReadOnlySpan<byte> name)
    {
        foreach (var octet in name[..Math.Min(name.Length, StateKeys.MaxNameBytes)])
        {
            Add(octet);
            if (octet == 0)
                Add(0xFF);
        }

        return Add([0, 1]);
    }

    internal KeyBuilder AddPeer(ReadOnlySpan<byte> peer) => Add((byte)peer.Length).Add(peer);

    /// <summary>The CID at the end of an index key that begins with a prefix of this length.</summary>
    internal static ReadOnlySpan<byte> Rest(ReadOnlySpan<byte> key, int prefix) => key[prefix..];

    internal static long ReadTime(ReadOnlySpan<byte> bytes) =>
        unchecked((long)(BinaryPrimitives.ReadUInt64BigEndian(bytes) ^ (1UL << 63)));
}
