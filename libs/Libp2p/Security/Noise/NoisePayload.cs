using System.Buffers;
using System.Text;
using Libp2p.Wire;

namespace Libp2p.Security.Noise;

/// <summary>What each side says about itself inside the handshake (spec/libp2p.md, section 4).</summary>
internal sealed record NoisePayload(byte[] IdentityKey, byte[] Signature, IReadOnlyList<string> Muxers)
{
    // Go ignores longer lists.
    private const int MaxMuxers = 100;

    private static ReadOnlySpan<byte> SignaturePrefix => "noise-libp2p-static-key:"u8;

    private static byte[] Signed(ReadOnlySpan<byte> staticKey) => [.. SignaturePrefix, .. staticKey];

    public static byte[] Create(PrivateKey identity, ReadOnlySpan<byte> staticKey, IReadOnlyList<string> muxers)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new ProtoWriter(output);
        writer.Bytes(1, identity.PublicKey.ToProtobuf());
        writer.Bytes(2, identity.Sign(Signed(staticKey)));
        // Go sends the extensions even when they are empty.
        var extensions = new ArrayBufferWriter<byte>();
        var inner = new ProtoWriter(extensions);
        foreach (string muxer in muxers) inner.String(2, muxer);
        writer.Bytes(4, extensions.WrittenSpan);
        return output.WrittenSpan.ToArray();
    }

    public static NoisePayload Parse(ReadOnlySpan<byte> message)
    {
        byte[] key = [], signature = [];
        var muxers = new List<string>();
        var reader = new ProtoReader(message);
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
                case 1: key = value.ToArray(); break;
                case 2: signature = value.ToArray(); break;
                case 4: ParseExtensions(value, muxers); break;
                default: break;
            }
        }
        if (reader.Malformed) throw new HandshakeException("The peer's Noise payload is no protobuf message.");
        return new NoisePayload(key, signature, muxers.Count > MaxMuxers ? [] : muxers);
    }

    private static void ParseExtensions(ReadOnlySpan<byte> message, List<string> muxers)
    {
        var reader = new ProtoReader(message);
        while (reader.Next(out int field))
        {
            if (field == 2 && reader.Wire == WireType.Bytes) muxers.Add(Encoding.UTF8.GetString(reader.Bytes()));
            else reader.Skip();
        }
        if (reader.Malformed) throw new HandshakeException("The peer's Noise extensions are no protobuf message.");
    }

    /// <summary>The sender's identity, proven for the static key of the handshake.</summary>
    public PublicKey Verify(ReadOnlySpan<byte> staticKey, PeerId? expected)
    {
        if (!PublicKey.TryFromProtobuf(IdentityKey, out PublicKey? key, out string error))
            throw new HandshakeException("The peer's identity key is unusable: " + error + ".");
        if (expected is { } peer && key.PeerId != peer) throw new PeerMismatchException(peer, key.PeerId);
        if (!key.Verify(Signed(staticKey), Signature))
            throw new HandshakeException($"The peer claims to be {key.PeerId}, but its signature over the Noise key is wrong.");
        return key;
    }
}
