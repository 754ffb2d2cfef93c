using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;

namespace Libp2p.Keys;

internal sealed class Secp256k1PublicKey(byte[] raw, Secp256k1Curve.Point point) : PublicKey(KeyType.Secp256k1, raw)
{
    public static PublicKey? Read(ReadOnlySpan<byte> data, out string error) =>
        Secp256k1Curve.TryRead(data, out var point, out error) ? From(point) : null;

    public static Secp256k1PublicKey From(Secp256k1Curve.Point point) => new(Secp256k1Curve.Compress(point), point);

    public override bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (!TryReadSignature(signature, out BigInteger r, out BigInteger s)) return false;
        BigInteger n = Secp256k1Curve.N;
        if (r.Sign <= 0 || s.Sign <= 0 || r >= n || s >= n) return false;
        BigInteger z = Secp256k1Curve.Number(SHA256.HashData(message)), w = BigInteger.ModPow(s, n - 2, n);
        var sum = Secp256k1Curve.Add(
            Secp256k1Curve.Multiply(Secp256k1Curve.G, z * w % n),
            Secp256k1Curve.Multiply(point, r * w % n));
        return !sum.Z.IsZero && Secp256k1Curve.Affine(sum).X % n == r;
    }

    private static bool TryReadSignature(ReadOnlySpan<byte> der, out BigInteger r, out BigInteger s)
    {
        r = s = 0;
        // SEQUENCE of two integers below 2^256: never above 72 bytes.
        if (der.Length is < 8 or > 72) return false;
        try
        {
            AsnDecoder.ReadSequence(der, AsnEncodingRules.DER, out int offset, out int length, out int consumed);
            if (consumed != der.Length) return false;
            var content = der.Slice(offset, length);
            r = AsnDecoder.ReadInteger(content, AsnEncodingRules.DER, out int first);
            s = AsnDecoder.ReadInteger(content[first..], AsnEncodingRules.DER, out int second);
            return first + second == content.Length;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }
}

internal sealed class Secp256k1PrivateKey : PrivateKey
{
    private readonly BigInteger scalar;

    private Secp256k1PrivateKey(byte[] raw, BigInteger scalar)
        : base(raw, Secp256k1PublicKey.From(Secp256k1Curve.Multiply(Secp256k1Curve.G, scalar))) => this.scalar = scalar;

    public static PrivateKey? Read(ReadOnlySpan<byte> data, out string error)
    {
        error = data.Length == 32 ? "" : $"a secp256k1 private key has 32 bytes, not {data.Length}";
        if (error.Length > 0) return null;
        // Like Go, larger numbers are reduced and zero is read (it cannot sign).
        BigInteger scalar = Secp256k1Curve.Number(data) % Secp256k1Curve.N;
        var raw = new byte[32];
        Secp256k1Curve.Write(scalar, raw);
        return new Secp256k1PrivateKey(raw, scalar);
    }

    /// <summary>Deterministic ECDSA (RFC 6979), s in the lower half of the order.</summary>
    public override byte[] Sign(ReadOnlySpan<byte> message)
    {
        if (scalar.IsZero) throw new CryptographicException("The secp256k1 key zero cannot sign.");
        BigInteger n = Secp256k1Curve.N;
        BigInteger z = Secp256k1Curve.Number(SHA256.HashData(message)) % n;
        BigInteger r, s;
        using var nonces = Nonces(z).GetEnumerator();
        do
        {
            nonces.MoveNext();
            BigInteger k = nonces.Current;
            r = Secp256k1Curve.Affine(Secp256k1Curve.Multiply(Secp256k1Curve.G, k)).X % n;
            s = BigInteger.ModPow(k, n - 2, n) * (z + r * scalar) % n;
        }
        while (r.IsZero || s.IsZero);
        if (s > n / 2) s = n - s;
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(r);
            writer.WriteInteger(s);
        }
        return writer.Encode();
    }

    // RFC 6979, section 3.2.
    private IEnumerable<BigInteger> Nonces(BigInteger z)
    {
        var x = new byte[32];
        var h = new byte[32];
        Secp256k1Curve.Write(scalar, x);
        Secp256k1Curve.Write(z, h);
        byte[] v = new byte[32], k = new byte[32];
        Array.Fill(v, (byte)1);
        k = HMACSHA256.HashData(k, (byte[])[.. v, 0, .. x, .. h]);
        v = HMACSHA256.HashData(k, v);
        k = HMACSHA256.HashData(k, (byte[])[.. v, 1, .. x, .. h]);
        v = HMACSHA256.HashData(k, v);
        while (true)
        {
            v = HMACSHA256.HashData(k, v);
            BigInteger candidate = Secp256k1Curve.Number(v);
            if (candidate.Sign > 0 && candidate < Secp256k1Curve.N) yield return candidate;
            k = HMACSHA256.HashData(k, (byte[])[.. v, 0]);
            v = HMACSHA256.HashData(k, v);
        }
    }
}
