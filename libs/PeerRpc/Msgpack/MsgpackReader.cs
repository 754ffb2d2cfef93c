using System.Buffers.Binary;
using System.Text;
using Cluster.Model;
using Ipld;
using Libp2p;

namespace Cluster.PeerRpc.Msgpack;

/// <summary>
/// Reads what the original reads (peer-rpc §2): its own dialect and the modern forms (str8, bin, the timestamp extension), numbers of any
/// width, structs as lists of values, nil for anything. What it refuses is refused here.
/// </summary>
public ref struct MsgpackReader(ReadOnlySpan<byte> bytes)
{
    /// <summary>How deep values may nest; the protocol's own go to 5.</summary>
    public const int MaxDepth = 64;

    private readonly ReadOnlySpan<byte> bytes = bytes;

    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    /// <summary>Whether everything is read.</summary>
    public readonly bool AtEnd => Position == bytes.Length;

    /// <summary>Whether a map is next.</summary>
    public readonly bool IsMap => Peek() is (>= 0x80 and <= 0x8f) or 0xde or 0xdf;

    /// <summary>Takes a nil, if it is next.</summary>
    public bool TryNil()
    {
        if (Peek() != 0xc0) return false;
        Position++;
        return true;
    }

    public long Signed()
    {
        if (TryNil()) return 0;
        var code = Byte();
        switch (code)
        {
            case <= 0x7f: return code;
            case >= 0xe0: return (sbyte)code;
            case 0xcc: return Byte();
            case 0xcd: return BinaryPrimitives.ReadUInt16BigEndian(Take(2));
            case 0xce: return BinaryPrimitives.ReadUInt32BigEndian(Take(4));
            case 0xcf:
                var large = BinaryPrimitives.ReadUInt64BigEndian(Take(8));
                return large <= long.MaxValue ? (long)large : throw Error($"{large} does not fit a signed number");
            case 0xd0: return (sbyte)Byte();
            case 0xd1: return BinaryPrimitives.ReadInt16BigEndian(Take(2));
            case 0xd2: return BinaryPrimitives.ReadInt32BigEndian(Take(4));
            case 0xd3: return BinaryPrimitives.ReadInt64BigEndian(Take(8));
            case 0xca: return Integral(BinaryPrimitives.ReadSingleBigEndian(Take(4)));
            case 0xcb: return Integral(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
            default: throw Error($"a number was expected, not 0x{code:x2}");
        }
    }

    public ulong Unsigned()
    {
        if (Peek() == 0xcf)
        {
            Position++;
            return BinaryPrimitives.ReadUInt64BigEndian(Take(8));
        }
        var value = Signed();
        return value >= 0 ? (ulong)value : throw Error($"{value} is negative");
    }

    public int Int32()
    {
        var value = Signed();
        return value is >= int.MinValue and <= int.MaxValue ? (int)value : throw Error($"{value} does not fit 32 bits");
    }

    public double Double()
    {
        switch (Peek())
        {
            case 0xca:
                Position++;
                return BinaryPrimitives.ReadSingleBigEndian(Take(4));
            case 0xcb:
                Position++;
                return BinaryPrimitives.ReadDoubleBigEndian(Take(8));
            default:
                return Signed();
        }
    }

    public bool Bool()
    {
        var code = Byte();
        return code switch
        {
            0xc3 or 1 => true,
            0xc2 or 0 or 0xc0 => false,
            _ => throw Error($"true or false was expected, not 0x{code:x2}"),
        };
    }

    /// <summary>Bytes or a text in any form; nil is empty.</summary>
    public ReadOnlySpan<byte> Raw() => TryNil() ? default : Take(RawLength());

    public string Text() => Encoding.UTF8.GetString(Raw());

    /// <summary>A CID; nil is undefined, an empty raw is an error.</summary>
    public Cid Cid()
    {
        if (TryNil()) return default;
        return Ipld.Cid.TryFromBytes(Raw(), out var cid, out var error) ? cid : throw Error(error);
    }

    /// <summary>A peer id; nil is undefined, an empty raw is an error.</summary>
    public PeerId Peer()
    {
        if (TryNil()) return default;
        return PeerId.TryFromBytes(Raw(), out var peer, out var error) ? peer : throw Error(error);
    }

    /// <summary>A multiaddress; nil is none, an empty raw is an error.</summary>
    public Multiaddr? Address()
    {
        if (TryNil()) return null;
        var raw = Raw();
        if (raw.IsEmpty) throw Error("empty multiaddr");
        return Multiaddr.TryFromBytes(raw, out var address, out var error) ? address : throw Error(error);
    }

    /// <summary>A timestamp payload of 4, 8 or 12 bytes, bare or as the timestamp extension; nil is no time.</summary>
    public GoTime Time()
    {
        if (TryNil()) return GoTime.Zero;
        var code = Peek();
        int length;
        if (code is 0xd6 or 0xd7 or 0xc7)
        {
            Position++;
            length = code switch { 0xd6 => 4, 0xd7 => 8, _ => Byte() };
            if (Byte() != 0xff) throw Error("an extension that is no timestamp");
        }
        else
        {
            length = RawLength();
        }
        var payload = Take(length);
        switch (length)
        {
            case 4:
                return GoTime.FromUnix(BinaryPrimitives.ReadUInt32BigEndian(payload));
            case 8:
                var packed = BinaryPrimitives.ReadUInt64BigEndian(payload);
                return GoTime.FromUnix((long)(packed & 0x3_ffff_ffff), (long)(packed >> 34));
            case 12:
                return GoTime.FromUnix(BinaryPrimitives.ReadInt64BigEndian(payload[4..]), BinaryPrimitives.ReadUInt32BigEndian(payload));
            default:
                throw Error($"a time has 4, 8 or 12 bytes, not {length}");
        }
    }

    /// <summary>Starts a list; -1 for nil. A map counts as the list of its keys and values.</summary>
    public int ArrayHeader()
    {
        if (TryNil()) return -1;
        var code = Byte();
        var count = code switch
        {
            >= 0x90 and <= 0x9f => code & 15,
            0xdc => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            0xdd => Count(BinaryPrimitives.ReadUInt32BigEndian(Take(4))),
            >= 0x80 and <= 0x8f => (code & 15) * 2,
            0xde => BinaryPrimitives.ReadUInt16BigEndian(Take(2)) * 2,
            0xdf => Count(BinaryPrimitives.ReadUInt32BigEndian(Take(4))) * 2,
            _ => throw Error($"a list was expected, not 0x{code:x2}"),
        };
        return count <= bytes.Length - Position ? count : throw Truncated();
    }

    /// <summary>Starts a map; -1 for nil.</summary>
    public int MapHeader()
    {
        if (TryNil()) return -1;
        var code = Byte();
        var count = code switch
        {
            >= 0x80 and <= 0x8f => code & 15,
            0xde => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            0xdf => Count(BinaryPrimitives.ReadUInt32BigEndian(Take(4))),
            _ => throw Error($"a map was expected, not 0x{code:x2}"),
        };
        return count <= (bytes.Length - Position) / 2 ? count : throw Truncated();
    }

    /// <summary>Starts a struct: a map by names, or a list in the order of <paramref name="fields"/>; nil has no fields.</summary>
    public StructCursor Struct(string[] fields)
    {
        if (TryNil()) return new StructCursor(fields, 0, true);
        return Peek() is (>= 0x90 and <= 0x9f) or 0xdc or 0xdd
            ? new StructCursor(fields, ArrayHeader(), false)
            : Peek() is (>= 0x80 and <= 0x8f) or 0xde or 0xdf
                ? new StructCursor(fields, MapHeader(), true)
                : throw Error("only an encoded map or list can decode into a struct");
    }

    /// <summary>Passes over one value of any kind.</summary>
    public void Skip() => Skip(0);

    /// <summary>The bytes of the next value, which is passed over.</summary>
    public ReadOnlySpan<byte> Value()
    {
        var start = Position;
        Skip();
        return bytes[start..Position];
    }

    private void Skip(int depth)
    {
        if (depth > MaxDepth) throw Error("values nest too deeply");
        var code = Byte();
        switch (code)
        {
            case <= 0x7f or >= 0xe0 or 0xc0 or 0xc2 or 0xc3:
                return;
            case >= 0x80 and <= 0x9f or 0xdc or 0xdd or 0xde or 0xdf:
                Position--;
                for (var left = ArrayHeader(); left > 0; left--) Skip(depth + 1);
                return;
            case 0xcc or 0xd0:
                Take(1);
                return;
            case 0xcd or 0xd1:
                Take(2);
                return;
            case 0xce or 0xd2 or 0xca:
                Take(4);
                return;
            case 0xcf or 0xd3 or 0xcb:
                Take(8);
                return;
            case >= 0xd4 and <= 0xd8:
                Take(1 + (1 << (code - 0xd4)));
                return;
            case 0xc7:
                Take(Byte() + 1);
                return;
            case 0xc8:
                Take(BinaryPrimitives.ReadUInt16BigEndian(Take(2)) + 1);
                return;
            case 0xc9:
                Take(Count(BinaryPrimitives.ReadUInt32BigEndian(Take(4))) + 1);
                return;
            case 0xc1:
                throw Error("0xc1 is no value");
            default:
                Position--;
                Take(RawLength());
                return;
        }
    }

    private int RawLength()
    {
        var code = Byte();
        return code switch
        {
            >= 0xa0 and <= 0xbf => code & 31,
            0xd9 or 0xc4 => Byte(),
            0xda or 0xc5 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            0xdb or 0xc6 => Count(BinaryPrimitives.ReadUInt32BigEndian(Take(4))),
            _ => throw Error($"bytes or a text were expected, not 0x{code:x2}"),
        };
    }

    private readonly long Integral(double value) => value == Math.Truncate(value) && Math.Abs(value) <= 1L << 53
        ? (long)value
        : throw Error($"{value} is no whole number");

    private static int Count(uint count) => count <= int.MaxValue / 2 - 1 ? (int)count : throw Truncated();

    private readonly byte Peek() => Position < bytes.Length ? bytes[Position] : throw Truncated();

    private byte Byte() => Take(1)[0];

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > bytes.Length - Position) throw Truncated();
        var taken = bytes.Slice(Position, count);
        Position += count;
        return taken;
    }

    private readonly MsgpackException Error(string what) => new($"msgpack decode error [pos {Position}]: {what}");

    private static MsgpackException Truncated() => new("EOF");
}
