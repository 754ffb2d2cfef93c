using System.Diagnostics.CodeAnalysis;
using Libp2p.Keys;

namespace Libp2p;

/// <summary>The public half of a peer's key: tells whether its signatures are genuine, and is its peer id.</summary>
public abstract class PublicKey : IEquatable<PublicKey>
{
    private PeerId id;

    private protected PublicKey(KeyType type, byte[] raw)
    {
        Type = type;
        Raw = raw;
    }

    /// <summary>Kind of key.</summary>
    public KeyType Type { get; }

    /// <summary>Key material as the protobuf carries it: 32 bytes, a compressed point, or DER SubjectPublicKeyInfo.</summary>
    public ReadOnlyMemory<byte> Raw { get; }

    /// <summary>Peer id of the key's holder.</summary>
    public PeerId PeerId => id.IsDefined ? id : id = PeerId.FromPublicKey(this);

    /// <summary>Whether <paramref name="signature"/> was made over <paramref name="message"/> with this key.</summary>
    public abstract bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature);

    /// <summary>The PublicKey protobuf.</summary>
    public byte[] ToProtobuf() => KeyProtobuf.Write(Type, Raw.Span);

    /// <summary>Reads the PublicKey protobuf.</summary>
    /// <exception cref="KeyFormatException">The bytes are no usable key.</exception>
    public static PublicKey FromProtobuf(ReadOnlySpan<byte> protobuf) =>
        TryFromProtobuf(protobuf, out PublicKey? key, out string error) ? key : throw new KeyFormatException(error);

    /// <summary>Reads the PublicKey protobuf.</summary>
    public static bool TryFromProtobuf(ReadOnlySpan<byte> protobuf, [NotNullWhen(true)] out PublicKey? key, out string error)
    {
        key = null;
        if (!KeyProtobuf.TryRead(protobuf, out KeyType type, out var data, out error)) return false;
        key = type switch
        {
            KeyType.Ed25519 => Ed25519PublicKey.Read(data, out error),
            KeyType.Rsa => RsaPublicKey.Read(data, out error),
            KeyType.Secp256k1 => Secp256k1PublicKey.Read(data, out error),
            _ => EcdsaPublicKey.Read(data, out error),
        };
        return key is not null;
    }

    /// <inheritdoc/>
    public bool Equals(PublicKey? other) => other is not null && other.Type == Type && other.Raw.Span.SequenceEqual(Raw.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PublicKey);

    /// <inheritdoc/>
    public override int GetHashCode() => PeerId.GetHashCode();

    /// <summary>The peer id of the key.</summary>
    public override string ToString() => PeerId.ToString();
}
