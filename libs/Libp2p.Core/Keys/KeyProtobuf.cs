using System.Buffers;
using Libp2p.Wire;

namespace Libp2p.Keys;

/// <summary>The message both key protobufs share: {1: type, 2: data}, both required.</summary>
internal static class KeyProtobuf
{
    // The largest key that is accepted is RSA with 8192 bits: below 5 KiB in PKCS#1.
    private const int MaxSize = 16 * 1024;

    public static byte[] Write(KeyType type, ReadOnlySpan<byte> data)
    {
        var buffer = new ArrayBufferWriter<byte>(data.Length + 8);
        var writer = new ProtoWriter(buffer);
        writer.Varint(1, (ulong)type);
        writer.Bytes(2, data);
        return buffer.WrittenSpan.ToArray();
    }

    public static bool TryRead(ReadOnlySpan<byte> protobuf, out KeyType type, out ReadOnlySpan<byte> data, out string error)
    {
        type = default;
        data = default;
        error = "";
        if (protobuf.Length > MaxSize)
        {
            error = $"a key of {protobuf.Length} bytes is too large";
            return false;
        }
        ulong? code = null;
        bool hasData = false;
        var reader = new ProtoReader(protobuf);
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1 when reader.Wire == WireType.Varint:
                    code = reader.Varint();
                    break;
                case 2 when reader.Wire == WireType.Bytes:
                    data = reader.Bytes();
                    hasData = true;
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        if (reader.Malformed) error = "the key is no protobuf message";
        else if (code is null) error = "the key does not say its type";
        else if (!hasData) error = "the key has no data";
        else if (code > (ulong)KeyType.Ecdsa) error = $"the key type {code} is unknown";
        else type = (KeyType)code;
        return error.Length == 0;
    }
}
