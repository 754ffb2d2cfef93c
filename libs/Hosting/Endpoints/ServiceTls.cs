using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Hosting;

/// <summary>
/// Certificates of calls between services over TCP: this process' own (<c>CLUSTER_TLS_CERT_FILE</c>, <c>CLUSTER_TLS_KEY_FILE</c>, PEM)
/// and the authority that the others' must be signed by (<c>CLUSTER_TLS_CA_FILE</c>; without it the system's authorities).
/// </summary>
public sealed class ServiceTls
{
    private readonly X509Certificate2Collection? authorities;

    private ServiceTls(X509Certificate2? certificate, X509Certificate2Collection? authorities)
    {
        Certificate = certificate;
        this.authorities = authorities;
    }

    /// <summary>This process' certificate with its key; null when none is configured.</summary>
    public X509Certificate2? Certificate { get; }

    /// <summary>Reads what the environment names; null when it names nothing.</summary>
    /// <exception cref="ServiceStartException">A file cannot be read.</exception>
    public static ServiceTls? FromEnvironment(Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        var certificate = environment("CLUSTER_TLS_CERT_FILE");
        var key = environment("CLUSTER_TLS_KEY_FILE");
        var authority = environment("CLUSTER_TLS_CA_FILE");
        if (string.IsNullOrEmpty(certificate) && string.IsNullOrEmpty(authority))
            return null;
        try
        {
            X509Certificate2Collection? authorities = null;
            if (!string.IsNullOrEmpty(authority))
            {
                authorities = [];
                authorities.ImportFromPemFile(authority);
            }

            var own = string.IsNullOrEmpty(certificate) ? null : X509Certificate2.CreateFromPemFile(certificate, string.IsNullOrEmpty(key) ? null : key);
            return new ServiceTls(own, authorities);
        }
        catch (Exception error) when (error is IOException or CryptographicException or UnauthorizedAccessException)
        {
            throw new ServiceStartException("reading the TLS certificates of the services", error.Message, error);
        }
    }

    internal SslClientAuthenticationOptions ClientOptions()
    {
        var options = new SslClientAuthenticationOptions();
        if (authorities is not null)
        {
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return options;
    }
}
