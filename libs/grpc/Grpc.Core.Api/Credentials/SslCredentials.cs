namespace Grpc.Core;

/// <summary>TLS for a channel.</summary>
public sealed class SslCredentials : ChannelCredentials
{
    /// <summary>TLS with the system's roots.</summary>
    public SslCredentials()
        : this(null, null, null)
    {
    }

    /// <summary>TLS with these roots (PEM).</summary>
    public SslCredentials(string? rootCertificates)
        : this(rootCertificates, null, null)
    {
    }

    /// <summary>TLS with these roots and a client certificate.</summary>
    public SslCredentials(string? rootCertificates, KeyCertificatePair? keyCertificatePair)
        : this(rootCertificates, keyCertificatePair, null)
    {
    }

    /// <summary>TLS with these roots, a client certificate and a check of the server.</summary>
    public SslCredentials(string? rootCertificates, KeyCertificatePair? keyCertificatePair, VerifyPeerCallback? verifyPeerCallback)
    {
        RootCertificates = rootCertificates;
        KeyCertificatePair = keyCertificatePair;
        VerifyPeerCallback = verifyPeerCallback;
    }

    /// <summary>Root certificates (PEM); null for the system's.</summary>
    public string? RootCertificates { get; }

    /// <summary>The client's certificate and key; null for none.</summary>
    public KeyCertificatePair? KeyCertificatePair { get; }

    /// <summary>A further check of the server; null for none.</summary>
    public VerifyPeerCallback? VerifyPeerCallback { get; }

    internal override bool IsComposable => true;

    /// <inheritdoc/>
    public override void InternalPopulateConfiguration(ChannelCredentialsConfiguratorBase configurator, object? state)
    {
        ArgumentNullException.ThrowIfNull(configurator);
        configurator.SetSslCredentials(state, RootCertificates, KeyCertificatePair, VerifyPeerCallback);
    }
}

/// <summary>A certificate chain with its private key.</summary>
public sealed class KeyCertificatePair
{
    /// <summary>A pair of PEM texts.</summary>
    public KeyCertificatePair(string certificateChain, string privateKey)
    {
        ArgumentNullException.ThrowIfNull(certificateChain);
        ArgumentNullException.ThrowIfNull(privateKey);
        CertificateChain = certificateChain;
        PrivateKey = privateKey;
    }

    /// <summary>The chain (PEM).</summary>
    public string CertificateChain { get; }

    /// <summary>The key (PEM).</summary>
    public string PrivateKey { get; }
}

/// <summary>Checks the server's certificate beyond the usual; false refuses it.</summary>
public delegate bool VerifyPeerCallback(VerifyPeerContext context);

/// <summary>The server that a <see cref="VerifyPeerCallback"/> checks.</summary>
public class VerifyPeerContext
{
    /// <summary>Made by transports.</summary>
    public VerifyPeerContext(string targetName, string peerPem)
    {
        TargetName = targetName;
        PeerPem = peerPem;
    }

    /// <summary>The name of the server.</summary>
    public string TargetName { get; }

    /// <summary>Its certificate (PEM).</summary>
    public string PeerPem { get; }
}
