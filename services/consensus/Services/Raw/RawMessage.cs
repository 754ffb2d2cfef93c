using System.Buffers;
using Google.Protobuf;
using Grpc.Core;

namespace Cluster.Consensus.Services;

/// <summary>
/// A message that is already in wire form. Lists are copied from the disk into it without being decoded: a field of repeated
/// messages has the form of repeated bytes.
/// </summary>
public sealed class RawMessage : IDisposable
{
    private byte[] _buffer;

    /// <summary>An empty message with room for so many bytes; it grows.</summary>
    public RawMessage(int capacity) => _buffer = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>Bytes so far.</summary>
    public int Length { get; private set; }

    internal ReadOnlySpan<byte> Span => _buffer.AsSpan(0, Length);

    /// <summary>Sends messages as they are; nothing of this form is received.</summary>
    internal static Marshaller<RawMessage> Marshaller { get; } = Marshallers.Create(
        static (RawMessage message, SerializationContext context) =>
        {
            context.SetPayloadLength(message.Length);
            context.GetBufferWriter().Write(message.Span);
            context.Complete();
        },
        static (DeserializationContext context) => throw new NotSupportedException("a raw message is only sent"));

    /// <summary>Begins anew.</summary>
    internal void Clear() => Length = 0;

    /// <summary>Adds a field of a message (or bytes) in wire form.</summary>
    internal void Field(int number, ReadOnlySpan<byte> message)
    {
        Header(number, message.Length);
        Raw(message);
    }

    /// <summary>Adds the tag and length of a field whose content follows.</summary>
    internal void Header(int number, int length)
    {
        Varint((ulong)(number << 3 | 2));
        Varint((ulong)length);
    }

    /// <summary>Adds a number; 0 is left out.</summary>
    internal void Number(int number, ulong value)
    {
        if (value == 0)
            return;
        Varint((ulong)(number << 3));
        Varint(value);
    }

    internal static int VarintSize(ulong value)
    {
        var size = 1;
        for (; value >= 0x80; value >>= 7)
            size++;
        return size;
    }

    internal void Raw(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(Length));
        Length += bytes.Length;
    }

    /// <summary>Adds all fields of a message.</summary>
    internal void Message(IMessage message)
    {
        var size = message.CalculateSize();
        Reserve(size);
        message.WriteTo(_buffer.AsSpan(Length, size));
        Length += size;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void Varint(ulong value)
    {
        Reserve(10);
        for (; value >= 0x80; value >>= 7)
            _buffer[Length++] = (byte)(value | 0x80);
        _buffer[Length++] = (byte)value;
    }

    private void Reserve(int bytes)
    {
        if (Length + bytes <= _buffer.Length)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, Length + bytes));
        Span.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
