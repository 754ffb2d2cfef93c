using System.Buffers;
using System.Text;

namespace Grpc.Core;

/// <summary>Writes and reads messages of one type: through arrays or, without copies, through contexts.</summary>
public class Marshaller<T>
{
    /// <summary>A marshaller over arrays.</summary>
    public Marshaller(Func<T, byte[]> serializer, Func<byte[], T> deserializer)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        ArgumentNullException.ThrowIfNull(deserializer);
        Serializer = serializer;
        Deserializer = deserializer;
        ContextualSerializer = (value, context) => context.Complete(serializer(value));
        ContextualDeserializer = context => deserializer(context.PayloadAsNewBuffer());
    }

    /// <summary>A marshaller over contexts.</summary>
    public Marshaller(Action<T, SerializationContext> serializer, Func<DeserializationContext, T> deserializer)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        ArgumentNullException.ThrowIfNull(deserializer);
        ContextualSerializer = serializer;
        ContextualDeserializer = deserializer;
        Serializer = value =>
        {
            var context = new ArraySerializationContext();
            serializer(value, context);
            return context.Payload();
        };
        Deserializer = bytes => deserializer(new ArrayDeserializationContext(bytes));
    }

    /// <summary>Message to array.</summary>
    public Func<T, byte[]> Serializer { get; }

    /// <summary>Array to message.</summary>
    public Func<byte[], T> Deserializer { get; }

    /// <summary>Message to context.</summary>
    public Action<T, SerializationContext> ContextualSerializer { get; }

    /// <summary>Context to message.</summary>
    public Func<DeserializationContext, T> ContextualDeserializer { get; }

    private sealed class ArraySerializationContext : SerializationContext
    {
        private ArrayBufferWriter<byte>? writer;
        private byte[]? payload;

        public byte[] Payload() => payload ?? throw new InvalidOperationException("The serializer did not complete the message.");

        public override void Complete(byte[] payload)
        {
            RequireOpen();
            this.payload = payload;
        }

        public override IBufferWriter<byte> GetBufferWriter()
        {
            RequireOpen();
            return writer ??= new ArrayBufferWriter<byte>();
        }

        public override void Complete()
        {
            RequireOpen();
            payload = writer is null ? [] : writer.WrittenSpan.ToArray();
        }

        private void RequireOpen()
        {
            if (payload is not null)
                throw new InvalidOperationException("The message is complete.");
        }
    }

    private sealed class ArrayDeserializationContext(byte[] payload) : DeserializationContext
    {
        private bool taken;

        public override int PayloadLength => payload.Length;

        public override byte[] PayloadAsNewBuffer()
        {
            Take();
            return payload.AsSpan().ToArray();
        }

        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence()
        {
            Take();
            return new ReadOnlySequence<byte>(payload);
        }

        private void Take()
        {
            if (taken)
                throw new InvalidOperationException("The payload was taken before.");
            taken = true;
        }
    }
}

/// <summary>Makes marshallers.</summary>
public static class Marshallers
{
    /// <summary>UTF-8 texts.</summary>
    public static Marshaller<string> StringMarshaller { get; } = new(Encoding.UTF8.GetBytes, Encoding.UTF8.GetString);

    /// <summary>A marshaller over arrays.</summary>
    public static Marshaller<T> Create<T>(Func<T, byte[]> serializer, Func<byte[], T> deserializer) => new(serializer, deserializer);

    /// <summary>A marshaller over contexts.</summary>
    public static Marshaller<T> Create<T>(Action<T, SerializationContext> serializer, Func<DeserializationContext, T> deserializer) =>
        new(serializer, deserializer);
}
