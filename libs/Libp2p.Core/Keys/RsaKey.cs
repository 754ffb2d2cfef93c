using System.Security.Cryptography;

namespace Libp2p.Keys;

internal static class RsaLimits
{
    // Bounds of go-libp2p: smaller keys are weak, larger ones make verification a way to burn the CPU.
    public const int MinBits = 2048;
    public const int MaxBits = 8192;

    public static string Check(int bits) => bits switch
    {
        < MinBits => $"an RSA key has at least {MinBits} bits, not {bits}",
        > MaxBits => $"an RSA key has at most {MaxBits} bits, not {bits}",
        _ => "",
    };
}

internal sealed class RsaPublicKey : PublicKey
{
    private readonly RSAParameters parameters;

    private RsaPublicKey(byte[] spki, RSAParameters parameters) : base(KeyType.Rsa, spki) => this.parameters = parameters;

    public static RsaPublicKey From(RSA rsa) => new(rsa.ExportSubjectPublicKeyInfo(), rsa.ExportParameters(false));

    public static PublicKey? Read(ReadOnlySpan<byte> data, out string error)
    {
        using var rsa = RSA.Create();
        try
        {
            rsa.ImportSubjectPublicKeyInfo(data, out int read);
            error = read == data.Length ? RsaLimits.Check(rsa.KeySize) : "bytes follow the RSA public key";
            return error.Length == 0 ? From(rsa) : null;
        }
        catch (CryptographicException e)
        {
            error = "the RSA public key is no SubjectPublicKeyInfo: " + e.Message;
            return null;
        }
    }

    public override bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        using var rsa = RSA.Create(parameters);
        return signature.Length == rsa.KeySize / 8
            && rsa.VerifyData(message, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }
}

internal sealed class RsaPrivateKey : PrivateKey
{
    private readonly RSAParameters parameters;

    private RsaPrivateKey(RSA rsa) : base(rsa.ExportRSAPrivateKey(), RsaPublicKey.From(rsa)) =>
        parameters = rsa.ExportParameters(true);

    public static RsaPrivateKey Generate(int bits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bits, RsaLimits.MinBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, RsaLimits.MaxBits);
        using var rsa = RSA.Create(bits);
        return new RsaPrivateKey(rsa);
    }

    public static PrivateKey? Read(ReadOnlySpan<byte> data, out string error)
    {
        using var rsa = RSA.Create();
        try
        {
            rsa.ImportRSAPrivateKey(data, out int read);
            error = read == data.Length ? RsaLimits.Check(rsa.KeySize) : "bytes follow the RSA private key";
            return error.Length == 0 ? new RsaPrivateKey(rsa) : null;
        }
        catch (CryptographicException e)
        {
            error = "the RSA private key is no PKCS#1 document: " + e.Message;
            return null;
        }
    }

    public override byte[] Sign(ReadOnlySpan<byte> message)
    {
        using var rsa = RSA.Create(parameters);
        return rsa.SignData(message, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }
}
