using System.Diagnostics.CodeAnalysis;
using Libp2p.Keys;

namespace Libp2p;

/// <summary>A peer's private key: signs, and names the peer. Its text form never shows the secret.</summary>
public abstract class PrivateKey
{
    private readonly byte[] raw;

    private protected PrivateKey(byte[] raw, PublicKey publicKey)
    {
        this.raw = raw;
        PublicKey = publicKey;
    }

    /// <summary>Kind of key.</summary>
    public KeyType Type => PublicKey.Type;

    /// <summary>The public half.</summary>
    public PublicKey PublicKey { get; }

    /// <summary>Peer id of the key's holder.</summary>
    public PeerId PeerId => PublicKey.PeerId;

    /// <summary>Signs <paramref name="message"/>.</summary>
    public abstract byte[] Sign(ReadOnlySpan<byte> message);

    /// <summary>Whether <paramref name="signature"/> was made over <paramref name="message"/> with this key.</summary>
    public bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) => PublicKey.Verify(message, signature);

    /// <summary>The PrivateKey protobuf. It is the secret: keep it out of logs.</summary>
    public byte[] ToProtobuf() => KeyProtobuf.Write(Type, raw);

    /// <summary>The PrivateKey protobuf in standard base64, as <c>identity.json</c> keeps it.</summary>
    public string ToBase64() => Convert.ToBase64String(ToProtobuf());

    /// <summary>A new Ed25519 key from the system's random source.</summary>
    public static PrivateKey GenerateEd25519() => Ed25519PrivateKey.Generate();

    /// <summary>The Ed25519 key that a 32-byte seed determines.</summary>
    public static PrivateKey FromEd25519Seed(ReadOnlySpan<byte> seed) => Ed25519PrivateKey.FromSeed(seed);

    /// <summary>A new RSA key.</summary>
    /// <param name="bits">Size of the modulus, 2048 to 8192.</param>
    public static PrivateKey GenerateRsa(int bits = 2048) => RsaPrivateKey.Generate(bits);

    /// <summary>A new ECDSA key over P-256.</summary>
    public static PrivateKey GenerateEcdsa() => EcdsaPrivateKey.Generate();

    /// <summary>Reads the PrivateKey protobuf in standard base64; line breaks inside are ignored.</summary>
    /// <exception cref="KeyFormatException">The text is no usable key.</exception>
    public static PrivateKey FromBase64(string text)
    {
        byte[] protobuf;
        try
        {
            protobuf = Convert.FromBase64String(text);
        }
        catch (FormatException)
        {
            throw new KeyFormatException("The private key is not valid base64.");
        }
        return FromProtobuf(protobuf);
    }

    /// <summary>Reads the PrivateKey protobuf.</summary>
    /// <exception cref="KeyFormatException">The bytes are no usable key.</exception>
    public static PrivateKey FromProtobuf(ReadOnlySpan<byte> protobuf) =>
        TryFromProtobuf(protobuf, out PrivateKey? key, out string error) ? key : throw new KeyFormatException(error);

    /// <summary>Reads the PrivateKey protobuf.</summary>
    public static bool TryFromProtobuf(ReadOnlySpan<byte> protobuf, [NotNullWhen(true)] out PrivateKey? key, out string error)
    {
        key = null;
        if (!KeyProtobuf.TryRead(protobuf, out KeyType type, out var data, out error)) return false;
        key = type switch
        {
            KeyType.Ed25519 => Ed25519PrivateKey.Read(data, out error),
            KeyType.Rsa => RsaPrivateKey.Read(data, out error),
            KeyType.Secp256k1 => Secp256k1PrivateKey.Read(data, out error),
            _ => EcdsaPrivateKey.Read(data, out error),
        };
        return key is not null;
    }

    /// <summary>The peer id; never the secret.</summary>
    public override string ToString() => PeerId.ToString();
}
