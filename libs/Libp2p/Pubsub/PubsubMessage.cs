using System.Buffers;
using Libp2p.Wire;

namespace Libp2p.Pubsub;

/// <summary>
/// A message as it travels: its bytes are kept and relayed unchanged, because the signature covers them. A field that is absent differs
/// from one that is empty (spec libp2p §12).
/// </summary>
public sealed class PubsubMessage
{
    private static ReadOnlySpan<byte> SignaturePrefix => "libp2p-pubsub:"u8;

    private readonly byte[] encoded;
    private readonly byte[] signedPart;

    private PubsubMessage(byte[] encoded, byte[] signedPart) => (this.encoded, this.signedPart) = (encoded, signedPart);

    /// <summary>Bytes of the author's peer id.</summary>
    public ReadOnlyMemory<byte> From { get; private init; }

    /// <summary>What the author has to say.</summary>
    public ReadOnlyMemory<byte> Data { get; private init; }

    /// <summary>Unique for the author.</summary>
    public ReadOnlyMemory<byte> SequenceNumber { get; private init; }

    /// <summary>The topic.</summary>
    public string Topic { get; private init; } = "";

    /// <summary>The author's signature; empty when there is none.</summary>
    public ReadOnlyMemory<byte> Signature { get; private init; }

    /// <summary>The author's public key, where the id does not embed it.</summary>
    public ReadOnlyMemory<byte> Key { get; private init; }

    /// <summary>The message's protobuf as received or made.</summary>
    public ReadOnlyMemory<byte> Encoded => encoded;

    /// <summary>Makes and signs a message.</summary>
    public static PubsubMessage Create(PrivateKey author, string topic, ReadOnlyMemory<byte> data, ulong sequenceNumber)
    {
        ArgumentNullException.ThrowIfNull(author);
        var number = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(number, sequenceNumber);
        var output = new ArrayBufferWriter<byte>(data.Length + 192);
        var writer = new ProtoWriter(output);
        writer.Bytes(1, author.PeerId.Bytes);
        writer.Bytes(2, data.Span);
        writer.Bytes(3, number);
        writer.String(4, topic);
        var signedPart = output.WrittenSpan.ToArray();
        writer.Bytes(5, author.Sign([.. SignaturePrefix, .. signedPart]));
        if (!author.PeerId.TryExtractPublicKey(out _, out _)) writer.Bytes(6, author.PublicKey.ToProtobuf());
        return TryParse(output.WrittenSpan, out var message) ? message : throw new InvalidOperationException("an own message does not parse");
    }

    /// <summary>Reads a message; false when it is no such protobuf.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PubsubMessage? message)
    {
        message = null;
        byte[] from = [], data = [], number = [], signature = [], key = [];
        var topic = "";
        var signed = new ArrayBufferWriter<byte>(Math.Max(bytes.Length, 1));
        var writer = new ProtoWriter(signed);
        var reader = new ProtoReader(bytes);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: writer.Bytes(1, from = reader.Bytes().ToArray()); break;
                case 2: writer.Bytes(2, data = reader.Bytes().ToArray()); break;
                case 3: writer.Bytes(3, number = reader.Bytes().ToArray()); break;
                case 4:
                    var name = reader.Bytes();
                    topic = System.Text.Encoding.UTF8.GetString(name);
                    writer.Bytes(4, name);
                    break;
                case 5: signature = reader.Bytes().ToArray(); break;
                case 6: key = reader.Bytes().ToArray(); break;
                default: reader.Skip(); break;
            }
        }
        if (reader.Malformed) return false;
        message = new PubsubMessage(bytes.ToArray(), signed.WrittenSpan.ToArray())
        {
            From = from, Data = data, SequenceNumber = number, Topic = topic, Signature = signature, Key = key,
        };
        return true;
    }

    /// <summary>
    /// Whether the author is a peer id and signed the message (policy "strict sign"). A `from` that is no peer id is refused here: the
    /// original's process ends on one shorter than 16 bytes.
    /// </summary>
    /// <param name="author">The author, when the message is genuine.</param>
    /// <param name="reason">Why it is not.</param>
    public bool Verify(out PeerId author, out string reason)
    {
        if (!PeerId.TryFromBytes(From.Span, out author, out reason)) return false;
        if (SequenceNumber.IsEmpty)
        {
            reason = "the message has no sequence number"; // all of one author would share one name
            return false;
        }
        if (Signature.IsEmpty)
        {
            reason = "the message is not signed";
            return false;
        }
        PublicKey? key;
        if (Key.IsEmpty)
        {
            if (!author.TryExtractPublicKey(out key, out reason)) return false;
        }
        else if (!PublicKey.TryFromProtobuf(Key.Span, out key, out reason))
        {
            return false;
        }
        else if (!author.Matches(key))
        {
            reason = "the key in the message is not the author's";
            return false;
        }
        if (key.Verify([.. SignaturePrefix, .. signedPart], Signature.Span)) return true;
        reason = "the signature is wrong";
        return false;
    }
}
