using System.Security.Cryptography;
using Libp2p.Native;

namespace Libp2p.Security.Noise;

/// <summary>A Diffie-Hellman key of the handshake; not the peer's identity.</summary>
internal sealed class X25519KeyPair
{
    private X25519KeyPair(byte[] secret)
    {
        Private = secret;
        Sodium.X25519Base(secret, Public);
    }

    public byte[] Private { get; }

    public byte[] Public { get; } = new byte[32];

    public static X25519KeyPair Generate() => new(RandomNumberGenerator.GetBytes(32));

    public static X25519KeyPair From(ReadOnlySpan<byte> secret) => new(secret.ToArray());
}
