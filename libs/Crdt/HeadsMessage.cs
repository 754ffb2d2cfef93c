using System.Buffers;

namespace Crdt;

/// <summary>The broadcast that names heads (crdt §4).</summary>
public static class HeadsMessage
{
    /// <summary>Heads that one message may name; more are refused.</summary>
    public const int MaxHeads = 4096;

    /// <summary>The bytes of a message.</summary>
    public static byte[] Encode(IReadOnlyCollection<BlockId> heads)
    {
        var output = new ArrayBufferWriter<byte>(heads.Count * 40 + 1);
        Span<byte> cid = stackalloc byte[BlockId.CidLength];
        foreach (var head in heads)
        {
            head.WriteCid(cid);
            ProtobufWriter.Begin(output, 1, ProtobufWriter.SizeOfBytes(BlockId.CidLength));
            ProtobufWriter.Bytes(output, 1, cid);
        }
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads a message; the bare CID of very old peers is understood too.</summary>
    /// <exception cref="CrdtFormatException">Neither.</exception>
    public static IReadOnlyList<BlockId> Parse(ReadOnlySpan<byte> message)
    {
        if (message.Length == BlockId.CidLength && message[0] == 1) return [BlockId.FromCid(message)];
        List<BlockId> heads = [];
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader is not { Field: 1, IsBytes: true }) continue;
            if (heads.Count == MaxHeads) throw new CrdtFormatException($"a broadcast names more than {MaxHeads} heads");
            var head = new ProtobufReader(reader.Bytes);
            while (head.Next())
                if (head is { Field: 1, IsBytes: true }) heads.Add(BlockId.FromCid(head.Bytes));
        }
        return heads;
    }
}
