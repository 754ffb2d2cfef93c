using System.Buffers;
using System.Buffers.Binary;

namespace Cluster.PeerRpc.Msgpack;

/// <summary>Finds where one value ends in bytes that arrive in pieces; values stand on the stream without a length (peer-rpc §1).</summary>
public static class MsgpackExtent
{
    /// <summary>Measures the first value.</summary>
    /// <param name="bytes">What has arrived.</param>
    /// <param name="length">Bytes of the value, when it is complete.</param>
    /// <returns>False: more bytes are needed.</returns>
    /// <exception cref="MsgpackException">0xc1, which starts no value.</exception>
    public static bool TryMeasure(ReadOnlySequence<byte> bytes, out long length)
    {
        var reader = new SequenceReader<byte>(bytes);
        length = 0;
        for (ulong values = 1; values > 0; values--)
        {
            if (!reader.TryRead(out var code)) return false;
            ulong skip = 0;
            switch (code)
            {
                case <= 0x7f or >= 0xe0 or 0xc0 or 0xc2 or 0xc3: break;
                case <= 0x8f: values += (ulong)(code & 15) * 2; break;
                case <= 0x9f: values += (ulong)(code & 15); break;
                case <= 0xbf: skip = (ulong)(code & 31); break;
                case 0xc1: throw new MsgpackException("0xc1 is no value");
                case 0xcc or 0xd0: skip = 1; break;
                case 0xcd or 0xd1: skip = 2; break;
                case 0xce or 0xd2 or 0xca: skip = 4; break;
                case 0xcf or 0xd3 or 0xcb: skip = 8; break;
                case >= 0xd4 and <= 0xd8: skip = 1 + (1UL << (code - 0xd4)); break;
                default:
                    if (!TryCount(ref reader, code, out var count)) return false;
                    switch (code)
                    {
                        case 0xdc or 0xdd: values += count; break;
                        case 0xde or 0xdf: values += (ulong)count * 2; break;
                        case 0xc7 or 0xc8 or 0xc9: skip = (ulong)count + 1; break;
                        default: skip = count; break;
                    }
                    break;
            }
            if (skip > (ulong)reader.Remaining) return false;
            reader.Advance((long)skip);
        }
        length = reader.Consumed;
        return true;
    }

    private static bool TryCount(ref SequenceReader<byte> reader, byte code, out uint count)
    {
        count = 0;
        var size = code switch { 0xd9 or 0xc4 or 0xc7 => 1, 0xda or 0xc5 or 0xc8 or 0xdc or 0xde => 2, _ => 4 };
        Span<byte> number = stackalloc byte[4];
        number.Clear();
        if (!reader.TryCopyTo(number[(4 - size)..])) return false;
        reader.Advance(size);
        count = BinaryPrimitives.ReadUInt32BigEndian(number);
        return true;
    }
}
