namespace Libp2p;

/// <summary>Kinds of keys, with their numbers in the key protobufs.</summary>
public enum KeyType
{
    /// <summary>RSA, 2048 to 8192 bits; signs SHA-256 with PKCS#1 v1.5.</summary>
    Rsa = 0,

    /// <summary>Ed25519, the default.</summary>
    Ed25519 = 1,

    /// <summary>ECDSA over secp256k1 and SHA-256.</summary>
    Secp256k1 = 2,

    /// <summary>ECDSA over a NIST curve and SHA-256.</summary>
    Ecdsa = 3,
}
