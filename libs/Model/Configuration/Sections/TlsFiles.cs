using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Cluster.Model.Configuration;

/// <summary>Refuses TLS files that no listener could use, while the configuration is loaded.</summary>
internal static class TlsFiles
{
    /// <summary>Names as in the file, relative to the configuration folder.</summary>
    public static void Check(string certificate, string key, LoadingContext context)
    {
        var read = context.Surroundings.ReadFile;
        if (read is null)
            return;
        const string prefix = "error loading TLS certificate/key: ";
        var (certificatePem, keyPem) = (Read(certificate), Read(key));
        try
        {
            using var parsed = X509Certificate2.CreateFromPem(certificatePem, keyPem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new ConfigurationException(prefix + "tls: " + e.Message, e);
        }

        string Read(string name)
        {
            var path = context.InFolder(name);
            if (name.Length == 0)
                throw new ConfigurationException($"{prefix}read {path}: is a directory");
            try
            {
                return Encoding.UTF8.GetString(read!(path));
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                throw new ConfigurationException($"{prefix}open {path}: no such file or directory", e);
            }
            catch (UnauthorizedAccessException e)
            {
                throw new ConfigurationException($"{prefix}open {path}: permission denied", e);
            }
            catch (IOException e)
            {
                throw new ConfigurationException($"{prefix}open {path}: {e.Message}", e);
            }
        }
    }
}
