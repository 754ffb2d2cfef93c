using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Libp2p.Keys;

internal sealed class EcdsaPublicKey : PublicKey
{
    private readonly ECParameters parameters;

    private EcdsaPublicKey(byte[] spki, ECParameters parameters) : base(KeyType.Ecdsa, spki) => this.parameters = parameters;

    public static EcdsaPublicKey From(ECDsa ecdsa) => new(ecdsa.ExportSubjectPublicKeyInfo(), ecdsa.ExportParameters(false));

    public static PublicKey? Read(ReadOnlySpan<byte> data, out string error)
    {
        using var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportSubjectPublicKeyInfo(data, out int read);
            error = read == data.Length ? "" : "bytes follow the ECDSA public key";
            return error.Length == 0 ? From(ecdsa) : null;
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException)
        {
            error = "the ECDSA public key is no SubjectPublicKeyInfo of a known curve: " + e.Message;
            return null;
        }
    }

    public override bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        // Go accepts bytes after the signature, a fault that makes signatures malleable and is not copied.
        if (!AsnDecoder.TryReadEncodedValue(signature, AsnEncodingRules.DER, out _, out _, out _, out int length) || length != signature.Length)
            return false;
        using var ecdsa = ECDsa.Create(parameters);
        return ecdsa.VerifyData(message, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }
}

internal sealed class EcdsaPrivateKey : PrivateKey
{
    private readonly ECParameters parameters;

    private EcdsaPrivateKey(ECDsa ecdsa) : base(ecdsa.ExportECPrivateKey(), EcdsaPublicKey.From(ecdsa)) =>
        parameters = ecdsa.ExportParameters(true);

    public static EcdsaPrivateKey Generate()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new EcdsaPrivateKey(ecdsa);
    }

    public static PrivateKey? Read(ReadOnlySpan<byte> data, out string error)
    {
        using var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportECPrivateKey(data, out int read);
            error = read == data.Length ? "" : "bytes follow the ECDSA private key";
            return error.Length == 0 ? new EcdsaPrivateKey(ecdsa) : null;
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException)
        {
            error = "the ECDSA private key is no SEC1 document of a known curve: " + e.Message;
            return null;
        }
    }

    public override byte[] Sign(ReadOnlySpan<byte> message)
    {
        using var ecdsa = ECDsa.Create(parameters);
        return ecdsa.SignData(message, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }
}
