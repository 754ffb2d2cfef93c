using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Libp2p.Negotiation;

namespace Libp2p.Security.Tls;

/// <summary>Secures connections with TLS 1.3 (spec/libp2p.md, section 5). One certificate serves the host's whole life.</summary>
internal sealed class TlsProtocol : ISecurityProtocol
{
    private static readonly SslApplicationProtocol NoEarlyMuxer = new("libp2p");

    private readonly X509Certificate2 certificate;
    private readonly List<SslApplicationProtocol> applicationProtocols;
    private readonly SslStreamCertificateContext context;
    private readonly TimeProvider time;

    public TlsProtocol(PrivateKey identity, IReadOnlyList<string> muxers, TimeProvider time)
    {
        this.time = time;
        certificate = TlsCertificate.Create(identity, time.GetUtcNow());
        context = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true);
        applicationProtocols = [.. muxers.Select(muxer => new SslApplicationProtocol(muxer)), NoEarlyMuxer];
    }

    public string Id => ProtocolName.Tls;

    public async Task<SecureChannel> SecureAsync(Stream raw, bool initiator, PeerId? expected, CancellationToken cancellationToken)
    {
        PublicKey? remote = null;
        Exception? refusal = null;
        bool Validate(object sender, X509Certificate? presented, X509Chain? chain, SslPolicyErrors errors)
        {
            try
            {
                // The chain is no authority's: the extension proves the identity.
                remote = TlsCertificate.Verify(presented as X509Certificate2, chain?.ChainElements.Count ?? 0, expected, time.GetUtcNow());
                return true;
            }
            catch (HandshakeException e)
            {
                refusal = e;
                return false;
            }
        }

        var stream = new SslStream(raw, leaveInnerStreamOpen: false);
        try
        {
            if (initiator)
            {
                await stream.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions
                    {
                        // No server name is sent, and none is checked.
                        TargetHost = "",
                        EnabledSslProtocols = SslProtocols.Tls13,
                        ClientCertificateContext = context,
                        ApplicationProtocols = applicationProtocols,
                        RemoteCertificateValidationCallback = Validate,
                        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                        AllowTlsResume = false,
                    },
                    cancellationToken);
            }
            else
            {
                await stream.AuthenticateAsServerAsync(
                    (_, hello, _, _) => ValueTask.FromResult(new SslServerAuthenticationOptions
                    {
                        ServerCertificateContext = context,
                        EnabledSslProtocols = SslProtocols.Tls13,
                        ClientCertificateRequired = true,
                        ApplicationProtocols = applicationProtocols,
                        RemoteCertificateValidationCallback = Validate,
                        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                        AllowTlsResume = false,
                    }),
                    null,
                    cancellationToken);
            }
        }
        catch (Exception e) when (e is AuthenticationException or IOException && refusal is not null)
        {
            throw refusal;
        }
        catch (AuthenticationException e)
        {
            throw new HandshakeException("The TLS handshake failed: " + (e.InnerException ?? e).Message, e);
        }
        if (remote is null) throw new HandshakeException("The peer presented no TLS certificate.");
        string agreed = Encoding.ASCII.GetString(stream.NegotiatedApplicationProtocol.Protocol.Span);
        return new SecureChannel(stream, remote, agreed.Length > 0 && agreed != "libp2p" ? agreed : null);
    }
}
