using System.Buffers;

namespace Grpc.Core;

/// <summary>Where a serializer puts a message.</summary>
public abstract class SerializationContext
{
    /// <summary>Hands over the whole message; ends the serialization.</summary>
    public virtual void Complete(byte[] payload) => throw new NotImplementedException();

    /// <summary>A writer for the message, to be ended by <see cref="Complete()"/>.</summary>
    public virtual IBufferWriter<byte> GetBufferWriter() => throw new NotImplementedException();

    /// <summary>Tells the length in bytes before the writing, so that no copy is needed.</summary>
    public virtual void SetPayloadLength(int payloadLength)
    {
        // A context that cannot use the length may ignore it.
    }

    /// <summary>Ends what was written to <see cref="GetBufferWriter"/>.</summary>
    public virtual void Complete() => throw new NotImplementedException();
}
