using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Cluster.Model;
using Ipld;
using Libp2p;

namespace Cluster.PeerRpc.Msgpack;

/// <summary>
/// Writes the dialect of the original (peer-rpc §2): the old msgpack, in which texts and bytes are one kind ("raw"), without str8, bin
/// and extensions; signed numbers in the smallest signed form, unsigned ones in the smallest unsigned form.
/// </summary>
public readonly struct MsgpackWriter(IBufferWriter<byte> output)
{
    public void Nil() => Byte(0xc0);

    public void Bool(bool value) => Byte(value ? (byte)0xc3 : (byte)0xc2);

    /// <summary>Starts a map of that many pairs.</summary>
    public void MapHeader(int count) => Header(count, 0x80, 15, 0xde);

    /// <summary>Starts a list of that many elements.</summary>
    public void ArrayHeader(int count) => Header(count, 0x90, 15, 0xdc);

    public void Signed(long value)
    {
        switch (value)
        {
            case >= -32 and <= 127:
                Byte((byte)value);
                break;
            case >= sbyte.MinValue and <= sbyte.MaxValue:
                Byte(0xd0);
                Byte((byte)value);
                break;
            case >= short.MinValue and <= short.MaxValue:
                Byte(0xd1);
                BinaryPrimitives.WriteInt16BigEndian(Take(2), (short)value);
                break;
            case >= int.MinValue and <= int.MaxValue:
                Byte(0xd2);
                BinaryPrimitives.WriteInt32BigEndian(Take(4), (int)value);
                break;
            default:
                Byte(0xd3);
                BinaryPrimitives.WriteInt64BigEndian(Take(8), value);
                break;
        }
    }

    public void Unsigned(ulong value)
    {
        switch (value)
        {
            case <= 127:
                Byte((byte)value);
                break;
            case <= byte.MaxValue:
                Byte(0xcc);
                Byte((byte)value);
                break;
            case <= ushort.MaxValue:
                Byte(0xcd);
                BinaryPrimitives.WriteUInt16BigEndian(Take(2), (ushort)value);
                break;
            case <= uint.MaxValue:
                Byte(0xce);
                BinaryPrimitives.WriteUInt32BigEndian(Take(4), (uint)value);
                break;
            default:
                Byte(0xcf);
                BinaryPrimitives.WriteUInt64BigEndian(Take(8), value);
                break;
        }
    }

    public void Double(double value)
    {
        Byte(0xcb);
        BinaryPrimitives.WriteDoubleBigEndian(Take(8), value);
    }

    /// <summary>Bytes, and texts as their UTF-8 bytes.</summary>
    public void Raw(ReadOnlySpan<byte> value)
    {
        RawHeader(value.Length);
        output.Write(value);
    }

    public void Text(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        RawHeader(length);
        Encoding.UTF8.GetBytes(value, Take(length));
    }

    /// <summary>A CID as its bytes; nil when undefined.</summary>
    public void Cid(Cid cid)
    {
        if (cid.IsDefined) Raw(cid.Bytes);
        else Nil();
    }

    /// <summary>A peer id as its bytes; nil when undefined: an empty raw would break the original's decoder (peer-rpc §7.6).</summary>
    public void Peer(PeerId peer)
    {
        if (peer.IsDefined) Raw(peer.Bytes);
        else Nil();
    }

    public void Address(Multiaddr address) => Raw(address.Bytes);

    /// <summary>Nil for no time; else a timestamp payload of 4, 8 or 12 bytes as a raw, without the extension's header.</summary>
    public void Time(GoTime time)
    {
        if (time.IsZero)
        {
            Nil();
            return;
        }
        var seconds = time.UnixSeconds;
        var nanoseconds = (uint)time.Nanosecond;
        Span<byte> payload = stackalloc byte[12];
        if (seconds >> 34 == 0)
        {
            var packed = (ulong)nanoseconds << 34 | (ulong)seconds;
            if (packed <= uint.MaxValue)
            {
                BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)packed);
                Raw(payload[..4]);
            }
            else
            {
                BinaryPrimitives.WriteUInt64BigEndian(payload, packed);
                Raw(payload[..8]);
            }
            return;
        }
        BinaryPrimitives.WriteUInt32BigEndian(payload, nanoseconds);
        BinaryPrimitives.WriteInt64BigEndian(payload[4..], seconds);
        Raw(payload);
    }

    /// <summary>A list; nil when null.</summary>
    public void List<T>(IReadOnlyList<T>? items, Action<MsgpackWriter, T> write)
    {
        if (items is null)
        {
            Nil();
            return;
        }
        ArrayHeader(items.Count);
        for (var i = 0; i < items.Count; i++) write(this, items[i]);
    }

    /// <summary>Bytes that are msgpack already.</summary>
    public void Encoded(ReadOnlySpan<byte> encoded) => output.Write(encoded);

    private void RawHeader(int length)
    {
        if (length <= 31) Byte((byte)(0xa0 | length));
        else if (length <= ushort.MaxValue)
        {
            Byte(0xda);
            BinaryPrimitives.WriteUInt16BigEndian(Take(2), (ushort)length);
        }
        else
        {
            Byte(0xdb);
            BinaryPrimitives.WriteUInt32BigEndian(Take(4), (uint)length);
        }
    }

    private void Header(int count, byte small, int most, byte wide)
    {
        if (count <= most) Byte((byte)(small | count));
        else if (count <= ushort.MaxValue)
        {
            Byte(wide);
            BinaryPrimitives.WriteUInt16BigEndian(Take(2), (ushort)count);
        }
        else
        {
            Byte((byte)(wide + 1));
            BinaryPrimitives.WriteUInt32BigEndian(Take(4), (uint)count);
        }
    }

    private void Byte(byte value) => Take(1)[0] = value;

    private Span<byte> Take(int count)
    {
        var span = output.GetSpan(count)[..count];
        output.Advance(count);
        return span;
    }
}
