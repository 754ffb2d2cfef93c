using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Libp2p.Security.Tls;

/// <summary>The self-signed certificate of libp2p TLS: its extension binds an identity key to the key of the certificate.</summary>
internal static class TlsCertificate
{
    private const string ExtensionOid = "1.3.6.1.4.1.53594.1.1";
    private const string ExtendedKeyUsageOid = "2.5.29.37";
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string AnyUsage = "2.5.29.37.0";

    // Extensions that are understood, or harmless: key usage, basic constraints, names, key identifiers, extended key usage.
    private static readonly HashSet<string> Known = [ExtensionOid, ExtendedKeyUsageOid, "2.5.29.15", "2.5.29.19", "2.5.29.17", "2.5.29.14", "2.5.29.35"];

    private static byte[] Signed(byte[] subjectPublicKeyInfo) => [.. "libp2p-tls-handshake:"u8, .. subjectPublicKeyInfo];

    public static X509Certificate2 Create(PrivateKey identity, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var serial = RandomNumberGenerator.GetBytes(8);
        serial[0] &= 0x7f;
        serial[0] |= 0x40;
        var name = new X500DistinguishedNameBuilder();
        name.Add("2.5.4.5", Convert.ToHexString(serial), UniversalTagNumber.PrintableString);
        var request = new CertificateRequest(name.Build(), key, HashAlgorithmName.SHA256);
        var value = new AsnWriter(AsnEncodingRules.DER);
        using (value.PushSequence())
        {
            value.WriteOctetString(identity.PublicKey.ToProtobuf());
            value.WriteOctetString(identity.Sign(Signed(key.ExportSubjectPublicKeyInfo())));
        }
        request.CertificateExtensions.Add(new X509Extension(ExtensionOid, value.Encode(), critical: false));
        // Dated back an hour, as clocks differ.
        using var certificate = request.Create(
            request.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now.AddHours(-1), now.AddYears(100), serial);
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>The identity behind a certificate.</summary>
    /// <exception cref="HandshakeException">The certificate proves none, or not the expected one.</exception>
    public static PublicKey Verify(X509Certificate2? certificate, int count, PeerId? expected, DateTimeOffset now)
    {
        if (certificate is null) throw new HandshakeException("The peer presented no TLS certificate.");
        if (count > 1) throw new HandshakeException("The peer presented more than one TLS certificate.");
        if (now < certificate.NotBefore || now > certificate.NotAfter)
            throw new HandshakeException($"The peer's TLS certificate is valid from {certificate.NotBefore:u} to {certificate.NotAfter:u} only.");
        byte[]? extension = null;
        foreach (var item in certificate.Extensions)
        {
            string oid = item.Oid?.Value ?? "";
            if (oid == ExtensionOid) extension = item.RawData;
            else if (item.Critical && !Known.Contains(oid)) throw new HandshakeException($"The peer's TLS certificate has the unknown critical extension {oid}.");
            if (item is X509EnhancedKeyUsageExtension usage && !Allows(usage))
                throw new HandshakeException("The peer's TLS certificate is not meant for authentication.");
        }
        if (extension is null) throw new HandshakeException("The peer's TLS certificate does not name a libp2p identity.");
        var (keyBytes, signature) = ReadExtension(extension);
        if (!PublicKey.TryFromProtobuf(keyBytes, out PublicKey? key, out string error))
            throw new HandshakeException("The peer's identity key is unusable: " + error + ".");
        if (!key.Verify(Signed(certificate.PublicKey.ExportSubjectPublicKeyInfo()), signature))
            throw new HandshakeException($"The peer claims to be {key.PeerId}, but its signature over the TLS key is wrong.");
        if (expected is { } peer && key.PeerId != peer) throw new PeerMismatchException(peer, key.PeerId);
        return key;
    }

    private static bool Allows(X509EnhancedKeyUsageExtension usage)
    {
        foreach (var oid in usage.EnhancedKeyUsages)
        {
            if (oid.Value is ServerAuthentication or AnyUsage) return true;
        }
        return false;
    }

    private static (byte[] Key, byte[] Signature) ReadExtension(byte[] value)
    {
        try
        {
            var reader = new AsnReader(value, AsnEncodingRules.DER);
            var sequence = reader.ReadSequence();
            byte[] key = sequence.ReadOctetString(), signature = sequence.ReadOctetString();
            // Go ignores what follows; nothing honest does.
            sequence.ThrowIfNotEmpty();
            reader.ThrowIfNotEmpty();
            return (key, signature);
        }
        catch (AsnContentException e)
        {
            throw new HandshakeException("The identity in the peer's TLS certificate cannot be read: " + e.Message, e);
        }
    }
}
