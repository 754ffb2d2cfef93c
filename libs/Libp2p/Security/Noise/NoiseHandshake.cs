using System.Buffers.Binary;
using System.Security.Cryptography;
using Libp2p.Native;

namespace Libp2p.Security.Noise;

/// <summary>
/// Noise_XX_25519_ChaChaPoly_SHA256 (Noise specification, revision 34, sections 5 and 7), without any I/O: messages go in and out
/// as bytes. An instance serves one handshake.
/// </summary>
internal sealed class NoiseHandshake : IDisposable
{
    public const int KeySize = 32;
    public const int TagSize = 16;

    private static readonly byte[] ProtocolName = "Noise_XX_25519_ChaChaPoly_SHA256"u8.ToArray();

    private readonly bool initiator;
    private readonly X25519KeyPair own;
    private readonly X25519KeyPair ephemeral;
    private readonly byte[] remoteEphemeral = new byte[KeySize];
    private readonly byte[] hash = new byte[32];
    private readonly byte[] chaining = new byte[32];
    private ChaCha20Poly1305? cipher;
    private ulong nonce;

    public NoiseHandshake(bool initiator, X25519KeyPair staticKey, X25519KeyPair ephemeralKey)
    {
        this.initiator = initiator;
        own = staticKey;
        ephemeral = ephemeralKey;
        // The name has exactly the length of a hash, so it is used as it is (section 5.2); then the empty prologue is mixed in.
        ProtocolName.CopyTo(hash, 0);
        ProtocolName.CopyTo(chaining, 0);
        MixHash([]);
    }

    /// <summary>The other side's static key, known after its first encrypted message.</summary>
    public byte[] RemoteStatic { get; } = new byte[KeySize];

    /// <summary>Transcript hash so far.</summary>
    public ReadOnlySpan<byte> Hash => hash;

    /// <summary>Message 1: the ephemeral key, in clear.</summary>
    public int WriteFirst(Span<byte> destination)
    {
        ephemeral.Public.CopyTo(destination);
        MixHash(ephemeral.Public);
        MixHash([]);
        return KeySize;
    }

    public void ReadFirst(ReadOnlySpan<byte> message)
    {
        if (message.Length < KeySize) throw new HandshakeException("The peer's first Noise message is too short.");
        message[..KeySize].CopyTo(remoteEphemeral);
        MixHash(remoteEphemeral);
        // A payload here is neither encrypted nor authenticated; it is part of the transcript and otherwise ignored.
        MixHash(message[KeySize..]);
    }

    /// <summary>Message 2: the responder's keys and its payload.</summary>
    public int WriteSecond(ReadOnlySpan<byte> payload, Span<byte> destination)
    {
        ephemeral.Public.CopyTo(destination);
        MixHash(ephemeral.Public);
        Agree(ephemeral, remoteEphemeral);
        int n = KeySize + EncryptAndHash(own.Public, destination[KeySize..]);
        Agree(own, remoteEphemeral);
        return n + EncryptAndHash(payload, destination[n..]);
    }

    public int ReadSecond(ReadOnlySpan<byte> message, Span<byte> payload)
    {
        const int StaticEnd = KeySize + KeySize + TagSize;
        if (message.Length < StaticEnd + TagSize) throw new HandshakeException("The peer's second Noise message is too short.");
        message[..KeySize].CopyTo(remoteEphemeral);
        MixHash(remoteEphemeral);
        Agree(ephemeral, remoteEphemeral);
        DecryptAndHash(message[KeySize..StaticEnd], RemoteStatic);
        Agree(ephemeral, RemoteStatic);
        return DecryptAndHash(message[StaticEnd..], payload);
    }

    /// <summary>Message 3: the initiator's static key and its payload.</summary>
    public int WriteThird(ReadOnlySpan<byte> payload, Span<byte> destination)
    {
        int n = EncryptAndHash(own.Public, destination);
        Agree(own, remoteEphemeral);
        return n + EncryptAndHash(payload, destination[n..]);
    }

    public int ReadThird(ReadOnlySpan<byte> message, Span<byte> payload)
    {
        const int StaticEnd = KeySize + TagSize;
        if (message.Length < StaticEnd + TagSize) throw new HandshakeException("The peer's third Noise message is too short.");
        DecryptAndHash(message[..StaticEnd], RemoteStatic);
        Agree(ephemeral, RemoteStatic);
        return DecryptAndHash(message[StaticEnd..], payload);
    }

    /// <summary>The transport keys, once all messages are through.</summary>
    public (byte[] Sending, byte[] Receiving) Split()
    {
        byte[] first = new byte[32], second = new byte[32];
        DeriveTwo([], first, second);
        return initiator ? (first, second) : (second, first);
    }

    public void Dispose() => cipher?.Dispose();

    private void Agree(X25519KeyPair key, ReadOnlySpan<byte> remote)
    {
        Span<byte> shared = stackalloc byte[32];
        if (!Sodium.X25519(key.Private, remote, shared)) throw new HandshakeException("The peer sent a Noise key of low order.");
        Span<byte> temporary = stackalloc byte[32];
        DeriveTwo(shared, chaining, temporary);
        cipher?.Dispose();
        cipher = new ChaCha20Poly1305(temporary);
        nonce = 0;
        CryptographicOperations.ZeroMemory(shared);
        CryptographicOperations.ZeroMemory(temporary);
    }

    // HKDF of section 4.3 with two outputs.
    private void DeriveTwo(ReadOnlySpan<byte> material, Span<byte> first, Span<byte> second)
    {
        Span<byte> secret = stackalloc byte[32], one = stackalloc byte[33];
        HMACSHA256.HashData(chaining, material, secret);
        HMACSHA256.HashData(secret, [1], one);
        one[32] = 2;
        HMACSHA256.HashData(secret, one, second);
        one[..32].CopyTo(first);
        CryptographicOperations.ZeroMemory(secret);
        CryptographicOperations.ZeroMemory(one);
    }

    private void MixHash(ReadOnlySpan<byte> data)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(hash);
        sha.AppendData(data);
        sha.GetHashAndReset(hash);
    }

    private int EncryptAndHash(ReadOnlySpan<byte> plain, Span<byte> destination)
    {
        Span<byte> iv = stackalloc byte[12];
        BinaryPrimitives.WriteUInt64LittleEndian(iv[4..], nonce++);
        cipher!.Encrypt(iv, plain, destination[..plain.Length], destination.Slice(plain.Length, TagSize), hash);
        MixHash(destination[..(plain.Length + TagSize)]);
        return plain.Length + TagSize;
    }

    private int DecryptAndHash(ReadOnlySpan<byte> sealedText, Span<byte> plain)
    {
        int length = sealedText.Length - TagSize;
        Span<byte> iv = stackalloc byte[12];
        BinaryPrimitives.WriteUInt64LittleEndian(iv[4..], nonce++);
        try
        {
            cipher!.Decrypt(iv, sealedText[..length], sealedText[length..], plain[..length], hash);
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new HandshakeException("The peer's Noise message does not authenticate.", e);
        }
        MixHash(sealedText);
        return length;
    }
}
