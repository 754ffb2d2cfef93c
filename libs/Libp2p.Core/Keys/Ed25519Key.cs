using System.Security.Cryptography;
using Libp2p.Native;

namespace Libp2p.Keys;

internal sealed class Ed25519PublicKey(byte[] raw) : PublicKey(KeyType.Ed25519, raw)
{
    public static PublicKey? Read(ReadOnlySpan<byte> data, out string error)
    {
        error = data.Length == 32 ? "" : $"an Ed25519 public key has 32 bytes, not {data.Length}";
        return data.Length == 32 ? new Ed25519PublicKey(data.ToArray()) : null;
    }

    public override bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        Sodium.Ed25519Verify(Raw.Span, message, signature);
}

internal sealed class Ed25519PrivateKey : PrivateKey
{
    private readonly byte[] secret;

    private Ed25519PrivateKey(byte[] secret) : base(secret, new Ed25519PublicKey(secret[32..])) => this.secret = secret;

    public static Ed25519PrivateKey Generate()
    {
        Span<byte> seed = stackalloc byte[32];
        RandomNumberGenerator.Fill(seed);
        return FromSeed(seed);
    }

    public static Ed25519PrivateKey FromSeed(ReadOnlySpan<byte> seed)
    {
        if (seed.Length != 32) throw new ArgumentException("An Ed25519 seed has 32 bytes.", nameof(seed));
        var secret = new byte[64];
        Span<byte> point = stackalloc byte[32];
        Sodium.Ed25519FromSeed(seed, point, secret);
        return new Ed25519PrivateKey(secret);
    }

    public static PrivateKey? Read(ReadOnlySpan<byte> data, out string error)
    {
        error = "";
        // 96 bytes: old files repeat the public key.
        if (data.Length == 96 && !data[32..64].SequenceEqual(data[64..])) error = "the two copies of the public key differ";
        else if (data.Length is not (64 or 96)) error = $"an Ed25519 private key has 64 bytes (or 96 in the old form), not {data.Length}";
        return error.Length == 0 ? new Ed25519PrivateKey(data[..64].ToArray()) : null;
    }

    public override byte[] Sign(ReadOnlySpan<byte> message)
    {
        var signature = new byte[64];
        Sodium.Ed25519Sign(secret, message, signature);
        return signature;
    }
}
