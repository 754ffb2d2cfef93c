using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Libp2p.Encodings;
using Libp2p.Wire;

namespace Libp2p;

/// <summary>A payload with the signature of the peer it comes from (spec/libp2p.md, section 9).</summary>
/// <param name="Key">The signer.</param>
/// <param name="PayloadType">Kind of payload, as bytes.</param>
/// <param name="Payload">The payload.</param>
/// <param name="Signature">Signature over domain, kind and payload.</param>
public sealed record SignedEnvelope(PublicKey Key, byte[] PayloadType, byte[] Payload, byte[] Signature)
{
    private static byte[] Signed(ReadOnlySpan<byte> domain, ReadOnlySpan<byte> payloadType, ReadOnlySpan<byte> payload)
    {
        var bytes = new ArrayBufferWriter<byte>();
        Append(bytes, domain);
        Append(bytes, payloadType);
        Append(bytes, payload);
        return bytes.WrittenSpan.ToArray();
    }

    private static void Append(ArrayBufferWriter<byte> bytes, ReadOnlySpan<byte> part)
    {
        bytes.Advance(UVarint.Write(bytes.GetSpan(UVarint.MaxLength), (ulong)part.Length));
        bytes.Write(part);
    }

    /// <summary>Signs a payload.</summary>
    public static SignedEnvelope Seal(PrivateKey key, ReadOnlySpan<byte> domain, ReadOnlySpan<byte> payloadType, ReadOnlySpan<byte> payload) =>
        new(key.PublicKey, payloadType.ToArray(), payload.ToArray(), key.Sign(Signed(domain, payloadType, payload)));

    /// <summary>Whether the signature is genuine for the domain.</summary>
    public bool Verify(ReadOnlySpan<byte> domain) => Key.Verify(Signed(domain, PayloadType, Payload), Signature);

    /// <summary>The protobuf.</summary>
    public byte[] ToBytes()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new ProtoWriter(output);
        writer.Bytes(1, Key.ToProtobuf());
        writer.Bytes(2, PayloadType);
        writer.Bytes(3, Payload);
        writer.Bytes(5, Signature);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads the protobuf, without verifying the signature.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SignedEnvelope? envelope)
    {
        envelope = null;
        PublicKey? key = null;
        byte[] type = [], payload = [], signature = [];
        var reader = new ProtoReader(bytes);
        while (reader.Next(out int field))
        {
            if (reader.Wire != WireType.Bytes)
            {
                reader.Skip();
                continue;
            }
            var value = reader.Bytes();
            switch (field)
            {
                case 1:
                    if (!PublicKey.TryFromProtobuf(value, out key, out _)) return false;
                    break;
                case 2: type = value.ToArray(); break;
                case 3: payload = value.ToArray(); break;
                case 5: signature = value.ToArray(); break;
                default: break;
            }
        }
        if (reader.Malformed || key is null) return false;
        envelope = new SignedEnvelope(key, type, payload, signature);
        return true;
    }
}

/// <summary>A peer's own list of its addresses.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Sequence">Grows with each list; Go uses nanoseconds since 1970.</param>
/// <param name="Addresses">The addresses.</param>
public sealed record PeerRecord(PeerId Peer, ulong Sequence, IReadOnlyList<Multiaddr> Addresses)
{
    private const int MaxAddresses = 256;

    private static ReadOnlySpan<byte> Domain => "libp2p-peer-record"u8;

    private static ReadOnlySpan<byte> PayloadType => [3, 1];

    /// <summary>Signs the record.</summary>
    public SignedEnvelope Seal(PrivateKey key)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new ProtoWriter(output);
        writer.Bytes(1, Peer.Bytes);
        writer.Varint(2, Sequence);
        foreach (var address in Addresses)
        {
            var inner = new ArrayBufferWriter<byte>();
            new ProtoWriter(inner).Bytes(1, address.Bytes);
            writer.Bytes(3, inner.WrittenSpan);
        }
        return SignedEnvelope.Seal(key, Domain, PayloadType, output.WrittenSpan);
    }

    /// <summary>Opens an envelope: it must be a peer record that the peer itself has signed.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> envelopeBytes, [NotNullWhen(true)] out PeerRecord? record)
    {
        record = null;
        if (!SignedEnvelope.TryParse(envelopeBytes, out var envelope) || !envelope.PayloadType.AsSpan().SequenceEqual(PayloadType)) return false;
        if (!envelope.Verify(Domain) || !TryParse(envelope.Payload, out var parsed) || parsed.Peer != envelope.Key.PeerId) return false;
        record = parsed;
        return true;
    }

    private static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PeerRecord? record)
    {
        record = null;
        PeerId peer = default;
        ulong sequence = 0;
        var addresses = new List<Multiaddr>();
        var reader = new ProtoReader(bytes);
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1 when reader.Wire == WireType.Bytes:
                    if (!PeerId.TryFromBytes(reader.Bytes(), out peer, out _)) return false;
                    break;
                case 2 when reader.Wire == WireType.Varint:
                    sequence = reader.Varint();
                    break;
                case 3 when reader.Wire == WireType.Bytes:
                    var inner = new ProtoReader(reader.Bytes());
                    while (inner.Next(out int part))
                    {
                        if (part != 1 || inner.Wire != WireType.Bytes) inner.Skip();
                        else if (Multiaddr.TryFromBytes(inner.Bytes(), out var address, out _) && addresses.Count < MaxAddresses) addresses.Add(address);
                    }
                    if (inner.Malformed) return false;
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        if (reader.Malformed || !peer.IsDefined) return false;
        record = new PeerRecord(peer, sequence, addresses);
        return true;
    }
}
